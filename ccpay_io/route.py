"""The chains to pay a coin out on, cheapest first, with a reason for each that is excluded.

Owns the question behind `ccpay route`; the ranking itself is the macro payout_route, so SQL users
get the same answer. Reads the published file only.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from difflib import get_close_matches

import duckdb

from ccpay_io.errors import ConfigError
from ccpay_io.store.reading import Place, connect_published


@dataclass(frozen=True)
class Route:
    """One chain for one coin.

    Attributes:
        rank: 1 is the cheapest; None when excluded.
        cost: the network fee in the currency that was asked for; None when it is not known.
        state: usable, blocked:<why> or unknown:<why>.
        excluded: why there is no rank.
        needs_memo: whether the receiver's memo or tag must be given.
        data_age_s: seconds since the fee was answered; None if it never was.
        started_after, started_by: bounds of the start of the chain's present status.
    """

    rank: int | None
    coin_id: int
    coin: str
    chain: str
    cost: Decimal | None
    state: str
    excluded: str | None
    needs_memo: bool | None
    data_age_s: int | None
    chain_status: str | None
    started_after: datetime | None
    started_by: datetime | None


_ROUTES = """
    SELECT
        r.cost_rank, r.coin_id, r.coin, r.chain,
        CASE WHEN $rate = 1 THEN r.fee_usd
             ELSE store.exact_product(r.fee_usd::DECIMAL(38, 18), $rate::DECIMAL(38, 18)) END,
        r.route_state, r.reason_excluded, r.needs_memo, r.data_age_s,
        s.status, s.started_after, s.started_by
    FROM payout_route($coin, $amount::DECIMAL(38, 18)) AS r
    LEFT JOIN chain_status_now AS s ON s.chain = r.chain
    ORDER BY r.coin_id, r.cost_rank NULLS LAST, r.chain
"""


def rank_routes(place: Place, coin: str, amount: Decimal | None, fiat: str) -> list[Route]:
    """The routes of a coin now, the cheapest first, the excluded ones last.

    Args:
        place: the warehouse folder, or the lake.
        coin: symbol (any case) or id.
        amount: of the payout, in units of the coin; None leaves the limits out of account.
        fiat: symbol of the currency of the costs.

    Raises:
        ConfigError: there is no such coin or fiat.
        NothingPublished: nothing to read yet.
    """
    with connect_published(place) as con:
        rate = _rate(con, fiat)
        wanted = {"coin": _known_coin(con, coin), "amount": amount, "rate": rate}
        return [Route(*row) for row in con.execute(_ROUTES, wanted).fetchall()]


def _rate(con: duckdb.DuckDBPyConnection, fiat: str) -> Decimal:
    """Units of the fiat per US dollar, exactly as the API says."""
    if fiat.upper() == "USD":
        return Decimal(1)
    rows = con.execute("SELECT upper(fiat), usd_rate FROM fiat_rate_now").fetchall()
    rates: dict[str, Decimal] = dict(rows)
    if fiat.upper() not in rates:
        raise ConfigError(f"there is no fiat {fiat!r}", hint=_meant(fiat, list(rates)))
    return rates[fiat.upper()]


def _known_coin(con: duckdb.DuckDBPyConnection, coin: str) -> str:
    """The coin as the warehouse spells it."""
    pairs = con.execute("SELECT DISTINCT coin_id::VARCHAR, coin FROM withdraw_fee_now").fetchall()
    names = {symbol.upper(): symbol for _, symbol in pairs if symbol}
    if coin in {coin_id for coin_id, _ in pairs}:
        return coin
    if coin.upper() not in names:
        raise ConfigError(f"there is no coin {coin!r}", hint=_meant(coin, list(names)))
    return str(names[coin.upper()])


def _meant(given: str, known: list[str]) -> str:
    close = get_close_matches(given.upper(), known, 3)
    if close:
        return f"did you mean {', '.join(close)}?"
    return f"{len(known)} are known" if known else "run `ccpay poll all` first"
