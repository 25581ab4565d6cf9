"""What a poll came to: for people, exit codes and the ledger's `outcome`.

Owns how a poll is concluded from what was learned and what went wrong, and the result that the
collector hands to the command, the assets and the sensor. Asks nothing and writes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import duckdb

from ccpay_io.errors import ApiError, BreakerOpen, BudgetExhausted, SuspectList
from ccpay_io.feeds.asked import Asked
from ccpay_io.feeds.plan import NothingToAsk
from ccpay_io.feeds.poll import Outcome, Poll
from ccpay_io.feeds.sampling import REASON
from ccpay_io.models import Drift
from ccpay_io.store.writer import Committed


@dataclass(frozen=True)
class PollResult:
    """What a poll came to, for people and for exit codes.

    Attributes:
        outcome: "ok", "partial" (some entities have no answer), "failed" (nothing was stored but
            the ledger row) or "skipped" (no request was allowed).
        rows: entities answered; `refused` of them with a refusal, `changed` differ from before.
        unknown: entities in scope without an answer.
        left_out: those of them that were not asked because the budget does not reach.
        error: why it failed, or the most frequent failure of a partial poll.
        published: the new version, when this poll led to a publication.
        reused: True when a watch poll young enough was found and no request was made.
    """

    poll_id: int
    feed: str
    outcome: Outcome
    started_at: datetime
    observed_at: datetime
    requests: int = 0
    rows: int = 0
    changed: int = 0
    refused: int = 0
    unknown: int = 0
    left_out: int = 0
    error: ApiError | None = None
    new_notices: int = 0
    confirm: bool = False
    published: Path | None = None
    reused: bool = False

    @property
    def coverage(self) -> str:
        """What the budget left out, in words; empty when it covers everything."""
        if not self.left_out:
            return ""
        scope = self.rows + self.unknown
        asked = f"{scope - self.left_out:,} of {scope:,} asked"
        return f"{asked}, the day's budget or the pace does not reach for more"


@dataclass(frozen=True)
class WatchResult:
    """One evaluation of the chain watch: its polls, confirmations included."""

    polls: tuple[PollResult, ...]

    @property
    def notices_due(self) -> bool:
        """Whether a notice was written that should be delivered at once."""
        return any(poll.new_notices for poll in self.polls)


def outcome_of(asked: Asked, error: ApiError | None) -> Outcome:
    """The ledger's word for what was learned and what went wrong."""
    if not asked.answers or asked.nothing_answered or isinstance(error, SuspectList):
        never_sent = isinstance(error, BreakerOpen | BudgetExhausted | NothingToAsk)
        return "skipped" if never_sent else "failed"
    return "partial" if asked.unknown or asked.nameless else "ok"


def concluded(
    poll: Poll, asked: Asked, error: ApiError | None, redact: Callable[[str], str] = str
) -> Poll:
    """The poll with everything that asking led to.

    Args:
        poll: who asked for what, and when.
        asked: what was learned.
        error: what went wrong, also in a poll that learned something.
        redact: takes secrets out of the error's text and the samples of drift.
    """
    outcome = outcome_of(asked, error)
    return replace(
        poll,
        outcome=outcome,
        # A failed poll observes nothing; a quarantined list keeps its length and its hash.
        answers=asked.answers if outcome in ("ok", "partial") else {},
        error_code=error.code if error else None,
        error_name=error.name if error else None,
        error_message=redact(str(error)) if error else None,
        content_hash=_hash_of(asked, error),
        listed=asked.listed,
        drift=tuple(one.redacted(redact) for one in (*asked.drift, *_size(asked, error))),
    )


def _size(asked: Asked, error: ApiError | None) -> tuple[Drift, ...]:
    """That a list was not believed, as a deviation."""
    if not isinstance(error, SuspectList):
        return ()
    value = "shorter" if asked.listed else "empty"
    return (Drift(error.endpoint, "data", "list_size", value, None, f"{asked.listed} entries"),)


def _hash_of(asked: Asked, error: ApiError | None) -> str | None:
    """The ledger's content hash: of what a suspect list names, or of all that was answered."""
    if not asked.answers:
        return None
    return asked.membership_hash if isinstance(error, SuspectList) else asked.content_hash


def result_of(
    poll: Poll, committed: Committed, error: ApiError | None, published: Path | None
) -> PollResult:
    """Puts together what was asked and what the store made of it."""
    return PollResult(
        poll_id=committed.poll_id,
        feed=poll.feed,
        outcome=poll.outcome,
        started_at=poll.started_at,
        observed_at=poll.observed_at,
        requests=poll.requests,
        rows=poll.answered,
        changed=committed.totals.changed,
        refused=committed.totals.refused,
        unknown=committed.totals.unknown,
        left_out=sum(len(answers.gaps.get(REASON, ())) for answers in poll.answers.values()),
        error=error,
        new_notices=committed.new_notices,
        confirm=committed.confirm,
        published=published,
    )


def recent(
    con: duckdb.DuckDBPyConnection, feed: str, now: datetime, reuse_s: float
) -> PollResult | None:
    """The last successful poll of a feed, if it is younger than so many seconds."""
    row = con.execute(
        "SELECT poll_id, outcome, started_at, observed_at, answered_count, changed_count,"
        " refused_count, unknown_count FROM store.poll"
        " WHERE feed = ? AND outcome IN ('ok', 'partial') ORDER BY poll_id DESC LIMIT 1",
        [feed],
    ).fetchone()
    if row is None or not 0 <= (now - row[3]).total_seconds() < reuse_s:
        return None
    poll_id, outcome, started, observed, rows, changed, refused, unknown = row
    return PollResult(
        poll_id, feed, outcome, started, observed,
        rows=rows, changed=changed, refused=refused, unknown=unknown, reused=True,
    )  # fmt: skip
