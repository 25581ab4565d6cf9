"""What was said of every entity of a dataset, in full for every poll: history the plain way.

The store keeps stretches; this keeps a snapshot per poll, so that the two have nothing in common
but the polls.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ccpay_io.feeds.poll import Poll
from ccpay_io.store.datasets import DATASETS, PRIMARY_FEED

Key = tuple[Any, ...]


@dataclass(frozen=True)
class Said:
    """What is known of one entity as of one poll.

    Attributes:
        state: the answered state, `absent`, or `unknown`.
        values: columns of the answer; empty when there is none, or when it is absent.
        reason: why there is no answer; None when there is one.
    """

    state: str
    values: dict[str, Any] = field(default_factory=dict)
    reason: str | None = None

    @property
    def is_answer(self) -> bool:
        """Whether the API answered, if only by no longer listing it."""
        return self.reason is None

    def same(self, other: Said | None, columns: Sequence[str]) -> bool:
        """Whether both are answers that agree in state and in these columns."""
        return (
            other is not None
            and self.is_answer
            and other.is_answer
            and self.state == other.state
            and all(self.values.get(c) == other.values.get(c) for c in columns)
        )


@dataclass(frozen=True)
class Snapshot:
    """A dataset as one poll left it.

    Attributes:
        poll: with its id in the ledger.
        is_good: whether the poll answered about the dataset.
        now: every entity that was ever mentioned: what this poll, or for what it did not concern
            an earlier one, says of it.
        answered: every entity that was ever answered: its last answer, `absent` included.
        listed: every entity that was ever listed: its last answer but `absent`, and that poll.
        answered_in: the poll of the last answer.
        mentioned: what this poll is about.
    """

    poll: Poll
    is_good: bool
    now: dict[Key, Said]
    answered: dict[Key, Said]
    listed: dict[Key, tuple[Said, Poll]]
    answered_in: dict[Key, Poll]
    mentioned: frozenset[Key]


def silence_reason(poll: Poll) -> str:
    """Why a poll as a whole has no answer."""
    parts = [str(part) for part in (poll.error_code, poll.error_name) if part is not None]
    return " ".join(parts) or "no_answer"


def tell(polls: Sequence[Poll], name: str) -> list[Snapshot]:
    """One snapshot for each poll that concerns the dataset, failed and skipped ones included."""
    story: list[Snapshot] = []
    for poll in polls:
        before = story[-1] if story else Snapshot(poll, False, {}, {}, {}, {}, frozenset())
        if poll.outcome in ("ok", "partial"):
            if name in poll.answers:
                story.append(_good(poll, name, before))
        elif poll.feed == PRIMARY_FEED[name]:
            reason = silence_reason(poll)
            story.append(
                Snapshot(
                    poll,
                    False,
                    {key: Said("unknown", {}, reason) for key in before.now},
                    before.answered,
                    before.listed,
                    before.answered_in,
                    frozenset(),
                )
            )
    return story


def _good(poll: Poll, name: str, before: Snapshot) -> Snapshot:
    dataset, answers = DATASETS[name], poll.answers[name]
    now, answered = dict(before.now), dict(before.answered)
    listed, answered_in = dict(before.listed), dict(before.answered_in)
    mentioned: set[Key] = set()
    for row in answers.frame.iter_rows(named=True):
        key = tuple(row[column] for column in dataset.keys)
        said = Said(row["state"], {c: row[c] for c in (*dataset.values, *dataset.extras)})
        now[key] = answered[key] = said
        listed[key], answered_in[key] = (said, poll), poll
        mentioned.add(key)
    for reason, keys in answers.gaps.items():
        for key in keys:
            now[key] = Said("unknown", {}, reason)
            mentioned.add(key)
    if answers.complete:
        for key in [key for key in now if key not in mentioned]:
            if key in answered:
                now[key] = answered[key] = Said("absent")
                answered_in[key] = poll
                mentioned.add(key)
            else:
                # Only ever asked in vain, and no longer asked: nothing is known of it.
                del now[key]
    return Snapshot(poll, True, now, answered, listed, answered_in, frozenset(mentioned))
