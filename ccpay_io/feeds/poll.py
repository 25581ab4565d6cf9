"""What one poll is, before it is stored: the only thing that feeds hand to the store.

Owns the shape of a poll (outcome, frames of answers, gaps, drift, raw file). Does not ask the API
(feeds/*.py do) and does not write (store/ does). Made by feeds and by the demo, taken by
`Warehouse.commit` and by the alert engine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

import polars as pl

from ccpay_io.models import Drift

Outcome = Literal["ok", "partial", "failed", "skipped"]


@dataclass(frozen=True)
class RawFile:
    """A poll's raw answers on disk: name below `raw/`, sha256 of the content, bytes on disk."""

    name: str
    sha256: str
    size: int


@dataclass(frozen=True)
class Answers:
    """What a poll learned about one dataset.

    Attributes:
        frame: one row per entity that was answered: the dataset's key columns, `state`, and its
            value and extra columns (store/datasets.py). Never a row for what was not answered.
        gaps: reason -> keys of the entities in scope that have no answer, e.g.
            {"deadline": [(1280, "ETH")], "not_asked": [...]}. A key is a tuple in key-column order.
        complete: whether frame and gaps together are everything that exists now; what the store
            knows beyond them is then recorded as absent.
    """

    frame: pl.DataFrame
    gaps: Mapping[str, list[tuple[object, ...]]] = field(default_factory=dict)
    complete: bool = True

    @property
    def unknown(self) -> int:
        """Number of entities in scope without an answer."""
        return sum(len(keys) for keys in self.gaps.values())


@dataclass(frozen=True)
class Poll:
    """One attempt to observe a feed, successful or not; becomes one ledger row.

    Attributes:
        poll_id: microseconds since the epoch at the poll's start (the store raises it if taken).
        observed_at: when the (last) answer was received; for a failed poll, when it was given up.
        answers: dataset name -> what was learned; empty when the poll failed or was skipped.
        error_code, error_name: the API's code and the error's name, of the failure or, in a
            partial poll, of the most frequent failure.
        cadence_s: the feed's planned seconds between polls when this poll was made.
        content_hash: of the canonical answers, in whatever order they came; of a quarantined list:
            of what it lists, at whatever value.
        listed: length of the list that was served (also when it was quarantined).
    """

    poll_id: int
    feed: str
    outcome: Outcome
    started_at: datetime
    observed_at: datetime
    requests: int
    answers: Mapping[str, Answers] = field(default_factory=dict)
    error_code: int | None = None
    error_name: str | None = None
    error_message: str | None = None
    writer: str = ""
    cadence_s: int = 0
    content_hash: str | None = None
    listed: int | None = None
    raw: RawFile | None = None
    drift: tuple[Drift, ...] = ()

    @property
    def answered(self) -> int:
        """Number of entities that were answered, over all datasets."""
        return sum(len(answers.frame) for answers in self.answers.values())


def poll_id_at(moment: datetime) -> int:
    """The poll_id of a poll that starts at `moment` (UTC): microseconds since the epoch."""
    delta = moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def utc_now() -> datetime:
    """The current time in UTC; the default clock everywhere."""
    return datetime.now(UTC)
