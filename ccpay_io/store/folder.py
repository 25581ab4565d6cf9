"""A folder as the store of a warehouse: lock, private file, publication.

Owns the folder of one warehouse, the lock that serializes its writers, and how the private file is
opened, published and closed. Does not know polls. Called by writer.py.

    <root>/private/warehouse.duckdb   the writers' file; nobody else opens it
    <root>/private/writer.lock        flock: one writer at a time, processes and threads alike
    <root>/ccpay.duckdb, versions/    what readers open (publication.py)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import duckdb
from filelock import FileLock, Timeout

from ccpay_io.errors import WarehouseLocked
from ccpay_io.feeds.poll import utc_now
from ccpay_io.store.atomic import atomic
from ccpay_io.store.compaction import drop_deleted_rows
from ccpay_io.store.disk import clear_errors
from ccpay_io.store.engine import attached
from ccpay_io.store.export import refresh_export
from ccpay_io.store.publication import publish_copy, stable_path
from ccpay_io.store.schema import apply_schema, check_stamp

LOCK_TIMEOUT_S = 120.0
PUBLISH_EVERY = timedelta(minutes=5)

T = TypeVar("T")


class FolderStorage:
    """A warehouse folder, for writing.

    Args:
        root: the folder; created when something is written.
        stamp: the environment whose data it holds.
        keep_versions: published versions that stay.
        step: told the name of each step just before it is taken.
    """

    def __init__(
        self, root: Path, stamp: str, keep_versions: int, step: Callable[[str], None]
    ) -> None:
        self._root, self._stamp, self._keep, self._step = root, stamp, keep_versions, step
        self._private = private_path(root)

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
            self._step("commit")

    def run(self, work: Callable[[duckdb.DuckDBPyConnection], T]) -> T:
        """Calls `work` in a transaction; alone as it is, it need never be done again."""
        with self.transaction() as con:
            return work(con)

    def publish(self, *, force: bool) -> Path | None:
        """Publishes a new version if the last is five minutes old, or at once with `force`.

        Returns:
            The new version, or None when it was not due.
        """
        if not (force or self._is_due()):
            return None
        with self._locked():
            with self._open() as con:
                drop_deleted_rows(con)
                con.execute("CHECKPOINT")
            version = publish_copy(self._private, self._root, keep=self._keep, step=self._step)
        refresh_export(self._root, self._step)
        return version

    def exists(self) -> bool:
        """Whether there is a warehouse in the folder."""
        return self._private.exists()

    @contextmanager
    def settled(self) -> Iterator[None]:
        """Holds the writers' lock while the private file is whole, closed and without a log.

        For copying or replacing it. Where there is no private file, none is made.

        Raises:
            WarehouseLocked, WrongEnvironment, WarehouseError: as for `transaction`.
        """
        with self._locked():
            if self._private.exists():
                with self._open() as con:
                    con.execute("CHECKPOINT")
            yield

    def _is_due(self) -> bool:
        try:
            age = utc_now().timestamp() - stable_path(self._root).stat().st_mtime
        except FileNotFoundError:
            return True
        return not 0 <= age < PUBLISH_EVERY.total_seconds()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Holds the writers' lock. A new FileLock each time: threads exclude each other too."""
        with clear_errors(self._root):
            self._private.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = FileLock(self._private.parent / "writer.lock", timeout=LOCK_TIMEOUT_S)
            try:
                lock.acquire()
            except Timeout:
                raise WarehouseLocked(
                    f"another writer has held {self._root} for {LOCK_TIMEOUT_S:.0f} s",
                    hint="look for a hanging ccpay or Dagster process and stop it",
                ) from None
            try:
                yield
            finally:
                lock.release()

    @contextmanager
    def _open(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Opens the private file with the schema of this release, and closes it."""
        with attached(self._private) as con:
            if apply_schema(con, self._root):
                # Or each opening before the next publication would make all of it again, from the
                # log.
                con.execute("CHECKPOINT")
            check_stamp(con, self._stamp, str(self._root))
            yield con


def private_path(root: Path) -> Path:
    """The writers' file of a warehouse folder."""
    return root / "private" / "warehouse.duckdb"
