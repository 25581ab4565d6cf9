"""The writer: one at a time, the right environment, and clear errors that lose nothing."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ccpay_io.errors import WarehouseError, WarehouseLocked, WrongEnvironment
from ccpay_io.store import folder
from ccpay_io.store.lake.address import Lake
from ccpay_io.store.verify import verify
from ccpay_io.store.writer import Warehouse


def lake_of(warehouse: Warehouse) -> Lake | None:
    """The lake that it is, if it is one."""
    return warehouse.place if isinstance(warehouse.place, Lake) else None


def test_a_poll_that_is_committed_again_changes_nothing(
    warehouse: Warehouse, poll: Any, fee: Any, query: Any
) -> None:
    """A rerun of the same poll is recognised."""
    once = poll(0, {(1, "ETH"): fee("1")})
    (first,) = warehouse.commit([once])
    (again,) = warehouse.commit([once])

    assert (first.new, again.new) == (True, False)
    assert query(
        "SELECT (SELECT count(*) FROM store.poll), (SELECT count(*) FROM store.withdraw_fee_span)"
    ) == [(1, 1)]


def test_a_poll_that_is_twice_in_a_batch_is_stored_once(
    warehouse: Warehouse, poll: Any, fee: Any, query: Any
) -> None:
    """As it is when the two come one after the other."""
    once = poll(0, {(1, "ETH"): fee("1")})

    first, again = warehouse.commit([once, once])

    assert (first.new, again.new) == (True, False)
    assert query("SELECT count(*) FROM store.poll") == [(1,)]


def test_a_poll_id_that_is_taken_is_raised_by_one(
    warehouse: Warehouse, poll: Any, fee: Any
) -> None:
    """Two writers that start in the same microsecond are two polls."""
    mine = poll(0, {(1, "ETH"): fee("1")})
    theirs = replace(mine, writer="another")

    first, second = warehouse.commit([mine, theirs])

    assert first.poll_id + 1 == second.poll_id


def test_a_sweep_that_ends_after_a_later_one_is_ordered_after_it(
    warehouse: Warehouse, poll: Any, fee: Any, query: Any
) -> None:
    """Overlapping sweeps: each snapshot still shows what its own poll was answered."""
    early = poll(0, {(1, "ETH"): fee("1"), (1, "TRX"): fee("5")}, writer="slow")
    warehouse.commit([poll(-5, {(1, "ETH"): fee("1"), (1, "TRX"): fee("4")})])
    warehouse.commit([poll(1, {(1, "ETH"): fee("2"), (1, "TRX"): fee("4")})])
    (late,) = warehouse.commit([early])

    shown = query(
        "SELECT chain, fee_amount::DOUBLE FROM withdraw_fee_snapshot WHERE poll_id = ? ORDER BY 1",
        late.poll_id,
    )

    assert late.poll_id > poll(1, {}).poll_id
    assert shown == [("ETH", 1.0), ("TRX", 5.0)]
    assert [(early.started_at,)] == query("SELECT started_at FROM store.poll WHERE writer = 'slow'")


def test_another_environment_is_refused(warehouse: Warehouse, poll: Any, fee: Any) -> None:
    """Sandbox data never mixes with live data."""
    warehouse.commit([poll(0, {(1, "ETH"): fee("1")})])

    with pytest.raises(WrongEnvironment, match=r"holds data of \[test\].*\[live ccpayment.com\]"):
        Warehouse(warehouse.root, "live ccpayment.com", lake=lake_of(warehouse)).commit([])


def test_an_evaluation_that_fails_rolls_the_poll_back(
    warehouse: Warehouse, poll: Any, fee: Any, query: Any
) -> None:
    """Observations, ledger and alerts are one transaction."""

    def fail(con: Any, poll: Any) -> Any:
        raise RuntimeError("alert engine")

    with pytest.raises(RuntimeError, match="alert engine"):
        warehouse.commit([poll(0, {(1, "ETH"): fee("1")})], evaluate=fail)

    assert query(
        "SELECT (SELECT count(*) FROM store.poll),"
        " (SELECT count(*) FROM store.withdraw_fee_entity),"
        " (SELECT count(*) FROM store.withdraw_fee_current)"
    ) == [(0, 0, 0)]


def test_a_folder_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    """The disk's own reason, and that nothing was lost."""
    (tmp_path / "data").write_text("not a folder")

    with pytest.raises(
        WarehouseError, match=r"cannot write .*: (Not a directory|File exists)"
    ) as caught:
        Warehouse(tmp_path / "data", "test").commit([])
    assert "nothing was lost" in caught.value.hint


@pytest.mark.folder
def test_a_damaged_file_is_one_clear_line(warehouse: Warehouse) -> None:
    """Garbage in the private file is reported, not overwritten."""
    warehouse.private.write_bytes(b"garbage" * 1000)

    with pytest.raises(WarehouseError, match="cannot write"):
        warehouse.commit([])
    assert warehouse.private.read_bytes().startswith(b"garbage")


@pytest.mark.folder
def test_a_writer_that_never_lets_go_is_reported(warehouse: Warehouse) -> None:
    """Waiting for the lock ends with what to look for."""
    patient = folder.LOCK_TIMEOUT_S
    folder.LOCK_TIMEOUT_S = 0.3
    try:
        with warehouse.transaction(), pytest.raises(WarehouseLocked, match="another writer"):
            warehouse.commit([])
    finally:
        folder.LOCK_TIMEOUT_S = patient


def test_threads_and_processes_take_turns(
    warehouse: Warehouse, poll: Any, fee: Any, query: Any
) -> None:
    """Commits from threads of one process and from another process all land, none twice."""
    code = """
import pickle, sys
from ccpay_io.store.writer import Warehouse
root, lake = pickle.loads(bytes.fromhex(sys.argv[1]))
for number in range(10):
    with Warehouse(root, "test", lake=lake).transaction() as con:
        con.execute("INSERT INTO store.watch_setting VALUES ('process', ?, NULL)", [str(number)])
"""
    other = subprocess.Popen(
        [sys.executable, "-c", code, pickle.dumps((warehouse.root, lake_of(warehouse))).hex()],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )

    def work(name: int) -> None:
        for number in range(5):
            minute = name * 100 + number
            warehouse.commit([poll(minute, {(1, "ETH"): fee(str(minute))}, writer=str(name))])

    threads = [threading.Thread(target=work, args=[name]) for name in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert other.wait() == 0
    assert query(
        "SELECT (SELECT count(*) FROM store.poll), (SELECT count(*) FROM store.watch_setting)"
    ) == [(10, 10)]
    assert [finding for finding in verify(warehouse) if not finding.ok] == []


@pytest.mark.folder
def test_a_publication_is_due_every_five_minutes(warehouse: Warehouse, poll: Any, fee: Any) -> None:
    """The first at once, the next not before five minutes have passed, or when forced."""
    warehouse.commit([poll(0, {(1, "ETH"): fee("1")})])
    first = warehouse.publish()

    assert first is not None
    assert warehouse.publish() is None
    assert warehouse.publish(force=True) is not None
    stable = warehouse.root / "ccpay.duckdb"
    os.utime(stable, (stable.stat().st_atime, stable.stat().st_mtime - 301))
    assert warehouse.publish() is not None
