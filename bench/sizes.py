"""What lies on disk: the bytes of each part of a warehouse folder, and what was written meanwhile.

Owns how files are told apart (hot, sealed, roll-ups, raw answers, versions) and the counter of
written bytes. Does not open the warehouse for writing. Called by writing.py, hour.py and year.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import duckdb

_ROLL_UP = re.compile("daily|hourly")
_MONTH = re.compile(r"\d{4}-\d{2}(?!\d)")


def parts(root: Path, hot: Path) -> dict[str, int]:
    """Part -> bytes; the stable name of the newest version is the same file.

    Args:
        root: the warehouse folder.
        hot: its private file.
    """
    sealed = [path for path in (root / "sealed").rglob("*") if path.is_file()]
    roll_ups = [path for path in sealed if _ROLL_UP.search(path.name)]
    in_hot = _bytes_of_roll_ups(hot)
    return {
        "hot": hot.stat().st_size - in_hot,
        "sealed": _bytes(sealed) - _bytes(roll_ups),
        "roll-ups": _bytes(roll_ups) + in_hot,
        "raw answers": _bytes((root / "raw").rglob("*.zst")),
        "versions": _bytes((root / "versions").glob("*.duckdb")),
    }


def last_sealed_month(root: Path) -> str | None:
    """The newest month that a sealed file is named after ("2026-03"), or None."""
    months = [
        _MONTH.findall(str(p.relative_to(root))) for p in (root / "sealed").rglob("*.parquet")
    ]
    return max((found[-1] for found in months if found), default=None)


def used_bytes(path: Path) -> int:
    """Bytes of the blocks of a DuckDB file that hold something; a file keeps its free blocks."""
    with duckdb.connect(str(path), read_only=True) as con:
        block, used = con.execute(
            "SELECT block_size, used_blocks FROM pragma_database_size()"
        ).fetchall()[0]
    return int(block * used)


def written_bytes() -> int | None:
    """Bytes that this process has had written to disk so far; None where Linux does not say."""
    try:
        text = Path("/proc/self/io").read_text("ascii")
    except OSError:
        return None
    return int(re.findall(r"^write_bytes: (\d+)$", text, re.MULTILINE)[0])


def _bytes(paths: Iterable[Path]) -> int:
    return sum(path.stat().st_size for path in paths)


def _bytes_of_roll_ups(path: Path) -> int:
    """Whole blocks of the tables that are roll-ups."""
    with duckdb.connect(str(path), read_only=True) as con:
        tables = con.execute("SELECT schema_name, table_name FROM duckdb_tables()").fetchall()
        blocks: set[int] = set()
        for schema, table in tables:
            if _ROLL_UP.search(table):
                info = con.execute(f"SELECT block_id FROM pragma_storage_info('{schema}.{table}')")
                blocks |= {number for (number,) in info.fetchall() if number is not None}
        (block,) = con.execute("SELECT block_size FROM pragma_database_size()").fetchall()[0]
    return int(block) * len(blocks)
