"""What a feed brings back from the API, before the collector makes a poll of it.

Owns the shape between a feed module (chains.py, fees.py, ...) and the collector, and how a failed
call becomes a reason that is stored. Does no IO.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from ccpay_io.errors import ApiError, UndocumentedCode, WrongShape
from ccpay_io.feeds.poll import Answers
from ccpay_io.models import Drift, Key
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
    def nameless(self) -> int:
        """Number of items of the list that could not be read, their keys included."""
        if self.listed is None:
            return 0
        named = next(iter(self.answers.values()))
        return self.listed - len(named.frame) - named.unknown

    @property
    def nothing_answered(self) -> bool:
        """Whether something was asked, or listed, and nothing at all could be read."""
        answered = sum(len(answers.frame) for answers in self.answers.values())
        return answered == 0 and (self.unknown > 0 or self.nameless > 0)

    def failure(self, endpoint: str) -> ApiError | None:
        """What went wrong: the most frequent failure, or that nothing could be read."""
        if self.error is None and self.nothing_answered:
            return WrongShape(endpoint, "nothing of what was asked for can be read in the answer")
        return self.error

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
    """What deviated from the contract in answers that are none, each deviation once."""
    found: dict[tuple[str, str, str], Drift] = {}
    for error in errors:
        for one in _deviations(error):
            found.setdefault((one.path, one.kind, one.value), one)
    return tuple(found.values())


def _deviations(error: ApiError) -> tuple[Drift, ...]:
    if isinstance(error, UndocumentedCode):
        code = str(error.code)
        return (Drift(error.endpoint, "code", "unknown_code", code, None, str(error)[:500]),)
    if isinstance(error, WrongShape):
        whole = Drift(error.endpoint, "data", "bad_value", str(error)[:100], None, "")
        return error.drift or (whole,)
    return ()


def folded(word: str) -> str:
    """A word of the API as it is compared: without regard to case and spaces."""
    return "".join(word.split()).casefold()


def undocumented(
    endpoint: str, path: str, seen: Iterable[tuple[str, Key | None, str]]
) -> tuple[Drift, ...]:
    """One report per status that nobody has documented, with the first entity that has it.

    Args:
        endpoint: that was asked.
        path: of the status in the answer.
        seen: (status, key of the entity, the entity in words).
    """
    first: dict[str, tuple[Key | None, str]] = {}
    for word, key, entity in seen:
        first.setdefault(word, (key, entity))
    return tuple(
        Drift(
            endpoint, path, "unknown_enum", word[:100], key, f"{entity} has status {word!r}"[:500]
        )
        for word, (key, entity) in first.items()
    )


def drift_gaps(drift: tuple[Drift, ...], width: int) -> dict[str, list[tuple[object, ...]]]:
    """The entities that were listed but whose item could not be read exactly: unknown, not absent.

    Args:
        drift: of a list answer.
        width: number of key columns of the dataset; items whose key is unreadable have none.
    """
    unreadable = ("bad_value", "missing_field", "duplicate")
    keys = {d.key for d in drift if d.kind in unreadable and d.key and len(d.key) == width}
    return {"drift": sorted(keys, key=repr)} if keys else {}
