"""What fees usually are, worked out once an hour so that a poll need not.

Owns the table store.fee_usual. It takes seconds in a warehouse of months, so it is read from what
is published, before the writers' lock is taken: a filter for what to look at, not the rule, which
is store.fee_spikes_since. Called by the collector before a fee poll is committed, and by book.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import duckdb

from ccpay_io.errors import NothingPublished
from ccpay_io.store.reading import Place, connect_published

_HOUR_S = 3600
_USUAL = """
    SELECT entity_id, max_by(base, hour) / 1e12
    FROM store.fee_baselines($at::TIMESTAMPTZ - INTERVAL 1 DAY, NULL)
    WHERE base IS NOT NULL
    GROUP BY entity_id
"""

Usual = Sequence[tuple[int, int, float]]


def usual_fees(place: Place, at: datetime) -> Usual | None:
    """(entity_id, hour, US dollars) of every pair with enough history, if it is time for that.

    Args:
        place: the warehouse folder, or the lake.
        at: when the poll was made.

    Returns:
        None when this hour's are known already, or nothing is published yet.
    """
    hour = int(at.timestamp()) // _HOUR_S
    try:
        with connect_published(place) as con:
            known = con.execute("SELECT max(hour) FROM store.fee_usual").fetchone()
            if known and known[0] is not None and known[0] >= hour:
                return None
            return [
                (entity_id, hour, usual)
                for entity_id, usual in con.execute(_USUAL, {"at": at}).fetchall()
            ]
    except (NothingPublished, duckdb.Error):
        # The last publication may be of a release that did not know this table. Whatever it is, the
        # poll that waits to be committed matters more.
        return None


def remember_usual(con: duckdb.DuckDBPyConnection, usual: Usual) -> None:
    """Replaces what was usual."""
    con.execute("DELETE FROM store.fee_usual")
    if usual:
        entity_ids, hours, dollars = map(list, zip(*usual, strict=True))
        con.execute(
            "INSERT INTO store.fee_usual SELECT unnest(?), unnest(?), unnest(?)",
            [entity_ids, hours, dollars],
        )
