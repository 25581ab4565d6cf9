"""Publication: a whole, read-only copy of the warehouse under a new name, so readers never meet the
writer's lock.

Owns the published files: versions/ccpay-<micros>.duckdb, the stable name ccpay.duckdb, and how old
versions go away. Does not decide when to publish and does not hold the lock: writer.py does both,
and calls this with the private file closed and checkpointed.

A version that has had its time becomes the next one, if nobody has it open (recycling.py).

A kill at any moment leaves the previous publication in place and at most one temporary file, which
the next publication removes.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from ccpay_io.errors import WarehouseError
from ccpay_io.store.durable import fsync_path
from ccpay_io.store.recycling import rewritten

_PREFIX, _SUFFIX = "ccpay-", ".duckdb"


def stable_path(root: Path) -> Path:
    """The published file under its stable name: what people put into their tools."""
    return root / "ccpay.duckdb"


def newest_version(root: Path) -> Path | None:
    """The newest published version, or None before the first publication.

    A process that reads repeatedly opens this name: DuckDB caches databases by path, so a second
    connection to the stable name keeps showing the old file while any other is open.
    """
    return next(reversed(versions(root)), None)


def versions(root: Path) -> list[Path]:
    """The published versions that are kept, oldest first."""
    return sorted((root / "versions").glob(f"{_PREFIX}*{_SUFFIX}"))


def published_at(version: Path) -> datetime:
    """When a version was published, in UTC, from its name: a copy of the folder tells the same."""
    return datetime.fromtimestamp(_number(version) / 1_000_000, UTC)


def publish_copy(private: Path, root: Path, *, keep: int, step: Callable[[str], None]) -> Path:
    """Copies the closed private file to a new version and moves the stable name onto it.

    Args:
        private: the writer's file, checkpointed and closed, under the writer's lock.
        root: the warehouse folder.
        keep: how many versions stay, for readers that still have one open by name.
        step: told the name of each step before it is taken.

    Raises:
        WarehouseError: the private file still has a write-ahead log, so a copy would lose data.
    """
    if _wal(private).exists():
        raise WarehouseError(
            f"{private} was not checkpointed", hint="run `ccpay admin verify` and publish again"
        )
    folder = root / "versions"
    folder.mkdir(exist_ok=True)
    for leftover in folder.glob("*.tmp"):
        leftover.unlink()
    version = folder / f"{_PREFIX}{_next_number(root)}{_SUFFIX}"
    copy = version.with_suffix(".tmp")
    if retired := _retired(root, keep):
        step("publish:retire")
        os.replace(retired, copy)
        _wal(retired).unlink(missing_ok=True)
    step("publish:copy")
    if not (retired and rewritten(copy, private)):
        copy.unlink(missing_ok=True)
        shutil.copyfile(private, copy)
    fsync_path(copy)
    copy.chmod(0o444)
    step("publish:version")
    os.replace(copy, version)
    step("publish:stable")
    _move_stable_name(root, version)
    step("publish:prune")
    _prune(root, keep)
    return version


def _retired(root: Path, keep: int) -> Path | None:
    """The version that would go once there is a new one; never the newest, which readers open."""
    return next(iter(versions(root)[: -max(1, keep - 1)]), None)


def _next_number(root: Path) -> int:
    """Microseconds since the epoch, but above the newest version, whatever the clock does."""
    newest = newest_version(root)
    previous = _number(newest) if newest else 0
    return max(previous + 1, time.time_ns() // 1000)


def _number(version: Path) -> int:
    return int(version.name[len(_PREFIX) : -len(_SUFFIX)])


def _move_stable_name(root: Path, version: Path) -> None:
    """Gives the stable name to a version, atomically.

    Someone who opened the stable name read-write by mistake may have left a write-ahead log beside
    it; DuckDB would replay it into every later publication, so it goes first.
    """
    stable = stable_path(root)
    _wal(stable).unlink(missing_ok=True)
    link = version.with_suffix(".tmp")
    os.link(version, link)
    os.replace(link, stable)
    fsync_path(stable.parent)


def _prune(root: Path, keep: int) -> None:
    for old in versions(root)[:-keep]:
        old.unlink()
        _wal(old).unlink(missing_ok=True)


def _wal(file: Path) -> Path:
    """Its write-ahead log, where it has one."""
    return file.with_name(file.name + ".wal")
