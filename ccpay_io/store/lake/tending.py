"""Care of a lake: small files become few, old snapshots and what only they needed go away.

Owns the steps and their order. Each poll leaves some small files, and rows that stay in the catalog
because they are few; without care, reading slows down from day to day. What a reader of an hour ago
still has open stays. Called by the hourly care of a lake in pipelines/, and by tests.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from ccpay_io.store.disk import clear_errors
from ccpay_io.store.lake.address import Lake
from ccpay_io.store.lake.conflicts import again
from ccpay_io.store.lake.connection import NAME, cursor, forget, opened
from ccpay_io.store.lake.turns import turn

# No query of this product takes so long, and no transaction either.
KEEP = timedelta(days=1)


@dataclass(frozen=True)
class Tended:
    """What was done.

    Attributes:
        rows_moved: out of the catalog into files.
        files_merged: small files that are part of larger ones now.
        snapshots_expired: states of the past that can no longer be read.
        files_deleted: that only those needed.
        orphans_deleted: files of transactions that never committed.
    """

    rows_moved: int
    files_merged: int
    snapshots_expired: int
    files_deleted: int
    orphans_deleted: int


def tend(lake: Lake, now: datetime, *, keep: timedelta = KEEP) -> Tended:
    """Moves, merges, expires and deletes, each in a turn of its own, so that polls come between.

    Args:
        lake: one that has been written to.
        now: the moment.
        keep: what is younger is left alone.

    Raises:
        WarehouseError: the catalog or the data cannot be reached or written.
    """
    until = f"older_than => TIMESTAMPTZ '{(now - keep).isoformat()}'"
    steps = (
        "ducklake_flush_inlined_data('{0}')",
        "ducklake_merge_adjacent_files('{0}')",
        f"ducklake_expire_snapshots('{{0}}', {until})",
        f"ducklake_cleanup_old_files('{{0}}', {until})",
        f"ducklake_delete_orphaned_files('{{0}}', {until})",
    )
    with clear_errors(str(lake)):
        moved, merged, expired, deleted, orphans = (
            again(
                partial(_take, lake, step.format(NAME)),
                cut_off=partial(forget, lake, read_only=False),
            )
            for step in steps
        )
    return Tended(
        rows_moved=sum(rows for _, _, rows in moved),
        files_merged=sum(processed for _, _, processed, _ in merged),
        snapshots_expired=len(expired),
        files_deleted=len(deleted),
        orphans_deleted=len(orphans),
    )


def _take(lake: Lake, step: str) -> list[tuple[Any, ...]]:
    found = opened(lake, read_only=False)
    with turn(found, str(lake)), cursor(found) as con:
        return con.execute(f"CALL {step}").fetchall()
