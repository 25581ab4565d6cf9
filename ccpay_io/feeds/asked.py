"""What a feed brings back from the API, before the collector makes a poll of it.

Owns the shape between a feed module (chains.py, fees.py, ...) and the collector, and how a failed
call becomes a reason that is stored. Does no IO.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ccpay_io.errors import ApiError, WrongShape
from ccpay_io.feeds.poll import Answers
from ccpay_io.models import Drift
from ccpay_io.store.datasets import DATASETS, Dataset


@dataclass(frozen=True)
class Asked:
    """Everything that one poll learned.

    Attributes:
        answers: dataset name -> answers.
        listed: length of the list that the API served; None for feeds that are not one list.
        drift: deviations from the documented contract.
        error: the most frequent failure among entities that have no answer, if any.
        cut_off: whether the deadline came before anything was learned.
    """

    answers: Mapping[str, Answers]
    listed: int | None = None
    drift: tuple[Drift, ...] = ()
    error: ApiError | None = None
    cut_off: bool = False

    @property
    def unknown(self) -> int:
        """Number of entities in scope without an answer."""
        return sum(answers.unknown for answers in self.answers.values())

    @property
    def nothing_answered(self) -> bool:
        """Whether something was asked and nothing at all was answered."""
        answered = sum(len(answers.frame) for answers in self.answers.values())
        return self.unknown > 0 and answered == 0

    @property
    def content_hash(self) -> str:
        """sha256 of the canonical content: keys, states and compared values, in key order."""
        return _hash(self.answers, lambda dataset: [*dataset.keys, "state", *dataset.values])

    @property
    def membership_hash(self) -> str:
        """sha256 of what the list names, at whatever value: prices and rates move all the time."""
        name = next(iter(self.answers))
        return _hash({name: self.answers[name]}, lambda dataset: list(dataset.keys))


def _hash(answers: Mapping[str, Answers], columns_of: Callable[[Dataset], list[str]]) -> str:
    digest = hashlib.sha256()
    for name, found in answers.items():
        dataset = DATASETS[name]
        frame = found.frame.select(columns_of(dataset)).sort(list(dataset.keys))
        digest.update(f"{name}\n{frame.write_csv()}".encode())
    return digest.hexdigest()


def reason_of(error: ApiError) -> str:
    """The `unknown_reason` that is stored for a failure: "11004 RateLimit", "TimedOut"."""
    return error.name if error.code is None else f"{error.code} {error.name}"


def drift_of(*errors: ApiError) -> tuple[Drift, ...]:
    """What deviated from the contract in answers that could not be read, each deviation once."""
    found: dict[tuple[str, str, str], Drift] = {}
    for error in errors:
        if isinstance(error, WrongShape):
            whole = Drift(error.endpoint, "data", "bad_value", str(error)[:100], None, "")
            for one in error.drift or (whole,):
                found.setdefault((one.path, one.kind, one.value), one)
    return tuple(found.values())


def drift_gaps(drift: tuple[Drift, ...], width: int) -> dict[str, list[tuple[object, ...]]]:
    """The entities that were listed but whose item could not be read exactly: unknown, not absent.

    Args:
        drift: of a list answer.
        width: number of key columns of the dataset; items whose key is unreadable have none.
    """
    unreadable = ("bad_value", "missing_field", "duplicate")
    keys = {d.key for d in drift if d.kind in unreadable and d.key and len(d.key) == width}
    return {"drift": sorted(keys, key=repr)} if keys else {}
