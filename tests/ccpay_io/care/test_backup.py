"""A backup is consistent, complete and checked; what it restores is what was there."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import stat
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ccpay_io.care.backup import make_backup
from ccpay_io.care.manifest import NAME, check_backup
from ccpay_io.care.restore import restore
from ccpay_io.errors import ConfigError, NothingPublished, WarehouseError, WrongEnvironment
from ccpay_io.feeds.poll import Poll, utc_now
from ccpay_io.settings import Settings
from ccpay_io.store.publication import newest_version
from ccpay_io.store.sealing import seal
from ccpay_io.store.verify import verify
from ccpay_io.store.writer import Warehouse

# The first test of a process also makes the polled warehouse: half a minute of polls.
pytestmark = pytest.mark.timeout(300)


def empty_poll(number: int) -> Poll:
    """A poll without answers."""
    now = utc_now()
    return Poll(
        poll_id=int(now.timestamp() * 1e6), feed="fiats", outcome="failed", started_at=now,
        observed_at=now, requests=number, error_name="TimedOut", writer="test:1", cadence_s=900,
    )  # fmt: skip


@pytest.fixture
def backup(polled: Warehouse, tmp_path: Path) -> Path:
    """A backup of a polled warehouse."""
    return make_backup(polled, tmp_path / "backups" / "today").folder


@pytest.fixture
def elsewhere(polled: Warehouse, tmp_path: Path) -> Warehouse:
    """An empty folder for the same environment."""
    return Warehouse(tmp_path / "elsewhere", polled.stamp)


def test_what_is_restored_is_what_was_there(
    polled: Warehouse, backup: Path, elsewhere: Warehouse, differences: Callable[..., Any]
) -> None:
    """Every view and table, every raw file, the limits; published, and every promise holds."""
    done = restore(elsewhere, backup)

    assert [finding for finding in done.findings if not finding.ok] == []
    assert differences(polled.private, elsewhere.private, views=True) == {}
    for file in (polled.root / "raw").rglob("*.zst"):
        assert (elsewhere.root / file.relative_to(polled.root)).read_bytes() == file.read_bytes()
    rows = "SELECT account, used FROM pace"
    with closing(sqlite3.connect(polled.root / "limits.sqlite")) as con:
        expected = con.execute(rows).fetchall()
    with closing(sqlite3.connect(elsewhere.root / "limits.sqlite")) as con:
        assert con.execute(rows).fetchall() == expected
    assert expected[0][1] > 300
    assert newest_version(elsewhere.root) is not None


def test_sealed_months_come_along(
    polled: Warehouse, elsewhere: Warehouse, differences: Callable[..., Any], tmp_path: Path
) -> None:
    """The restored warehouse has its own sealed files and answers the same without the old one."""
    seal(polled, utc_now() + timedelta(days=62))
    polled.commit([empty_poll(1)])
    make_backup(polled, tmp_path / "backup")

    done = restore(elsewhere, tmp_path / "backup")

    assert done.manifest.polls > 30
    assert [finding for finding in done.findings if not finding.ok] == []
    assert differences(polled.private, elsewhere.private, views=True) == {}
    polled.root.rename(tmp_path / "gone")
    with elsewhere.transaction() as con:
        assert con.execute("SELECT count(*) FROM withdraw_fee_snapshot").fetchall() > [(0,)]


def test_a_backup_lists_all_that_it_holds(backup: Path) -> None:
    """The manifest has every file with size and hash; nobody else may read the folder."""
    manifest, size = check_backup(backup)

    found = {p.relative_to(backup).as_posix() for p in backup.rglob("*") if p.is_file()}
    assert found == {*manifest.files, NAME}
    assert size == sum(entry.size for entry in manifest.files.values())
    assert {"warehouse.duckdb", "limits.sqlite"} < set(manifest.files)
    assert stat.S_IMODE(backup.stat().st_mode) == 0o700
    assert list(backup.parent.iterdir()) == [backup]


def test_raw_files_take_no_space_on_the_same_file_system(polled: Warehouse, backup: Path) -> None:
    """They never change, so a second name is enough; retention takes only the first."""
    raw = next((backup / "raw").rglob("*.zst"))
    assert raw.stat().st_nlink == 2
    shutil.rmtree(polled.root / "raw")
    check_backup(backup)


def test_where_links_cannot_be_files_are_copied(
    polled: Warehouse, elsewhere: Warehouse, other_disk: Path
) -> None:
    """On another file system, both ways."""
    made = make_backup(polled, other_disk / "backup")

    done = restore(elsewhere, other_disk / "backup")

    assert done.manifest.polls == made.polls
    assert [finding for finding in done.findings if not finding.ok] == []


def test_writers_wait_only_for_the_private_file(polled: Warehouse, tmp_path: Path) -> None:
    """While raw files are copied the lock is free: a poll commits, and is not in the backup."""
    seen: list[str] = []

    def step(name: str) -> None:
        seen.append(name)
        if name == "backup:files":
            polled.commit([empty_poll(1)])

    before = make_backup(polled, tmp_path / "one")
    during = make_backup(polled, tmp_path / "two", on_step=step)
    after = make_backup(polled, tmp_path / "three")

    assert (during.polls - before.polls, after.polls - before.polls) == (0, 1)
    assert seen == ["backup:private", "backup:files", "backup:manifest", "backup:name"]


@pytest.mark.slow
def test_a_backup_beside_a_busy_writer_is_whole(
    polled: Warehouse, elsewhere: Warehouse, tmp_path: Path
) -> None:
    """Commits and publications go on all the time: the backup restores, verify is clean."""
    ends = False

    def write() -> int:
        written = 0
        while not ends:
            polled.commit([empty_poll(written)])
            polled.publish(force=True)
            written += 1
            # The lock is not fair: who takes it again at once leaves nobody else a chance.
            time.sleep(0.1)
        return written

    with ThreadPoolExecutor() as pool:
        writing = pool.submit(write)
        try:
            for number in range(3):
                make_backup(polled, tmp_path / f"backup-{number}")
        finally:
            ends = True
    assert writing.result() > 0

    done = restore(elsewhere, tmp_path / "backup-2")

    assert [finding for finding in done.findings if not finding.ok] == []


def test_nothing_is_overwritten(polled: Warehouse, backup: Path) -> None:
    """A name that exists is refused, also when it is empty."""
    (backup.parent / "empty").mkdir()
    for target in (backup, backup.parent / "empty"):
        with pytest.raises(ConfigError, match="exists already"):
            make_backup(polled, target)
    check_backup(backup)


def test_two_backups_of_one_name_do_not_meet(polled: Warehouse, tmp_path: Path) -> None:
    """The second says that another is at work; the first is completed."""

    def step(name: str) -> None:
        if name == "backup:files":
            with pytest.raises(ConfigError, match="another backup"):
                make_backup(polled, tmp_path / "backup")

    make_backup(polled, tmp_path / "backup", on_step=step)
    check_backup(tmp_path / "backup")


def test_there_must_be_a_warehouse(tmp_path: Path) -> None:
    """Nothing is made of nothing."""
    with pytest.raises(NothingPublished):
        make_backup(Warehouse(tmp_path / "none", "sandbox"), tmp_path / "backup")
    assert list(tmp_path.iterdir()) == []


def _damage(backup: Path, what: str) -> None:
    manifest = backup / NAME
    told = json.loads(manifest.read_text())
    raw = next(iter(sorted((backup / "raw").rglob("*.zst"))))
    match what:
        case "a file is gone":
            raw.unlink()
        case "a file is shorter":
            copy = raw.read_bytes()[:-1]
            raw.unlink()
            raw.write_bytes(copy)
        case "a byte is another":
            content = bytearray((backup / "warehouse.duckdb").read_bytes())
            content[-1] ^= 1
            (backup / "warehouse.duckdb").write_bytes(content)
        case "no manifest":
            manifest.unlink()
        case "half a manifest":
            manifest.write_text(manifest.read_text()[:200])
        case "another format":
            manifest.write_text(json.dumps({**told, "format": 99}))
        case "a name that leads outside":
            told["files"]["../outside"] = {"size": 0, "sha256": ""}
            manifest.write_text(json.dumps(told))


@pytest.mark.parametrize(
    "what",
    [
        "a file is gone",
        "a file is shorter",
        "a byte is another",
        "no manifest",
        "half a manifest",
        "another format",
        "a name that leads outside",
    ],
)
def test_a_damaged_backup_touches_nothing(backup: Path, elsewhere: Warehouse, what: str) -> None:
    """It is checked first: one line says what is wrong, and the folder is not even made."""
    _damage(backup, what)

    with pytest.raises(WarehouseError) as caught:
        restore(elsewhere, backup)

    assert "\n" not in str(caught.value)
    assert caught.value.hint
    assert not elsewhere.root.exists()


def test_data_is_never_overwritten(polled: Warehouse, backup: Path) -> None:
    """A folder with a warehouse is refused, with what to do about it."""
    before = polled.private.read_bytes()

    with pytest.raises(ConfigError, match="has a warehouse already") as caught:
        restore(polled, backup)

    assert f"mv {polled.root}" in caught.value.hint
    assert polled.private.read_bytes() == before


def test_a_backup_goes_only_where_it_belongs(backup: Path, tmp_path: Path) -> None:
    """An account's data never becomes the sandbox's, nor the other way round."""
    with pytest.raises(WrongEnvironment):
        restore(Warehouse(tmp_path / "sandbox", "sandbox"), backup)
    assert not (tmp_path / "sandbox").exists()


def test_a_left_over_log_is_not_replayed(backup: Path, elsewhere: Warehouse) -> None:
    """A .wal of a private file that is gone would be read into the restored one."""
    elsewhere.private.parent.mkdir(parents=True)
    elsewhere.private.with_name("warehouse.duckdb.wal").write_bytes(b"garbage" * 100)

    done = restore(elsewhere, backup)

    assert [finding for finding in done.findings if not finding.ok] == []


def test_limits_that_are_there_already_are_newer(backup: Path, elsewhere: Warehouse) -> None:
    """Today's count of requests and a ban are not forgotten by restoring yesterday's."""
    elsewhere.root.mkdir()
    (elsewhere.root / "limits.sqlite").write_bytes(b"")

    restore(elsewhere, backup)

    assert (elsewhere.root / "limits.sqlite").read_bytes() == b""


def test_a_warehouse_that_somebody_began_meanwhile_is_kept(
    backup: Path, elsewhere: Warehouse
) -> None:
    """A poll between the check and the copy makes a warehouse: it is not overwritten."""

    def step(name: str) -> None:
        if name == "restore:private":
            elsewhere.commit([empty_poll(7)])

    with pytest.raises(ConfigError, match="somebody began"):
        restore(elsewhere, backup, on_step=step)
    with elsewhere.transaction() as con:
        assert con.execute("SELECT requests FROM store.poll").fetchall() == [(7,)]


def test_a_moved_warehouse_answers_the_same(
    settings: Settings, polled: Warehouse, tmp_path: Path
) -> None:
    """The folder is all there is: renamed or copied, verify is clean and polls go on."""
    os.rename(polled.root, tmp_path / "moved")  # noqa: PTH104 - as `mv` does it
    moved = Warehouse(tmp_path / "moved", settings.stamp)

    moved.commit([empty_poll(1)])
    moved.publish(force=True)

    assert [finding for finding in verify(moved) if not finding.ok] == []
