"""Disks that are full or read-only: one clear line, and nothing that was acknowledged is lost.

Real ones: small file systems in memory, and the kernel's limit on the size of a file, which needs
no rights.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ccpay_io.care.backup import make_backup
from ccpay_io.care.manifest import check_backup
from ccpay_io.care.rebuild import rebuild
from ccpay_io.care.restore import restore
from ccpay_io.client import Exchange
from ccpay_io.errors import WarehouseError
from ccpay_io.feeds.poll import Answers, Poll, utc_now
from ccpay_io.store.datasets import DATASETS
from ccpay_io.store.raw import write_raw
from ccpay_io.store.reading import connect_published
from ccpay_io.store.verify import verify
from ccpay_io.store.writer import Warehouse

# The first test of a process also makes the polled warehouse: half a minute of polls.
pytestmark = pytest.mark.timeout(300)

Disk = Callable[..., Path]


def big_poll(coins: int = 20_000) -> Poll:
    """A poll of the swap coins that needs a megabyte or so."""
    now = utc_now()
    rows = [
        {"coin_id": coin, "state": "ok", "coin": f"{coin}-{now.timestamp()}"}
        for coin in range(coins)
    ]
    return Poll(
        poll_id=int(now.timestamp() * 1e6), feed="coins", outcome="ok", started_at=now,
        observed_at=now, requests=1, writer="test:1", cadence_s=3600,
        answers={"swap_coin": Answers(DATASETS["swap_coin"].frame(rows))},
    )  # fmt: skip


def wrong(warehouse: Warehouse) -> list[Any]:
    """The promises that do not hold."""
    return [finding for finding in verify(warehouse) if not finding.ok]


def polls_of(warehouse: Warehouse) -> int:
    """Rows of the ledger."""
    with warehouse.transaction() as con:
        return int(con.execute("SELECT count(*) FROM store.poll").fetchall()[0][0])


def check_line(error: WarehouseError) -> None:
    """One line that says what happened, and one that says what to do."""
    assert "\n" not in str(error)
    assert "cannot write" in str(error)
    assert error.hint


@contextmanager
def filled(folder: Path, *, leave: int) -> Iterator[None]:
    """Fills the file system of a folder but for so many bytes."""
    filler = folder / "filler"
    free = shutil.disk_usage(folder).free
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(1, free - leave))
    try:
        yield
    finally:
        filler.unlink()


@pytest.fixture
def small(disk: Disk, polled: Warehouse) -> Warehouse:
    """The polled warehouse on a small disk of its own."""
    published = shutil.ignore_patterns("versions", "ccpay.duckdb")
    shutil.copytree(polled.root, disk("small", 96) / "data", ignore=published)
    return Warehouse(disk("small", 96) / "data", polled.stamp)


def test_a_poll_on_a_full_disk_is_not_stored(small: Warehouse) -> None:
    """The poll is refused as a whole; with space again, everything is there and polls go on."""
    before = polls_of(small)
    with filled(small.root.parent, leave=300_000), pytest.raises(WarehouseError) as caught:
        small.commit([big_poll()])
    check_line(caught.value)
    assert "free disk space" in caught.value.hint

    assert polls_of(small) == before
    assert wrong(small) == []
    small.commit([big_poll()])
    assert polls_of(small) == before + 1
    assert wrong(small) == []


def test_raw_answers_on_a_full_disk_are_an_error_of_the_warehouse(disk: Disk) -> None:
    """They are written before the poll: neither is stored, and nothing half-written stays."""
    folder = disk("raw", 1)
    header = {"feed": "fiats", "poll_id": 1, "started_at": "2026-03-01T12:00:00+00:00"}
    answer = Exchange("getFiatList", b"{}", 200, os.urandom(2_000_000), utc_now())
    with pytest.raises(WarehouseError, match="No space left") as caught:
        write_raw(folder, header, [answer], redact=str)
    check_line(caught.value)
    assert [path for path in folder.rglob("*") if path.is_file()] == []


def test_a_publication_on_a_full_disk_leaves_the_last_one(small: Warehouse) -> None:
    """Readers keep what they have; with space again the next publication brings everything."""
    small.publish(force=True)
    before = polls_of(small)
    small.commit([big_poll()])
    with filled(small.root.parent, leave=100_000), pytest.raises(WarehouseError) as caught:
        small.publish(force=True)
    check_line(caught.value)

    with connect_published(small.root) as con:
        assert con.execute("SELECT count(*) FROM store.poll").fetchall() == [(before,)]
    assert wrong(small) == []
    small.publish(force=True)
    with connect_published(small.root) as con:
        assert con.execute("SELECT count(*) FROM store.poll").fetchall() == [(before + 1,)]
    assert not list((small.root / "versions").glob("*.tmp"))


def test_a_backup_onto_a_full_disk_is_none(disk: Disk, polled: Warehouse) -> None:
    """Nothing is left of it, so that its own space is free again; the warehouse is untouched."""
    target = disk("backups", 2) / "backup"
    with pytest.raises(WarehouseError) as caught:
        make_backup(polled, target)
    check_line(caught.value)
    assert "No space left" in str(caught.value)

    assert list(target.parent.iterdir()) == []
    assert wrong(polled) == []
    disk("backups", 96)
    make_backup(polled, target)
    check_backup(target)


def test_a_restore_onto_a_full_disk_is_completed_with_more_space(
    disk: Disk, polled: Warehouse, tmp_path: Path
) -> None:
    """There is no warehouse until all of it is there."""
    make_backup(polled, tmp_path / "backup")
    target = Warehouse(disk("new", 2) / "data", polled.stamp)
    with pytest.raises(WarehouseError) as caught:
        restore(target, tmp_path / "backup")
    check_line(caught.value)
    assert not target.private.exists()

    disk("new", 96)
    done = restore(target, tmp_path / "backup")

    assert [finding for finding in done.findings if not finding.ok] == []


def test_a_rebuild_on_a_full_disk_changes_nothing(
    small: Warehouse, differences: Callable[..., Any], tmp_path: Path
) -> None:
    """The old file stays, and what the rebuild had taken is free again."""
    with small.settled():
        shutil.copyfile(small.private, tmp_path / "whole.duckdb")
    with filled(small.root.parent, leave=1_500_000), pytest.raises(WarehouseError) as caught:
        rebuild(small)
    check_line(caught.value)

    assert differences(tmp_path / "whole.duckdb", small.private) == {}
    assert wrong(small) == []
    assert not (small.root / "rebuild").exists()
    rebuild(small)
    assert wrong(small) == []


WRITES: dict[str, Callable[[Warehouse, Path], object]] = {
    "a poll": lambda warehouse, other: warehouse.commit([big_poll(10)]),
    "a publication": lambda warehouse, other: warehouse.publish(force=True),
    "a rebuild": lambda warehouse, other: rebuild(warehouse),
    "a backup": lambda warehouse, other: make_backup(Warehouse(other, warehouse.stamp),
                                                     warehouse.root.parent / "backup"),
}  # fmt: skip


@pytest.mark.parametrize("what", WRITES)
def test_a_read_only_disk(disk: Disk, small: Warehouse, polled: Warehouse, what: str) -> None:
    """Each command says so in one line; readers go on reading, and so do writers afterwards."""
    before = polls_of(small)
    small.publish(force=True)
    disk("small", 96, read_only=True)
    try:
        with pytest.raises(WarehouseError) as caught:
            WRITES[what](small, polled.root)
        with connect_published(small.root) as con:
            assert con.execute("SELECT count(*) FROM store.poll").fetchall() == [(before,)]
    finally:
        disk("small", 96)
    check_line(caught.value)

    assert wrong(small) == []
    small.commit([big_poll(10)])
    assert polls_of(small) == before + 1


def test_a_restore_onto_a_read_only_disk(disk: Disk, polled: Warehouse, tmp_path: Path) -> None:
    """Said in one line; the backup is as it was."""
    make_backup(polled, tmp_path / "backup")
    folder = disk("new", 96, read_only=True)
    with pytest.raises(WarehouseError) as caught:
        restore(Warehouse(folder / "data", polled.stamp), tmp_path / "backup")
    check_line(caught.value)
    check_backup(tmp_path / "backup")


# Does what it is told, where no file may grow beyond so many bytes.
LIMITED = """
import resource, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from test_disks import big_poll
from ccpay_io.care.backup import make_backup
from ccpay_io.care.rebuild import rebuild
from ccpay_io.care.restore import restore
from ccpay_io.client import Exchange
from ccpay_io.errors import WarehouseError
from ccpay_io.store.writer import Warehouse

