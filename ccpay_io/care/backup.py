"""`make_backup`: a consistent copy of a warehouse while everything is running.

Owns what belongs to a backup and in which order it is copied. The private file is copied under the
writers' lock, checkpointed and closed; raw answers and sealed months never change and are linked or
copied after that, while writers write. Called by `ccpay admin backup`.

A backup is a folder: warehouse.duckdb (the writers' file), raw/, sealed/, limits.sqlite and
manifest.json. It gets its name when it is complete; a kill before that leaves a folder
NAME.partial, which the next backup of that name removes.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from ccpay_io.care.files import (
    Progress,
    Step,
    copy_durably,
    disk_errors,
    files_below,
    link_or_copy,
    release_name,
    sha256_of,
    workshop,
)
from ccpay_io.care.manifest import LIMITS, PRIVATE, Entry, Manifest, write_manifest
from ccpay_io.errors import ConfigError, NothingPublished, WarehouseError
from ccpay_io.feeds.poll import utc_now
from ccpay_io.store.durable import fsync_path
from ccpay_io.store.rows import one
from ccpay_io.store.writer import Warehouse

_KEPT = "the warehouse is as it was"
_NAMED = (PRIVATE, LIMITS)


@dataclass(frozen=True)
class Backup:
    """What was copied.

    Attributes:
        parts: name of the part -> (files, bytes).
    """

    folder: Path
    polls: int
    parts: Mapping[str, tuple[int, int]]


def make_backup(
    warehouse: Warehouse,
    target: Path,
    *,
    on_progress: Progress = lambda done, total: None,
    on_step: Step = lambda name: None,
) -> Backup:
    """Copies the warehouse into a new folder.

    Args:
        target: must not exist.
        on_progress: called with (files copied, files to copy).
        on_step: told the name of each step just before it is taken.

    Raises:
        ConfigError: the target exists.
        NothingPublished: there is no warehouse.
        WarehouseError: the disk is full or read-only; nothing is left at the target.
    """
    if not warehouse.private.exists():
        raise NothingPublished(
            f"there is no warehouse in {warehouse.root} to back up", hint="run `ccpay up` first"
        )
    if target.exists() or target.is_symlink():
        raise ConfigError(f"{target} exists already", hint="name a folder that does not exist yet")
    partial = target.with_name(target.name + ".partial")
    with disk_errors(target, kept=_KEPT), workshop(partial, "backup"):
        on_step("backup:private")
        made_at, sealed = _copy_private(warehouse, partial)
        _copy_limits(warehouse.root / LIMITS, partial / LIMITS)
        on_step("backup:files")
        files = _copy_files(warehouse.root, partial, sealed, on_progress)
        manifest = Manifest(warehouse.stamp, made_at.isoformat(), _polls(partial / PRIVATE), files)
        on_step("backup:manifest")
        write_manifest(partial, manifest)
        on_step("backup:name")
        os.replace(partial, target)
        release_name(target)
    return Backup(target, manifest.polls, _parts(manifest))


def _copy_private(warehouse: Warehouse, partial: Path) -> tuple[datetime, list[Path]]:
    """Copies the writers' file, and notes which sealed months it may refer to."""
    with warehouse.settled(), disk_errors(partial, kept=_KEPT):
        copy_durably(warehouse.private, partial / PRIVATE)
        return utc_now(), files_below(warehouse.root / "sealed")


def _copy_limits(source: Path, target: Path) -> None:
    """Copies the limits file as SQLite sees it: other processes count in it all the time."""
    if not source.exists():
        return
    try:
        with closing(sqlite3.connect(source)) as mine, closing(sqlite3.connect(target)) as copy:
            mine.backup(copy)
    except sqlite3.Error as error:
        raise WarehouseError(
            f"{source} cannot be copied: {error}", hint="free disk space, or see `ccpay doctor`"
        ) from error
    target.chmod(0o600)
    fsync_path(target)


def _copy_files(
    root: Path, partial: Path, sealed: list[Path], on_progress: Progress
) -> dict[str, Entry]:
    """Copies what never changes; returns every file of the backup.

    A raw file that is gone meanwhile was beyond its retention; a sealed month must not be.
    """
    files = {name: _entry(partial / name) for name in _NAMED if (partial / name).exists()}
    raw = files_below(root / "raw")
    for done, source in enumerate([*sealed, *raw], 1):
        name = source.relative_to(root).as_posix()
        try:
            link_or_copy(source, partial / name)
            files[name] = _entry(partial / name)
        except FileNotFoundError:
            if done <= len(sealed):
                raise WarehouseError(
                    f"{source} was retired while it was copied", hint="run the backup again"
                ) from None
        on_progress(done, len(raw) + len(sealed))
    for folder in {(partial / name).parent for name in files}:
        fsync_path(folder)
    return files


def _entry(path: Path) -> Entry:
    return Entry(path.stat().st_size, sha256_of(path))


def _polls(private: Path) -> int:
    """The copy opens, and has so many polls."""
    con = duckdb.connect(str(private), read_only=True)
    try:
        return int(one(con, "SELECT count(*) FROM store.ledger")[0])
    finally:
        con.close()


def _parts(manifest: Manifest) -> dict[str, tuple[int, int]]:
    parts = {
        "writers' file": [manifest.files[PRIVATE]],
        "sealed months": list(manifest.below("sealed").values()),
        "raw answers": list(manifest.below("raw").values()),
        "limits": [manifest.files[LIMITS]] if LIMITS in manifest.files else [],
    }
    return {name: (len(of), sum(entry.size for entry in of)) for name, of in parts.items()}
