"""The engine that opens writers' files: used again, without a trace of what was before."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from ccpay_io.store import engine
from ccpay_io.store.engine import attached


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file with one table."""
    path = tmp_path / "a.duckdb"
    with attached(path) as con:
        con.execute("CREATE TABLE t AS SELECT 1 AS x")
    return path


def test_nothing_of_one_use_is_seen_by_the_next(file: Path) -> None:
    """Temporary tables, variables and the time zone end with the use that made them."""
    with attached(file) as con:
        con.execute(
            "CREATE TEMP TABLE mine AS SELECT 1; SET VARIABLE v = 1; SET TimeZone = 'Asia/Tokyo'"
        )
    with attached(file) as con:
        tables = con.execute("SELECT table_name FROM duckdb_tables()").fetchall()
        assert tables == [("t",)]
        zone = con.execute("SELECT getvariable('v'), current_setting('TimeZone')").fetchone()
        assert zone == (None, "UTC")


def test_what_was_attached_beside_it_is_let_go_too(file: Path, tmp_path: Path) -> None:
    """Another file that a use attached is free afterwards."""
    other = tmp_path / "other.duckdb"
    with attached(other) as con:
        con.execute(f"ATTACH '{file}' AS beside (READ_ONLY)")
        con.execute("CREATE TABLE t AS FROM beside.t")
    with attached(file) as con:
        con.execute("INSERT INTO t VALUES (2)")


def test_new_files_have_small_blocks_and_old_ones_keep_theirs(file: Path, tmp_path: Path) -> None:
    """What was made with DuckDB's 256 KB opens as before."""
    old = tmp_path / "old.duckdb"
    with duckdb.connect(str(old)) as con:
        con.execute("CREATE TABLE t AS SELECT 1 AS x")
    sizes = "SELECT block_size FROM pragma_database_size() WHERE database_name = 'warehouse'"
    found = {}
    for path in (file, old):
        with attached(path) as con:
            con.execute("INSERT INTO t VALUES (2)")
            found[path] = con.execute(sizes).fetchone()

    assert found == {file: (65_536,), old: (262_144,)}


def test_the_log_stays_when_a_file_is_let_go(file: Path) -> None:
    """Letting a file go rewrites no block of it; what was committed is there for the next."""
    with attached(file) as con:
        con.execute("CHECKPOINT")
    before = file.read_bytes()
    with attached(file) as con:
        con.execute("INSERT INTO t VALUES (2)")
    assert file.read_bytes() == before
    assert file.with_name(file.name + ".wal").stat().st_size > 0
    with attached(file) as con:
        assert con.execute("SELECT sum(x) FROM t").fetchone() == (3,)


def test_another_process_writes_in_between(file: Path) -> None:
    """A file that was let go is free, and what others wrote is seen at the next use."""
    write = "import duckdb, sys; duckdb.connect(sys.argv[1]).execute('INSERT INTO t VALUES (5)')"
    subprocess.run([sys.executable, "-c", write, str(file)], check=True)
    with attached(file) as con:
        assert con.execute("SELECT sum(x) FROM t").fetchone() == (6,)


def test_an_engine_with_an_error_is_not_used_again(file: Path, tmp_path: Path) -> None:
    """After an error, also one in the middle of a transaction, the next use has a new engine."""
    with pytest.raises(duckdb.ConversionException), attached(file) as con:
        con.execute("BEGIN; INSERT INTO t VALUES (7); SELECT 'no number'::INT")
    with pytest.raises(duckdb.Error), attached(tmp_path):
        raise AssertionError("a folder is no database")
    with attached(file) as con:
        assert con.execute("SELECT sum(x) FROM t").fetchone() == (1,)


def test_a_process_that_sleeps_keeps_no_engine(file: Path) -> None:
    """What waits can be ended; the next use starts anew."""
    with attached(file):
        pass
    assert engine._idle  # noqa: SLF001 - nothing else shows that an engine waits
    engine.stop_idle()
    assert not engine._idle  # noqa: SLF001
    with attached(file) as con:
        assert con.execute("SELECT x FROM t").fetchone() == (1,)
