"""What a backup consists of: every file with its size and hash, and where its data comes from.

Owns the form of manifest.json and the check of a backup against it. Changes nothing. Called by
backup.py, restore.py and rebuild.py.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath

from ccpay_io.care.files import Progress, sha256_of
from ccpay_io.errors import WarehouseError
from ccpay_io.store.durable import fsync_path

NAME = "manifest.json"
PRIVATE = "warehouse.duckdb"
LIMITS = "limits.sqlite"
FORMAT = 1


@dataclass(frozen=True)
class Entry:
    """A file of a backup: bytes, and sha256 of the bytes."""

    size: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """A backup's table of contents.

    Attributes:
        environment: the stamp of the warehouse ("sandbox", "live ccpayment.com").
        made_at: when its private file was copied, ISO 8601 in UTC.
        polls: rows of the ledger.
        files: path below the backup, with slashes -> file.
    """

    environment: str
    made_at: str
    polls: int
    files: Mapping[str, Entry]

    def below(self, folder: str) -> dict[str, Entry]:
        """The files of one folder of the backup."""
        return {name: e for name, e in self.files.items() if name.startswith(f"{folder}/")}


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Writes manifest.json, the last file of a backup."""
    path = folder / NAME
    path.write_text(json.dumps({"format": FORMAT, **asdict(manifest)}, indent=1) + "\n", "utf-8")
    fsync_path(path)
    fsync_path(folder)


def read_manifest(folder: Path) -> Manifest:
    """Reads manifest.json.

    Raises:
        WarehouseError: there is none, or it is not one.
    """
    try:
        told = json.loads((folder / NAME).read_text("utf-8"))
        if told["format"] != FORMAT:
            raise WarehouseError(
                f"{folder} is a backup of format {told['format']}, not {FORMAT}",
                hint="restore it with the release that made it",
            )
        files = {_inside(name): Entry(**entry) for name, entry in told["files"].items()}
        return Manifest(told["environment"], told["made_at"], told["polls"], files)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise WarehouseError(
            f"{folder} is not a whole backup: {NAME} is missing or damaged",
            hint="name the folder that `ccpay admin backup` wrote",
        ) from error


def check_backup(
    folder: Path, on_progress: Progress = lambda done, total: None
) -> tuple[Manifest, int]:
    """Reads a backup's manifest and every file that it lists.

    Returns:
        The manifest, and the bytes that were read.

    Raises:
        WarehouseError: something is missing or is not what was written; nothing was changed.
    """
    manifest = read_manifest(folder)
    total = sum(entry.size for entry in manifest.files.values())
    done = 0
    for name, entry in manifest.files.items():
        try:
            whole = _is(folder / name, entry)
        except OSError as error:
            raise _damaged(folder, name, error.strerror or str(error)) from error
        if not whole:
            raise _damaged(folder, name, "not what was written")
        done += entry.size
        on_progress(done, total)
    return manifest, done


def _is(path: Path, entry: Entry) -> bool:
    return path.stat().st_size == entry.size and sha256_of(path) == entry.sha256


def _damaged(folder: Path, name: str, why: str) -> WarehouseError:
    return WarehouseError(
        f"the backup {folder} is damaged: {name}: {why}", hint="nothing was changed; use another"
    )


def _inside(name: str) -> str:
    """The name, if it leads nowhere but into the backup."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or os.sep != "/":
        raise ValueError(name)
    return name
