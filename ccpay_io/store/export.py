"""CSV and Parquet files at fixed paths, for spreadsheets and tools that do not speak DuckDB.

Owns <root>/export/: which views are written there, and how their values look as text. Reads the
newest publication only. Called by writer.py after each publication, when the writers' lock is free
again: the views take longer than the publication.

A kill at any moment leaves each file as it was or as it is to be, never half written, and at most
one temporary file, which the next export overwrites.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import duckdb
import polars as pl
from filelock import FileLock

from ccpay_io.errors import CcpayError
from ccpay_io.store.durable import written_whole
from ccpay_io.store.engine import attached
from ccpay_io.store.reading import fetch_frame, published_version

VIEWS = ("withdraw_fee_now", "payout_route_ranking", "chain_status_now", "fiat_rate_now")

LOCK_TIMEOUT_S = 60.0

log = logging.getLogger("ccpay.export")

_FAILURES = (OSError, duckdb.Error, pl.exceptions.PolarsError, CcpayError)
# Spreadsheets take a cell that begins like this for a formula, and symbols are foreign text.
_FORMULA = r"^([=+\-@\t\r])"


def refresh_export(root: Path, step: Callable[[str], None]) -> None:
    """`export`, where a failure must not cost the publication before it: it is logged."""
    try:
        export(root, step=step)
    except _FAILURES as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        log.warning(
            "published, but %s is not up to date: %s; it is written again at the next publication",
            root / "export",
            reason,
        )


def export(root: Path, *, step: Callable[[str], None] = lambda name: None) -> Path:
    """Writes each of `VIEWS`, in full, as CSV and as Parquet; returns their folder.

    The column `exported_at` says as of when the ages in the other columns are.

    Args:
        root: the warehouse folder.
        step: told the name of each step before it is taken.

    Raises:
        NothingPublished: there is no publication in this folder yet.
        OSError: the disk did not take it.
    """
    folder = root / "export"
    folder.mkdir(exist_ok=True)
    stamp = pl.lit(datetime.now(UTC)).cast(pl.Datetime("us", "UTC")).alias("exported_at")
    # Whoever comes last reads last, and so reads the newest publication.
    lock = FileLock(folder / ".lock", timeout=LOCK_TIMEOUT_S)
    with lock, attached(published_version(root), read_only=True) as con:
        for view in VIEWS:
            frame = fetch_frame(con, f"SELECT * FROM {view} ORDER BY ALL").with_columns(stamp)
            step("export:write")
            _replace(folder / f"{view}.csv", partial(write_csv, frame), step)
            _replace(folder / f"{view}.parquet", frame.write_parquet, step)
    return folder


def write_csv(frame: pl.DataFrame, path: Path) -> None:
    """UTF-8 with a byte order mark, which Excel needs; decimals in full, without padding zeros.

    Times are ISO 8601 in UTC, NULL is nothing. Text that a spreadsheet would run as a formula gets
    an apostrophe in front.
    """
    plain = [
        _plain_decimals(name, kind) if isinstance(kind, pl.Decimal) else _harmless(name)
        for name, kind in frame.schema.items()
        if isinstance(kind, pl.Decimal | pl.String)
    ]
    frame.with_columns(plain).write_csv(
        path, include_bom=True, datetime_format="%Y-%m-%dT%H:%M:%S%.fZ"
    )


def _plain_decimals(name: str, kind: pl.Decimal) -> pl.Expr:
    text = pl.col(name).cast(pl.String)
    return text.str.strip_chars_end("0").str.strip_chars_end(".") if kind.scale else text


def _harmless(name: str) -> pl.Expr:
    return pl.col(name).str.replace(_FORMULA, "'${1}")


def _replace(path: Path, write: Callable[[Path], None], step: Callable[[str], None]) -> None:
    """Lets `write` write a file beside the path, which then takes its place in one step."""
    with written_whole(path) as file:
        write(file)
        step("export:replace")
