"""The warehouse as its writers see it: lock, private file, one transaction per poll, publication.

Owns the folder of one warehouse, the lock that serializes writers, and the order of steps in a
commit. Does not ask the API, does not judge alerts (it calls the function it is given inside the
transaction), holds no SQL of its own datasets (stretches.py, ledger.py). Called by the
collector, by alert delivery and by the admin commands.

    <root>/private/warehouse.duckdb   the writers' file; nobody else opens it
    <root>/private/writer.lock        flock: one writer at a time, processes and threads alike
    <root>/ccpay.duckdb, versions/    what readers open (publication.py)
    <root>/raw/                       raw answers (raw.py)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Protocol

import duckdb
from filelock import FileLock, Timeout

from ccpay_io.errors import WarehouseLocked, WrongEnvironment
from ccpay_io.feeds.poll import Poll, utc_now
from ccpay_io.store.atomic import atomic
from ccpay_io.store.datasets import PRIMARY_FEED
from ccpay_io.store.disk import clear_errors
from ccpay_io.store.engine import attached
from ccpay_io.store.events import Numbered
from ccpay_io.store.export import refresh_export
from ccpay_io.store.ledger import Totals, number_polls, write_ledger
from ccpay_io.store.missing import remember_missing
from ccpay_io.store.publication import publish_copy, stable_path
from ccpay_io.store.ready import refresh_ready
from ccpay_io.store.schema import apply_schema
from ccpay_io.store.stretches import Written, write_dataset

LOCK_TIMEOUT_S = 120.0
PUBLISH_EVERY = timedelta(minutes=5)


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
    """A warehouse folder, for writing.

    Args:
        root: the folder; created when something is written.
        stamp: the environment whose data it holds ("sandbox", "live ccpayment.com").
        keep_versions: published versions that stay.
        on_step: told the name of each step just before it is taken; crash tests kill there.

    Attributes:
        step: that function, for those who write in a transaction of this warehouse.
    """

    def __init__(
        self,
        root: Path,
        stamp: str,
        *,
        keep_versions: int = 5,
        on_step: Callable[[str], None] = lambda name: None,
    ) -> None:
        self.root = root
        self.stamp = stamp
        self._keep = keep_versions
        self.step = on_step

    @property
    def private(self) -> Path:
        """The writers' file."""
        return self.root / "private" / "warehouse.duckdb"

    @contextmanager
    def transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """One transaction on the private file, alone; commits unless the body raises.

        Raises:
            WarehouseLocked: another writer held the lock for two minutes.
            WrongEnvironment: the folder holds another environment's data.
            WarehouseError: the disk is full or read-only, or the file is damaged.
        """
        with self._locked(), self._open() as con, atomic(con):
            yield con
            self.step("commit")

    def commit(self, polls: Sequence[Poll], *, evaluate: Evaluate | None = None) -> list[Committed]:
        """Stores whole polls in one transaction: ledger, observations, current values, alerts.

        A poll that is in the store already changes nothing.

        Args:
            polls: usually one; the demo and the benchmarks hand over batches.
            evaluate: the alert engine, called for each new poll inside the transaction.
        """
        self.step("begin")
        with self.transaction() as con:
            # The alert engine reads the current tables as each single poll leaves them.
            portions = [[poll] for poll in polls] if evaluate else [polls] if polls else []
            committed = [row for part in portions for row in self._store(con, part, evaluate)]
        self.step("committed")
        return committed

    def publish(self, *, force: bool = False) -> Path | None:
        """Publishes a new version if the last is five minutes old, or at once with `force`.

        Returns:
            The new version, or None when it was not due.
        """
        if not (force or self._is_due()):
            return None
        with self._locked():
            with self._open() as con:
                con.execute("CHECKPOINT")
            version = publish_copy(self.private, self.root, keep=self._keep, step=self.step)
        refresh_export(self.root, self.step)
        return version

    @contextmanager
    def settled(self) -> Iterator[None]:
        """Holds the writers' lock while the private file is whole, closed and without a log.

        For copying or replacing it. Where there is no private file, none is made.

        Raises:
            WarehouseLocked, WrongEnvironment, WarehouseError: as for `transaction`.
        """
        with self._locked():
            if self.private.exists():
                with self._open() as con:
                    con.execute("CHECKPOINT")
            yield

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

    def _is_due(self) -> bool:
        try:
            age = utc_now().timestamp() - stable_path(self.root).stat().st_mtime
        except FileNotFoundError:
            return True
        return not 0 <= age < PUBLISH_EVERY.total_seconds()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Holds the writers' lock. A new FileLock each time: threads exclude each other too."""
        with clear_errors(self.root):
            self.private.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = FileLock(self.private.parent / "writer.lock", timeout=LOCK_TIMEOUT_S)
            try:
                lock.acquire()
            except Timeout:
                raise WarehouseLocked(
                    f"another writer has held {self.root} for {LOCK_TIMEOUT_S:.0f} s",
                    hint="look for a hanging ccpay or Dagster process and stop it",
                ) from None
            try:
                yield
            finally:
                lock.release()

    @contextmanager
    def _open(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Opens the private file with the schema of this release, and closes it."""
        with attached(self.private) as con:
            apply_schema(con, self.root)
            self._check_stamp(con)
            yield con

    def _check_stamp(self, con: duckdb.DuckDBPyConnection) -> None:
        row = con.execute("SELECT environment FROM store.stamp").fetchone()
        if row is None:
            con.execute("INSERT INTO store.stamp VALUES (?, now())", [self.stamp])
        elif row[0] != self.stamp:
            raise WrongEnvironment(
                f"{self.root} holds data of [{row[0]}], the settings say [{self.stamp}]",
                hint="point CCPAY_WAREHOUSE at another folder, or use the settings it belongs to",
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
