"""Copies files so that they last, and says clearly when the disk does not take them.

Owns durable copies, hard links in their place, hashes, and work in a folder that only gets its name
when it is complete. Knows nothing of what the files hold. Called by the other modules here.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from ccpay_io.errors import ConfigError, WarehouseError
from ccpay_io.store.durable import fsync_path, written_whole

Progress = Callable[[int, int], None]
Step = Callable[[str], None]

_LOCK = ".lock"


def copy_durably(source: Path, target: Path) -> None:
    """Copies a file; it is on disk, whole, before it gets its name."""
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with written_whole(target) as file:
        shutil.copyfile(source, file)


def link_or_copy(source: Path, target: Path) -> None:
    """Gives a file that never changes a second name, or copies it where that cannot be.

    Hard links end at the border of a file system, and some file systems have none.
    """
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError:
        copy_durably(source, target)


def sha256_of(path: Path) -> str:
    """The sha256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def files_below(folder: Path) -> list[Path]:
    """Every file below a folder, in a fixed order, without what is still being written."""
    found = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".tmp")
    return sorted(found)


@contextmanager
def disk_errors(folder: Path, *, kept: str) -> Iterator[None]:
    """Turns what the disk says into one line.

    Args:
        folder: what was being written.
        kept: what is still as it was.

    Raises:
        WarehouseError: instead of OSError.
    """
    try:
        yield
    except OSError as error:
        raise WarehouseError(
            f"cannot write {folder}: {error.strerror or error}",
            hint=f"free disk space, or make the folder writable for this user; {kept}",
        ) from error


@contextmanager
def workshop(folder: Path, what: str) -> Iterator[None]:
    """An empty folder to work in, alone; gone afterwards unless it got another name.

    What a killed predecessor left in it is removed first.

    Args:
        what: is done in it, for the error's text.

    Raises:
        ConfigError: another process is at work in it.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = FileLock(folder / _LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise ConfigError(
            f"another {what} is at work in {folder}", hint="let it end, then try again"
        ) from None
    try:
        _empty(folder)
        yield
    finally:
        # Also when the disk is full: what is removed here is what filled it.
        with suppress(OSError):
            _empty(folder)
            (folder / _LOCK).unlink()
            folder.rmdir()
        lock.release()


def release_name(folder: Path) -> None:
    """After a workshop got its lasting name: that name lasts, and the lock is no part of it."""
    (folder / _LOCK).unlink(missing_ok=True)
    fsync_path(folder.parent)


def _empty(folder: Path) -> None:
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        elif entry.name != _LOCK:
            entry.unlink()