what, root, stamp, other, limit = sys.argv[2:]
resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), resource.RLIM_INFINITY))
warehouse = Warehouse(Path(root), stamp)
try:
    if what == "poll":
        warehouse.commit([big_poll()])
    elif what == "publication":
        warehouse.publish(force=True)
    elif what == "backup":
        make_backup(warehouse, Path(other))
    elif what == "restore":
        restore(warehouse, Path(other))
    else:
        rebuild(warehouse)
except WarehouseError as error:
    print(error, error.hint, sep="\\n")
    sys.exit(3)
"""


@pytest.mark.parametrize("what", ["poll", "publication", "backup", "restore", "rebuild"])
def test_a_file_that_must_not_grow(
    polled: Warehouse, tmp_path: Path, differences: Callable[..., Any], what: str
) -> None:
    """A quota, as the kernel enforces it: refused in one line, nothing is lost, nothing is left."""
    with polled.settled():
        shutil.copyfile(polled.private, tmp_path / "whole.duckdb")
    size = polled.private.stat().st_size
    victim, other = polled, tmp_path / "backup"
    if what == "restore":
        make_backup(polled, other)
        victim = Warehouse(tmp_path / "elsewhere", polled.stamp)
    limit = 200_000 if what == "poll" else size // 2
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(Path(__file__).parent), what, str(victim.root),
         polled.stamp, str(other), str(limit)],
        capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip

    assert done.returncode == 3, done.stderr
    assert "cannot write" in done.stdout.splitlines()[0]
    assert len(done.stdout.splitlines()) == 2
    assert wrong(polled) == []
    assert differences(tmp_path / "whole.duckdb", polled.private) == {}
    assert other.exists() == (what == "restore")
    assert not (polled.root / "rebuild").exists()
