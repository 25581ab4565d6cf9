"""What a poll means for each subject that alerts are about: the verdict table.

One module per kind of subject. The rule above all: a failed call, an empty list or an unseen word
says nothing about a chain. They read the tables that this poll has just refreshed. Called by
book.py, inside the poll's transaction.
"""

from __future__ import annotations

import duckdb

from ccpay_io.alerts.observe.chains import observe_chains
from ccpay_io.alerts.observe.contract import observe_contract
from ccpay_io.alerts.observe.fees import observe_fees
from ccpay_io.alerts.observe.freshness import observe_freshness
from ccpay_io.alerts.observe.routes import observe_routes
from ccpay_io.alerts.observe.source import last_good, observe_source
from ccpay_io.alerts.subject import Observation
from ccpay_io.feeds.poll import Poll
from ccpay_io.settings import Settings

__all__ = ["observe"]


def observe(con: duckdb.DuckDBPyConnection, poll: Poll, settings: Settings) -> list[Observation]:
    """Every observation that a poll makes, at most one per subject.

    Args:
        con: inside the poll's transaction, its rows already written.
        poll: as it was stored.
        settings: cadences, by which data is late.
    """
    last = last_good(con, poll)
    seen = [*observe_source(poll, last), *observe_contract(con, poll, last)]
    if poll.feed == "chains":
        seen += [*observe_chains(con, poll), *observe_freshness(con, poll, settings)]
    if poll.feed == "fees":
        seen += [*observe_routes(con, poll, last), *observe_fees(con, poll)]
    return seen
