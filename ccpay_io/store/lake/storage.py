"""A lake as the store of a warehouse: turns, schema, transactions that are done again.

Owns the order of these. Publishes nothing: a reader of a lake sees each commit at once, and whole.
Does not know polls. Called by writer.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

import duckdb

from ccpay_io.errors import NothingPublished
from ccpay_io.store.atomic import atomic
from ccpay_io.store.disk import clear_errors
from ccpay_io.store.lake.address import Lake
from ccpay_io.store.lake.conflicts import again
from ccpay_io.store.lake.connection import Opened, cursor, forget, opened
from ccpay_io.store.lake.turns import turn
from ccpay_io.store.schema import applied_names, apply_schema, check_stamp

T = TypeVar("T")


class LakeStorage:
    """The lake of a warehouse, for writing.

    Args:
        lake: where it is.
        root: this machine's own folder, where raw answers lie.
        stamp: the environment whose data it holds.
        step: told the name of each step just before it is taken.
    """

    def __init__(self, lake: Lake, root: Path, stamp: str, step: Callable[[str], None]) -> None:
        self._lake, self._root, self._stamp, self._step = lake, root, stamp, step

    @contextmanager
    def transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """One transaction, in its turn; commits unless the body raises.

        Raises:
            WarehouseLocked: others had their turn for two minutes.
            WrongEnvironment: the lake holds another environment's data.
            WarehouseError: the catalog or the data cannot be reached or written.
        """
        with clear_errors(str(self._lake)), ExitStack() as stack:
            con = again(partial(self._begin, stack), cut_off=self._forget)
            with self._committed(con):
                yield con

    def run(self, work: Callable[[duckdb.DuckDBPyConnection], T]) -> T:
        """The same for a body that is done again when another transaction came between.

        Args:
            work: of which a repetition changes nothing, as of a commit of polls.
        """

        def once() -> T:
            with ExitStack() as stack:
                con = self._begin(stack)
                with self._committed(con):
                    return work(con)

        with clear_errors(str(self._lake)):
            return again(once, cut_off=self._forget)

    def publish(self, *, force: bool) -> None:
        """Nothing to do: every commit is seen at once."""

    def exists(self) -> bool:
        """Whether there is a warehouse in the lake."""
        try:
            opened(self._lake, read_only=True)
        except NothingPublished:
            return False
        return True

    @contextmanager
    def _committed(self, con: duckdb.DuckDBPyConnection) -> Iterator[None]:
        with atomic(con):
            yield
            self._step("commit")

    def _begin(self, stack: ExitStack) -> duckdb.DuckDBPyConnection:
        """A connection to a lake of this release's shape, in the writer's turn."""
        with ExitStack() as begun:
            found = opened(self._lake, read_only=False)
            begun.enter_context(turn(found, str(self._lake)))
            con = begun.enter_context(cursor(found))
            self._shape(con, found)
            stack.enter_context(begun.pop_all())
        return con

    def _shape(self, con: duckdb.DuckDBPyConnection, found: Opened) -> None:
        """Brings the lake to the schema of this release, if it is not known to have it.

        Looked up for each transaction: another machine may have a newer release by now.
        """
        if found.shape is None or found.shape != (applied_names(con), self._stamp):
            apply_schema(con, self._root)
            check_stamp(con, self._stamp, str(self._lake))
            found.shape = applied_names(con), self._stamp

    def _forget(self) -> None:
        forget(self._lake, read_only=False)
