"""What people call alerts, coins and chains, and what they mean by it.

Owns how the beginning of an alert_id, or a coin or chain in any case, becomes the one thing that is
meant, or an error that says why not. Reads only. Called by control.py and the command.
"""

from __future__ import annotations

import duckdb

from ccpay_io.errors import ConfigError

_LISTED = "`ccpay alerts list` shows what is open"
# With no letters given, every alert would begin with them.
_BEGINS = "$alert <> '' AND starts_with(alert_id, $alert)"


def find_alert(con: duckdb.DuckDBPyConnection, alert: str) -> str:
    """The alert_id of an episode, open or over, or of what is flapping, by its beginning.

    Raises:
        ConfigError: there is none, or several.
    """
    rows = con.execute(
        f"SELECT alert_id FROM store.alert_episode WHERE {_BEGINS} UNION"
        f" SELECT alert_id FROM store.alert_state WHERE {_BEGINS} AND flapping_since IS NOT NULL",
        {"alert": alert},
    ).fetchall()
    return _only(alert, [alert_id for (alert_id,) in rows])


def open_alert(con: duckdb.DuckDBPyConnection, alert: str) -> str:
    """The alert_id of an open alert, by its beginning.

    Raises:
        ConfigError: there is none, or several, or it is over.
    """
    rows = con.execute(
        f"SELECT alert_id FROM store.alert_state"
        f" WHERE phase IN ('firing', 'recovering') AND {_BEGINS}",
        {"alert": alert},
    ).fetchall()
    if not rows:
        _refuse_unsteady(con, alert)
        _refuse_past(con, alert)
    return _only(alert, [alert_id for (alert_id,) in rows])


def _refuse_unsteady(con: duckdb.DuckDBPyConnection, alert: str) -> None:
    """Says of what is listed as flapping, and just now not bad, why nobody can take it on."""
    rows = con.execute(
        f"SELECT alert_id FROM store.alert_state WHERE flapping_since IS NOT NULL AND {_BEGINS}",
        {"alert": alert},
    ).fetchall()
    if len(rows) == 1:
        ((alert_id,),) = rows
        raise ConfigError(
            f"{alert_id} is flapping and not open now",
            hint="nothing is sent about it until it has settled; a silence can name its chain=",
        )


def _refuse_past(con: duckdb.DuckDBPyConnection, alert: str) -> None:
    """Says of an alert that is over that it is, instead of that there is none."""
    past = con.execute(
        f"SELECT alert_id, resolved_at FROM store.alert_episode"
        f" WHERE resolved_at IS NOT NULL AND {_BEGINS}",
        {"alert": alert},
    ).fetchall()
    if len(past) == 1:
        ((alert_id, over),) = past
        raise ConfigError(f"{alert_id} is over since {over:%Y-%m-%d %H:%M} UTC", hint=_LISTED)


def _only(alert: str, found: list[str]) -> str:
    if not found:
        raise ConfigError(f"no alert is known under {alert!r}", hint=_LISTED)
    if len(found) > 1:
        raise ConfigError(f"{len(found)} alerts begin with {alert!r}", hint="give more of the id")
    return found[0]


def find_coin(con: duckdb.DuckDBPyConnection, coin: str) -> int:
    """The coin of that id, else the one of that symbol: an id must always be a way out.

    Raises:
        ConfigError: there is none, or several have that symbol.
    """
    by_id = "SELECT coin_id FROM coin WHERE coin_id = TRY_CAST(? AS BIGINT)"
    by_symbol = "SELECT coin_id FROM coin WHERE upper(coin) = upper(?) ORDER BY coin_id"
    rows = con.execute(by_id, [coin]).fetchall() or con.execute(by_symbol, [coin]).fetchall()
    if not rows:
        raise ConfigError(f"no coin {coin!r} is known", hint=_listed_by("coin_id, coin FROM coin"))
    if len(rows) > 1:
        ids = ", ".join(str(coin_id) for (coin_id,) in rows)
        raise ConfigError(f"several coins are called {coin}", hint=f"name one by its id: {ids}")
    return int(rows[0][0])


def find_chain(con: duckdb.DuckDBPyConnection, chain: str) -> str:
    """The chain as the API spells it; a silence of any other spelling would match nothing.

    Raises:
        ConfigError: it has never been listed, or several are spelt like it.
    """
    rows = con.execute(
        "SELECT chain FROM store.chain_entity WHERE upper(chain) = upper(?) ORDER BY chain", [chain]
    ).fetchall()
    known = [name for (name,) in rows]
    if not known:
        listed = _listed_by("chain FROM chain_status_now")
        raise ConfigError(f"no chain {chain!r} is known", hint=listed)
    if len(known) > 1 and chain not in known:
        raise ConfigError(f"several chains are called {chain}", hint=f"one of {', '.join(known)}")
    return chain if chain in known else str(known[0])


def _listed_by(query: str) -> str:
    return f'`ccpay query "SELECT {query}"` lists what is known'
