"""What the limits file says, as a row: analysts and the board cannot open SQLite.

Owns store.api_budget. Called by the collector inside the poll's transaction.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from ccpay_io.feeds.poll import Poll
from ccpay_io.pacing import PacerStatus


@dataclass(frozen=True)
class Coverage:
    """What a fee poll asked for.

    Attributes:
        pairs: in its scope.
        asked: those that the budget reached for.
        longest_age_s: after which every pair is asked again at the latest.
    """

    pairs: int
    asked: int
    longest_age_s: int


def note_limits(
    con: duckdb.DuckDBPyConnection, poll: Poll, status: PacerStatus, coverage: Coverage | None
) -> None:
    """Replaces the row; what the last fee poll covered stays with any other poll."""
    row = con.execute(
        "SELECT fee_pairs, fee_pairs_asked, fee_longest_age_s FROM store.api_budget"
    ).fetchone()
    covered = (coverage.pairs, coverage.asked, coverage.longest_age_s) if coverage else row
    con.execute("DELETE FROM store.api_budget")
    con.execute(
        "INSERT INTO store.api_budget VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            poll.observed_at,
            status.used_today,
            status.daily_budget,
            status.resets_at,
            status.quota_exhausted,
            status.rate_rps,
            status.learned_ceiling_rps,
            status.breaker_since,
            *(covered or (None, None, None)),
        ],
    )
