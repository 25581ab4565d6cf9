"""DuckDB itself, kept between two uses of it: `with attached(file) as con:`.

Owns how the pipeline itself opens a file and lets it go. Not the lock around that, nor what is done
with the file; how people's queries get theirs, locked down, is reading.py. Called by folder.py for
the private file, by export.py for what was just published, by `ccpay watch` between its looks.

Starting DuckDB and attaching the first file costs 60 to 80 ms, attaching the next one 14, and a
poll opens its file three times. So an engine that let its file go without trouble waits here,
empty, for the next use in this process. It is in memory only, holds no file, and each use has a
connection of its own: nothing of one is seen by the next.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import duckdb

_BLOCK_BYTES = 65536

# As many as were in use at the same time, which is one for each thread that writes.
_idle: deque[duckdb.DuckDBPyConnection] = deque()


@contextmanager
def attached(file: Path, *, read_only: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with this file as its database, created if it is not there; lets it go again.

    Attached rather than connected to: only ATTACH takes the storage version, and v1.0.0 is what
    every DuckDB from 1.0 on, and today's BI drivers, can read.
    """
    engine = _taken()
    try:
        with closing(engine.cursor()) as con:
            path = str(file).replace("'", "''")
            how = "READ_ONLY" if read_only else "STORAGE_VERSION 'v1.0.0'"
            con.execute(f"ATTACH '{path}' AS warehouse ({how})")
            con.execute("USE warehouse; SET TimeZone = 'UTC'")
            yield con
            _let_go(con)
    except BaseException:
        # After some errors, a full disk among them, DuckDB does nothing more until it is restarted.
        engine.close()
        raise
    _idle.append(engine)


def stop_idle() -> None:
    """Ends the engines that wait, for a process that now sleeps: each keeps up to 50 MB."""
    with suppress(IndexError):
        while True:
            _idle.pop().close()


def _let_go(con: duckdb.DuckDBPyConnection) -> None:
    """Detaches the file, and what else was attached beside it."""
    con.execute("USE memory")
    for (name,) in con.execute(
        "SELECT database_name FROM duckdb_databases() WHERE NOT internal AND path IS NOT NULL"
    ).fetchall():
        con.execute(f'DETACH "{name}"')


def _taken() -> duckdb.DuckDBPyConnection:
    try:
        return _idle.pop()
    except IndexError:
        engine = duckdb.connect()
        engine.execute("SET threads = 1")
        # What a commit wrote to the log is moved into the file at the next publication, not each
        # time the file is let go: rewriting blocks for every poll of the watch would be most of
        # what this product writes in a day.
        engine.execute("PRAGMA disable_checkpoint_on_shutdown")
        # Of new files. Each table takes a block at least, here and in every checkpoint that it has
        # changed in, and most of ours hold a few hundred rows. In blocks still smaller, DuckDB
        # does not compress numbers any more.
        engine.execute(f"SET default_block_size = {_BLOCK_BYTES}")
        return engine
