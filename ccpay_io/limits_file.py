"""The limits file: what all processes of an account know together about how much they may ask.

Owns one small SQLite file with a row per account, the transaction that excludes every other
process, and what a clock that was set back does to the times in it. Knows nothing of what they
mean: pacing.py and quota.py do.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import tempfile
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ccpay_io.errors import WarehouseError

# Processes read the clock at slightly different moments; more than this backwards is a jump.
CLOCK_SLACK_S = 1.0

# Column -> type and what a new account has. A file of an earlier release gets what it lacks.
_COLUMNS = {
    "rate": "REAL DEFAULT 0",
    "learned": "REAL",
    "next_slot": "REAL DEFAULT 0",
    "hold_until": "REAL DEFAULT 0",
    "probed_at": "REAL DEFAULT 0",
    "seen_at": "REAL DEFAULT 0",
    "pressed": "INTEGER DEFAULT 0",
    "streak": "INTEGER DEFAULT 0",
    "day": "TEXT DEFAULT ''",
    "used": "INTEGER DEFAULT 0",
    "quota_day": "TEXT DEFAULT ''",
    "breaker_since": "REAL",
    "reset_s": "REAL DEFAULT 0",
    "quota": "INTEGER",
    "quota_probed_at": "REAL DEFAULT 0",
}
_TIMES = ("next_slot", "hold_until", "probed_at", "seen_at", "quota_probed_at")


class LimitsFile:
    """The row of one account.

    Args:
        path: the file, shared by all processes.
        credentials_key: what identifies the account; only a hash of it is stored.
        start_rps: the pace of an account that is new here.
        now: seconds since the epoch.
    """

    def __init__(
        self, path: Path, credentials_key: str, start_rps: float, now: Callable[[], float]
    ) -> None:
        self._path = path
        self._account = hashlib.sha256(credentials_key.encode()).hexdigest()[:16]
        self._start = start_rps
        self._now = now
        self._con: sqlite3.Connection | None = None
        self._alone = threading.Lock()

    @contextmanager
    def row(self, *, durable: bool = False) -> Iterator[Row]:
        """The account's row inside one transaction that excludes all other processes.

        Args:
            durable: written through to the disk; a lost count does no harm, a lost ban would.

        Raises:
            WarehouseError: the file cannot be used.
        """
        with self._alone:
            try:
                con = self._connected()
                con.execute(f"PRAGMA synchronous = {'FULL' if durable else 'OFF'}")
                con.execute("BEGIN IMMEDIATE")
                row = Row(self._read(con))
                try:
                    yield row
                finally:
                    # Also what was learned before a request was refused.
                    self._write(con, row.changes)
                    con.execute("COMMIT")
            except sqlite3.Error as error:
                self._forget()
                raise WarehouseError(
                    f"{self._path} cannot be used: {error}",
                    hint="if it is damaged, delete it: it holds the pace, today's count of"
                    " requests and whether a ban was seen",
                ) from error

    def _read(self, con: sqlite3.Connection) -> sqlite3.Row:
        select = "SELECT * FROM pace WHERE account = ?"
        found: sqlite3.Row | None = con.execute(select, [self._account]).fetchone()
        if found is None:
            con.execute("INSERT INTO pace (account, rate) VALUES (?, ?)",
                        [self._account, self._start])  # fmt: skip
        elif (jump := found["seen_at"] - self._now()) > CLOCK_SLACK_S:
            self._shift(con, jump)
        else:
            return found
        shifted: sqlite3.Row = con.execute(select, [self._account]).fetchone()
        return shifted

    def _shift(self, con: sqlite3.Connection, jump: float) -> None:
        """After the clock was set back: waits stay as long as they were, instead of the jump."""
        moved = ", ".join(f"{name} = {name} - ?1" for name in _TIMES)
        con.execute(f"UPDATE pace SET {moved} WHERE account = ?2", [jump, self._account])

    def _write(self, con: sqlite3.Connection, changes: dict[str, object]) -> None:
        if changes:
            assignments = ", ".join(f"{name} = ?" for name in changes)
            con.execute(
                f"UPDATE pace SET {assignments} WHERE account = ?",
                [*changes.values(), self._account],
            )

    def _forget(self) -> None:
        """The next use opens the file anew: this connection may never work again."""
        if self._con is not None:
            self._con.close()
            self._con = None

    def _connected(self) -> sqlite3.Connection:
        """One connection for the file's life: opening one costs more than parsing ten fees."""
        if self._con is None:
            if not self._path.exists():
                self._create()
            con = sqlite3.connect(
                self._path, timeout=10, isolation_level=None, check_same_thread=False
            )
            weakref.finalize(self, con.close)
            con.row_factory = sqlite3.Row
            con.execute("PRAGMA journal_mode = WAL")
            self._complete(con)
            self._con = con
        return self._con

    def _create(self) -> None:
        """An empty file that only its owner can read; SQLite gives its side files the same mode.

        Made under another name: who closes a file that this process has open in SQLite too takes
        all of SQLite's locks with it. Another process then believes that it is alone, removes the
        log when it ends, and each goes on counting for itself.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=self._path.parent, prefix=f".{self._path.name}-")
        os.close(handle)
        with suppress(FileExistsError):
            os.link(name, self._path)
        Path(name).unlink()

    def _complete(self, con: sqlite3.Connection) -> None:
        """Makes the table, or adds the columns that an earlier release did not have."""
        columns = ", ".join(f"{name} {kind}" for name, kind in _COLUMNS.items())
        con.execute("BEGIN IMMEDIATE")
        con.execute(f"CREATE TABLE IF NOT EXISTS pace (account TEXT PRIMARY KEY, {columns})")
        there = {column["name"] for column in con.execute("PRAGMA table_info(pace)")}
        for name, kind in _COLUMNS.items():
            if name not in there:
                con.execute(f"ALTER TABLE pace ADD COLUMN {name} {kind}")
        con.execute("COMMIT")


class Row:
    """The account's row in a transaction: read it, and `set` what is to be written at its end."""

    def __init__(self, found: sqlite3.Row) -> None:
        self._found = dict(found)
        self.changes: dict[str, object] = {}

    def number(self, name: str) -> float:
        """A number or moment; 0 where there is none."""
        return float(self._found[name] or 0)

    def known(self, name: str) -> float | None:
        """A number that may be unknown."""
        value = self._found[name]
        return None if value is None else float(value)

    def text(self, name: str) -> str:
        """A text."""
        return str(self._found[name])

    def set(self, **values: object) -> None:
        """Changes columns, for the rest of the transaction and for everybody after it."""
        self._found |= values
        self.changes |= values
