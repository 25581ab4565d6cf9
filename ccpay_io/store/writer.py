"""The warehouse as its writers see it: one transaction per poll, whatever it is stored in.

Owns the order of steps in a commit. Does not ask the API, does not judge alerts (it calls the
function it is given inside the transaction), holds no SQL of its own datasets (stretches.py,
ledger.py), and knows neither files nor locks: those are folder.py's, or lake/storage.py's. Called
by the collector, by alert delivery and by the admin commands. Raw answers lie in <root>/raw/
(raw.py), on the machine that asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

import duckdb

from ccpay_io.errors import ConfigError
from ccpay_io.feeds.poll import Poll
from ccpay_io.store.datasets import PRIMARY_FEED
from ccpay_io.store.events import Numbered
from ccpay_io.store.folder import FolderStorage, private_path
from ccpay_io.store.lake.address import Lake
from ccpay_io.store.lake.storage import LakeStorage
from ccpay_io.store.ledger import Totals, number_polls, write_ledger
from ccpay_io.store.missing import remember_missing
from ccpay_io.store.ready import refresh_ready
from ccpay_io.store.stretches import Written, write_dataset


class Evaluation(Protocol):
    """What judging a poll led to: how many notices were written, and whether to ask again soon."""

    @property
    def new_notices(self) -> int:
        """Alert notices that were written."""

    @property
    def confirm(self) -> bool:
        """Whether to ask the API again within seconds."""


Evaluate = Callable[[duckdb.DuckDBPyConnection, Poll], Evaluation]


@dataclass(frozen=True)
class Committed:
    """What became of a poll that was handed to `Warehouse.commit`.

    Attributes:
        poll_id: the id in the ledger.
        totals: changed, refused and unknown entities.
        new: False when this very poll was in the store already and nothing was written.
        new_notices: alert notices written in the same transaction.
        confirm: whether the alert engine wants to be asked again within seconds.
    """

    poll_id: int
    totals: Totals
    new: bool = True
    new_notices: int = 0
    confirm: bool = False


class Warehouse:
    """A warehouse, for writing.

    Args:
        root: the folder of this machine; created when something is written.
        stamp: the environment whose data it holds ("sandbox", "live ccpayment.com").
        lake: where the data is, when it is not in the folder.
        keep_versions: published versions that stay.
        on_step: told the name of each step just before it is taken; crash tests kill there.

    Attributes:
        place: what readers open: the folder, or the lake.
        step: the function that is told of steps, for those who write in a transaction of this
            warehouse.
    """

    def __init__(
        self,
        root: Path,
        stamp: str,
        *,
        lake: Lake | None = None,
        keep_versions: int = 5,
        on_step: Callable[[str], None] = lambda name: None,
    ) -> None:
        self.root = root
        self.stamp = stamp
        self.place: Path | Lake = lake or root
        self.step = on_step
        self._storage = (
            LakeStorage(lake, root, stamp, on_step)
            if lake
            else FolderStorage(root, stamp, keep_versions, on_step)
        )

    @property
    def private(self) -> Path:
        """The writers' file.

        Raises:
            ConfigError: it is a lake, which has none.
        """
        self.files()
        return private_path(self.root)

    def exists(self) -> bool:
        """Whether something was ever written.

        Raises:
            WarehouseError: the lake cannot be reached.
        """
        return self._storage.exists()

    def transaction(self) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        """One transaction, alone; commits unless the body raises.

        Raises:
            WarehouseLocked: another writer held the lock for two minutes.
            WrongEnvironment: it holds another environment's data.
            WarehouseError: the disk is full or read-only, the file is damaged, or the lake cannot
                be reached.
        """
        return self._storage.transaction()

    def commit(self, polls: Sequence[Poll], *, evaluate: Evaluate | None = None) -> list[Committed]:
        """Stores whole polls in one transaction: ledger, observations, current values, alerts.

        A poll that is in the store already changes nothing.

        Args:
            polls: usually one; the demo and the benchmarks hand over batches.
            evaluate: the alert engine, called for each new poll inside the transaction; on a lake
                the transaction may be done again, and with it the call.
        """
        self.step("begin")
        committed = self._storage.run(partial(self._commit, polls, evaluate))
        self.step("committed")
        return committed

    def publish(self, *, force: bool = False) -> Path | None:
        """Publishes a new version if the last is five minutes old, or at once with `force`.

        Returns:
            The new version; None when it was not due, or on a lake, whose readers see every commit.
        """
        return self._storage.publish(force=force)

    def settled(self) -> AbstractContextManager[None]:
        """Holds the writers' lock while the private file is whole, closed and without a log.

        For copying or replacing it. Where there is no private file, none is made.

        Raises:
            ConfigError: it is a lake.
            WarehouseLocked, WrongEnvironment, WarehouseError: as for `transaction`.
        """
        return self.files().settled()

    def files(self) -> FolderStorage:
        """The folder that the warehouse is.

        Raises:
            ConfigError: it is a lake.
        """
        if isinstance(self._storage, LakeStorage):
            raise ConfigError(
                "this is about the files of a warehouse folder; this warehouse is a lake",
                hint="`ccpay admin migrate` makes a folder; docs/scaling.md has a lake's own care",
            )
        return self._storage

    def _commit(
        self, polls: Sequence[Poll], evaluate: Evaluate | None, con: duckdb.DuckDBPyConnection
    ) -> list[Committed]:
        # The alert engine reads the current tables as each single poll leaves them.
        portions = [[poll] for poll in polls] if evaluate else [polls] if polls else []
        return [row for part in portions for row in self._store(con, part, evaluate)]

    def _store(
        self, con: duckdb.DuckDBPyConnection, polls: Sequence[Poll], evaluate: Evaluate | None
    ) -> list[Committed]:
        numbered = number_polls(con, polls)
        new = [entry for entry in numbered if entry]
        self.step("observations")
        written = {name: write_dataset(con, name, entries) for name, entries in _by_dataset(new)}
        stored = {entry.poll_no: _totals(entry, written) for entry in new}
        for entry in new:
            moved = any(of[entry.poll_no].membership_changed
                        for of in written.values() if entry.poll_no in of)  # fmt: skip
            remember_missing(con, entry.poll, membership_changed=moved)
        self.step("ledger")
        write_ledger(con, [(entry, stored[entry.poll_no]) for entry in new])
        if new:
            refresh_ready(con, {entry.poll.feed for entry in new})
        self.step("alerts")
        return [
            self._judged(con, entry, stored[entry.poll_no], evaluate)
            if entry
            else Committed(poll.poll_id, Totals(), new=False)
            for poll, entry in zip(polls, numbered, strict=True)
        ]

    def _judged(
        self,
        con: duckdb.DuckDBPyConnection,
        entry: Numbered,
        totals: Totals,
        evaluate: Evaluate | None,
    ) -> Committed:
        verdict = evaluate(con, entry.poll) if evaluate else None
        return Committed(
            entry.poll.poll_id,
            totals,
            new_notices=verdict.new_notices if verdict else 0,
            confirm=bool(verdict and verdict.confirm),
        )


def _by_dataset(entries: Sequence[Numbered]) -> Iterator[tuple[str, list[Numbered]]]:
    """Each dataset that these polls say something about, with the polls of its feeds."""
    for name, primary in PRIMARY_FEED.items():
        about = [e for e in entries if name in e.poll.answers or e.poll.feed == primary]
        if about:
            yield name, about


def _totals(entry: Numbered, written: Mapping[str, Mapping[int, Written]]) -> Totals:
    answers = entry.poll.answers.values()
    frames = [answer.frame["state"] for answer in answers]
    return Totals(
        changed=sum(of[entry.poll_no].changed for of in written.values() if entry.poll_no in of),
        refused=sum(int((states == "refused").sum()) for states in frames),
        unknown=sum(answer.unknown for answer in answers),
    )
