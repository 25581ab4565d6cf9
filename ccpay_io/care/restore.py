"""`restore`: a warehouse from a backup, in a folder that has none.

Owns the order in which a backup's files get their places. The private file comes last: before it
is there, the folder is no warehouse; from then on it is a whole one. A marker names the backup
until everything is done, so that a second restore completes what a kill cut off. Called by
`ccpay admin restore`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from ccpay_io.care.files import Progress, Step, copy_durably, disk_errors, link_or_copy, sha256_of
from ccpay_io.care.manifest import LIMITS, NAME, PRIVATE, Manifest, check_backup
from ccpay_io.errors import ConfigError, WrongEnvironment
from ccpay_io.store.durable import written_whole
from ccpay_io.store.rows import one
from ccpay_io.store.verify import Finding, verify
from ccpay_io.store.writer import Warehouse

_KEPT = "the backup is as it was; run the same command again"


@dataclass(frozen=True)
class Restored:
    """What is in the folder now.

    Attributes:
        findings: of verify, on the restored warehouse.
    """

    manifest: Manifest
    findings: Sequence[Finding]


def restore(
    warehouse: Warehouse,
    backup: Path,
    *,
    on_progress: Progress = lambda done, total: None,
    on_step: Step = lambda name: None,
) -> Restored:
    """Checks a backup, puts it into the warehouse's folder, publishes it and verifies it.

    Args:
        warehouse: the folder that the settings name, without data.
        backup: as `make_backup` left it.
        on_progress: called with (bytes checked, bytes to check).
        on_step: told the name of each step just before it is taken.

    Raises:
        WarehouseError: the backup is damaged, or the disk is full or read-only.
        WrongEnvironment: the backup holds another environment's data.
        ConfigError: there is data already.
    """
    manifest, _ = check_backup(backup, on_progress)
    if manifest.environment != warehouse.stamp:
        raise WrongEnvironment(
            f"{backup} holds data of [{manifest.environment}], the settings say"
            f" [{warehouse.stamp}]",
            hint="use the settings that the backup belongs to",
        )
    identity = sha256_of(backup / NAME)
    marker = warehouse.private.with_name("restoring")
    _refuse_data(warehouse, marker, identity)
    with disk_errors(warehouse.root, kept=_KEPT):
        on_step("restore:mark")
        _mark(marker, identity)
        on_step("restore:files")
        for name in [*manifest.below("sealed"), *manifest.below("raw")]:
            _place(backup / name, warehouse.root / name)
        if LIMITS in manifest.files and not (warehouse.root / LIMITS).exists():
            copy_durably(backup / LIMITS, warehouse.root / LIMITS)
            (warehouse.root / LIMITS).chmod(0o600)
        on_step("restore:private")
        _place_private(warehouse, backup)
        on_step("restore:publish")
        warehouse.publish(force=True)
        on_step("restore:done")
        marker.unlink()
    return Restored(manifest, verify(warehouse))


def _refuse_data(warehouse: Warehouse, marker: Path, identity: str) -> None:
    hint = f"move it away (mv {warehouse.root} {warehouse.root}.old), or set CCPAY_WAREHOUSE"
    begun = marker.read_text("utf-8") if marker.exists() else None
    if begun is not None and begun != identity:
        raise ConfigError(f"{warehouse.root} is half restored from another backup", hint=hint)
    if begun is None and warehouse.private.exists():
        raise ConfigError(f"{warehouse.root} has a warehouse already", hint=hint)


def _mark(marker: Path, identity: str) -> None:
    """Writes the marker whole or not at all; half of one would be that of another backup."""
    marker.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with written_whole(marker) as file:
        file.write_text(identity, "utf-8")


def _place(source: Path, target: Path) -> None:
    """A file that never changes; one that is there already is replaced if it is another."""
    if target.exists():
        if target.samefile(source) or sha256_of(target) == sha256_of(source):
            return
        target.unlink()
    link_or_copy(source, target)


def _place_private(warehouse: Warehouse, backup: Path) -> None:
    """The step that makes the folder a warehouse; not taken twice, as polls may have followed."""
    with warehouse.settled(), disk_errors(warehouse.root, kept=_KEPT):
        if warehouse.private.exists():
            if _born(warehouse.private) == _born(backup / PRIVATE):
                return
            raise ConfigError(
                f"somebody began another warehouse in {warehouse.root}",
                hint="stop `ccpay up` and Dagster, move the folder away and restore again",
            )
        # The log of a file that is no more would be replayed into this one.
        warehouse.private.with_name(warehouse.private.name + ".wal").unlink(missing_ok=True)
        copy_durably(backup / PRIVATE, warehouse.private)


def _born(private: Path) -> tuple[Any, ...]:
    """When a warehouse was begun, to the microsecond: what tells it from all others."""
    con = duckdb.connect(str(private), read_only=True)
    try:
        return one(con, "SELECT epoch_us(created_at) FROM store.stamp")
    finally:
        con.close()
