"""The care of a warehouse: what verify needs, what it makes others wait for, what it makes."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from filelock import FileLock, Timeout

from ccpay_io.client import Exchange
from ccpay_io.errors import NothingPublished
from ccpay_io.feeds.poll import Poll
from ccpay_io.store.raw import raw_sha256, read_raw, write_raw
from ccpay_io.store.verify import Finding, verify
from ccpay_io.store.writer import Warehouse

NOW = datetime(2026, 11, 23, 10, 2, tzinfo=UTC)
PROMISE = "raw files have the content that the ledger names"


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    """A warehouse with one failed poll that has a raw file."""
    header = {"feed": "fiats", "poll_id": 1, "started_at": NOW.isoformat()}
    # Longer than what is read at once.
    exchange = Exchange("getFiatList", b"{}", 200, b"x" * 3_000_000, NOW)
    raw = write_raw(tmp_path, header, [exchange], redact=str)
    made = Warehouse(tmp_path, "sandbox")
    poll = Poll(
        poll_id=1, feed="fiats", outcome="failed", started_at=NOW, observed_at=NOW, requests=1,
        answers={}, error_name="NotJson", writer="test:1", cadence_s=900, raw=raw,
    )  # fmt: skip
    made.commit([poll])
    return made


def the_raw_file(warehouse: Warehouse) -> Path:
    """The one raw file."""
    (file,) = (warehouse.root / "raw").rglob("*.zst")
    return file


def about_raw_files(warehouse: Warehouse) -> Finding:
    """What verify says of them."""
    (finding,) = [each for each in verify(warehouse) if each.what == PROMISE]
    return finding


@pytest.mark.parametrize("existing", [True, False])
def test_a_folder_without_a_warehouse_is_not_ok(tmp_path: Path, existing: bool) -> None:
    """There is nothing to verify, it says what to run, and nothing is made."""
    folder = tmp_path / "data"
    if existing:
        folder.mkdir()
    with pytest.raises(NothingPublished) as caught:
        verify(Warehouse(folder, "sandbox"))
    assert "ccpay poll" in caught.value.hint
    assert list(tmp_path.rglob("*")) == ([folder] if existing else [])


def test_writers_do_not_wait_for_the_raw_files(warehouse: Warehouse) -> None:
    """While a raw file is read, here a pipe that gives nothing yet, the writers' lock is free."""
    file = the_raw_file(warehouse)
    whole = file.read_bytes()
    file.unlink()
    os.mkfifo(file)
    with ThreadPoolExecutor() as pool:
        finding = pool.submit(about_raw_files, warehouse)
        # Opens when the other end does: verify is now reading.
        with file.open("wb") as pipe:
            lock = FileLock(warehouse.private.parent / "writer.lock", timeout=0)
            free = True
            try:
                lock.acquire()
            except Timeout:
                free = False
            lock.release()
            pipe.write(whole)
    assert finding.result().ok
    assert free


def test_the_hash_is_that_of_the_content(warehouse: Warehouse) -> None:
    """Read in parts or at once, it is the one that the ledger has."""
    file = the_raw_file(warehouse)
    name = f"{file.parent.name}/{file.name}"
    sha256, lines = read_raw(warehouse.root, name)
    assert raw_sha256(warehouse.root, name) == sha256
    assert len(lines) == 2
    assert file.name.endswith(f"-{sha256[:16]}.jsonl.zst")


@pytest.mark.parametrize("damage", ["other", "cut", "empty"])
def test_a_damaged_raw_file_is_named(warehouse: Warehouse, damage: str) -> None:
    """Whether it is something else, was cut short, or has other content."""
    file = the_raw_file(warehouse)
    whole = file.read_bytes()
    file.write_bytes({"other": b"not zstd", "cut": whole[: len(whole) // 2], "empty": b""}[damage])
    finding = about_raw_files(warehouse)
    assert not finding.ok
    assert file.name in finding.detail


def test_a_raw_file_beyond_its_retention_is_no_damage(warehouse: Warehouse) -> None:
    """What was pruned is counted, not complained about."""
    the_raw_file(warehouse).unlink()
    assert about_raw_files(warehouse).detail == "0 files, 1 beyond their retention"
