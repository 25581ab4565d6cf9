"""Kill -9 at each named step of backup, restore and rebuild."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from killing import Step, kill_at

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


# What a process does that is to die in it.
def _backup(root: Path, stamp: str, target: Path, *, on_step: Step) -> None:
    make_backup(Warehouse(root, stamp), target, on_step=on_step)


def _restore(root: Path, stamp: str, backup: Path, *, on_step: Step) -> None:
    restore(Warehouse(root, stamp, on_step=on_step), backup, on_step=on_step)


def _rebuild(root: Path, stamp: str, *, on_step: Step) -> None:
    rebuild(Warehouse(root, stamp, on_step=on_step), on_step=on_step)


def wrong(warehouse: Warehouse) -> list[Any]:
    """The promises that do not hold."""
    return [finding for finding in verify(warehouse) if not finding.ok]


def _backup_survives(polled: Warehouse, folder: Path, step: str) -> None:
    target = folder / "backup"
    kill_at(step, _backup, polled.root, polled.stamp, target)
    assert not target.exists()
    assert wrong(polled) == []

    make_backup(polled, target)

    check_backup(target)
    assert [entry.name for entry in folder.iterdir()] == ["backup"]
    shutil.rmtree(target)


@pytest.mark.slow
def test_killed_backups_are_none(polled: Warehouse, tmp_path: Path) -> None:
    """The name is not there, the warehouse is as it was, and the next one leaves nothing of it."""
    folder = tmp_path / "backups"
    folder.mkdir()
    for step in BACKUP:
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
    kill_at(step, _restore, target.root, target.stamp, tmp_path / "backup")
    if target.private.exists():
        assert differences(polled.private, target.private) == {}

    done = restore(target, tmp_path / "backup")

    assert [finding for finding in done.findings if not finding.ok] == []
    assert differences(polled.private, target.private) == {}
    assert not list(target.root.rglob("restoring*"))
    shutil.rmtree(target.root)


@pytest.mark.slow
def test_killed_restores_are_completed_by_the_next(
    polled: Warehouse, tmp_path: Path, differences: Callable[..., Any]
) -> None:
    """There is no warehouse yet, or the whole one; the same command ends the work."""
    make_backup(polled, tmp_path / "backup")
    for step in RESTORE:
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


def _rebuild_dies(
    polled: Warehouse, tmp_path: Path, step: str, differences: Callable[..., Any]
) -> None:
    kill_at(step, _rebuild, polled.root, polled.stamp)
    assert differences(tmp_path / "whole.duckdb", polled.private) == {}


def _rebuild_works(polled: Warehouse, tmp_path: Path, differences: Callable[..., Any]) -> None:
    rebuild(polled)

    assert wrong(polled) == []
    assert differences(tmp_path / "whole.duckdb", polled.private) == {}
    assert not (polled.root / "rebuild").exists()


@pytest.mark.slow
def test_killed_rebuilds_lose_nothing(
    polled: Warehouse, tmp_path: Path, differences: Callable[..., Any]
) -> None:
    """At each step in turn: the old file or the new one is in place, whole; the next one works."""
    shutil.copyfile(polled.private, tmp_path / "whole.duckdb")
    for step in REBUILD:
        _rebuild_dies(polled, tmp_path, step, differences)
    _rebuild_works(polled, tmp_path, differences)


@pytest.mark.torture
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("step", REBUILD)
def test_twenty_killed_rebuilds(
    polled: Warehouse, tmp_path: Path, step: str, differences: Callable[..., Any]
) -> None:
    """The same, twenty times at a step, with a rebuild after each."""
    shutil.copyfile(polled.private, tmp_path / "whole.duckdb")
    for _ in range(20):
        _rebuild_dies(polled, tmp_path, step, differences)
        assert wrong(polled) == []
        _rebuild_works(polled, tmp_path, differences)
