"""Kill -9 at each named step of backup, restore and rebuild."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ccpay_io.care.backup import make_backup
from ccpay_io.care.manifest import check_backup
from ccpay_io.care.rebuild import rebuild
from ccpay_io.care.restore import restore
from ccpay_io.store.verify import verify
from ccpay_io.store.writer import Warehouse

# The first test of a process also makes the polled warehouse: half a minute of polls.
pytestmark = pytest.mark.timeout(300)

BACKUP = ("backup:private", "backup:files", "backup:manifest", "backup:name")
RESTORE = (
    "restore:mark",
    "restore:files",
    "restore:private",
    "restore:publish",
    "publish:version",
    "restore:done",
)
REBUILD = (
    "rebuild:begin",
    "rebuild:replay",
    "committed",
    "rebuild:verify",
    "rebuild:carry",
    "rebuild:swap",
    "rebuild:publish",
)

# Does what it is told, and kills itself at a step of it.
VICTIM = """
import os, signal, sys
from pathlib import Path
from ccpay_io.care.backup import make_backup
from ccpay_io.care.rebuild import rebuild
from ccpay_io.care.restore import restore
from ccpay_io.store.writer import Warehouse

what, root, stamp, other, victim = sys.argv[1:]

def step(name):
    if name == victim:
        os.kill(os.getpid(), signal.SIGKILL)

warehouse = Warehouse(Path(root), stamp, on_step=step)
if what == "backup":
    make_backup(warehouse, Path(other), on_step=step)
elif what == "restore":
    restore(warehouse, Path(other), on_step=step)
else:
    rebuild(warehouse, on_step=step)
"""


def kill(what: str, warehouse: Warehouse, other: Path, step: str) -> None:
    """Runs the command in a process of its own until it kills itself."""
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            VICTIM,
            what,
            str(warehouse.root),
            warehouse.stamp,
            str(other),
            step,
        ],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == -signal.SIGKILL, done.stderr


def wrong(warehouse: Warehouse) -> list[Any]:
    """The promises that do not hold."""
    return [finding for finding in verify(warehouse) if not finding.ok]


def _backup_survives(polled: Warehouse, folder: Path, step: str) -> None:
    target = folder / "backup"
    kill("backup", polled, target, step)
    assert not target.exists()
    assert wrong(polled) == []

    make_backup(polled, target)

    check_backup(target)
    assert [entry.name for entry in folder.iterdir()] == ["backup"]
    shutil.rmtree(target)


@pytest.mark.slow
@pytest.mark.parametrize("step", BACKUP)
def test_a_killed_backup_is_none(polled: Warehouse, tmp_path: Path, step: str) -> None:
    """Its name is not there, the warehouse is as it was, and the next one leaves nothing of it."""
    folder = tmp_path / "backups"
    folder.mkdir()
    _backup_survives(polled, folder, step)


@pytest.mark.torture
@pytest.mark.timeout(900)
@pytest.mark.parametrize("step", BACKUP)
def test_twenty_killed_backups(polled: Warehouse, tmp_path: Path, step: str) -> None:
    """The same, twenty times."""
    folder = tmp_path / "backups"
    folder.mkdir()
    for _ in range(20):
        _backup_survives(polled, folder, step)


def _restore_is_completed(
    polled: Warehouse, tmp_path: Path, step: str, differences: Callable[..., Any]
) -> None:
    target = Warehouse(tmp_path / "elsewhere", polled.stamp)
    kill("restore", target, tmp_path / "backup", step)
    if target.private.exists():
        assert differences(polled.private, target.private) == {}

    done = restore(target, tmp_path / "backup")

    assert [finding for finding in done.findings if not finding.ok] == []
    assert differences(polled.private, target.private) == {}
    assert not list(target.root.rglob("restoring*"))
    shutil.rmtree(target.root)


@pytest.mark.slow
@pytest.mark.parametrize("step", RESTORE)
def test_a_killed_restore_is_completed_by_the_next(
    polled: Warehouse, tmp_path: Path, step: str, differences: Callable[..., Any]
) -> None:
    """There is no warehouse yet, or the whole one; the same command ends the work."""
    make_backup(polled, tmp_path / "backup")
    _restore_is_completed(polled, tmp_path, step, differences)


@pytest.mark.torture
@pytest.mark.timeout(900)
@pytest.mark.parametrize("step", RESTORE)
def test_twenty_killed_restores(
    polled: Warehouse, tmp_path: Path, step: str, differences: Callable[..., Any]
) -> None:
    """The same, twenty times."""
    make_backup(polled, tmp_path / "backup")
    for _ in range(20):
        _restore_is_completed(polled, tmp_path, step, differences)


def _rebuild_loses_nothing(
    polled: Warehouse, tmp_path: Path, step: str, differences: Callable[..., Any]
) -> None:
    kill("rebuild", polled, tmp_path, step)
    assert wrong(polled) == []
    assert differences(tmp_path / "whole.duckdb", polled.private) == {}

    rebuild(polled)

    assert wrong(polled) == []
    assert differences(tmp_path / "whole.duckdb", polled.private) == {}
    assert not (polled.root / "rebuild").exists()


@pytest.mark.slow
@pytest.mark.parametrize("step", REBUILD)
def test_a_killed_rebuild_loses_nothing(
    polled: Warehouse, tmp_path: Path, step: str, differences: Callable[..., Any]
) -> None:
    """The old file or the new one is in place, whole, and the next rebuild works."""
    shutil.copyfile(polled.private, tmp_path / "whole.duckdb")
    _rebuild_loses_nothing(polled, tmp_path, step, differences)


@pytest.mark.torture
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("step", REBUILD)
def test_twenty_killed_rebuilds(
    polled: Warehouse, tmp_path: Path, step: str, differences: Callable[..., Any]
) -> None:
    """The same, twenty times."""
    shutil.copyfile(polled.private, tmp_path / "whole.duckdb")
    for _ in range(20):
        _rebuild_loses_nothing(polled, tmp_path, step, differences)
