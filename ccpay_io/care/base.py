"""What a rebuild starts from: nothing, or the writers' file of a backup with its sealed months.

Owns that sealed months are not forgotten where no ledger tells of them any more. Called by
rebuild.py.
"""

from __future__ import annotations

from pathlib import Path

from ccpay_io.care.attempts import Key
from ccpay_io.care.files import copy_durably, files_below, link_or_copy
from ccpay_io.care.manifest import PRIVATE, check_backup
from ccpay_io.errors import WarehouseError, WrongEnvironment
from ccpay_io.store.writer import Warehouse


def start_from(backup: Path | None, warehouse: Warehouse, work: Warehouse) -> set[Key]:
    """Puts the backup's history into the folder of the work.

    Returns:
        The polls that it has.

    Raises:
        WarehouseError: the backup is damaged; or there is no ledger, and a sealed file that the
            backup does not have.
        WrongEnvironment: it holds another environment's data.
    """
    root = warehouse.root
    sealed = {path.relative_to(root).as_posix() for path in files_below(root / "sealed")}
    # With a ledger, each of its polls is looked for, sealed or not.
    untold = set() if warehouse.private.exists() else sealed
    if backup is None:
        _refuse_unsealing(untold)
        return set()
    manifest, _ = check_backup(backup)
    if manifest.environment != warehouse.stamp:
        raise WrongEnvironment(
            f"{backup} holds data of [{manifest.environment}], the settings say"
            f" [{warehouse.stamp}]",
            hint="name a backup of this warehouse",
        )
    theirs = manifest.below("sealed")
    _refuse_unsealing(untold - theirs.keys())
    for name in theirs.keys() - sealed:
        link_or_copy(backup / name, root / name)
    if theirs:
        (work.root / "sealed").symlink_to(root / "sealed")
    copy_durably(backup / PRIVATE, work.private)
    with work.transaction() as con:
        return set(con.execute("SELECT feed, writer, started_at FROM store.ledger").fetchall())


def _refuse_unsealing(names: set[str]) -> None:
    if names:
        raise WarehouseError(
            f"a rebuild would lose {len(names)} sealed files, the first is {min(names)}",
            hint="name a backup made after they were: `ccpay admin rebuild --from BACKUP`",
        )
