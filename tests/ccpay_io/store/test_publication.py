"""Publication: readers get a whole file, always, and never meet the writer."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from killing import Step, kill_at
from leases import needs_leases

from ccpay_io.feeds.poll import Answers, Poll, poll_id_at, utc_now
from ccpay_io.store.datasets import DATASETS
from ccpay_io.store.publication import newest_version, stable_path, versions
from ccpay_io.store.reading import connect_published
from ccpay_io.store.verify import verify
from ccpay_io.store.writer import Warehouse

pytestmark = pytest.mark.folder

STEPS = ("begin", "observations", "ledger", "alerts", "commit", "committed")
PUBLISH_STEPS = (
    "publish:retire",
    "publish:copy",
    "publish:version",
    "publish:stable",
    "publish:prune",
    "export:write",
    "export:replace",
)


def _write_and_publish(root: Path, acknowledged: Path, *, on_step: Step) -> None:
    """Commits and publishes two polls of 200 fees; notes in a file what is acknowledged."""
    warehouse = Warehouse(root, "test", on_step=on_step)
    with acknowledged.open("a") as note:
        for number in range(2):
            at = utc_now()
            rows = [
                {
                    "coin_id": coin, "chain": "ETH", "state": "ok",
                    "fee_amount": Decimal(number), "fee_coin_id": 1,
                }
                for coin in range(200)
            ]  # fmt: skip
            answers = {"withdraw_fee": Answers(DATASETS["withdraw_fee"].frame(rows))}
            poll = Poll(
                poll_id_at(at), "fees", "ok", at, at, 200, answers,
                writer=str(os.getpid()), cadence_s=300,
            )  # fmt: skip
            warehouse.commit([poll])
            print("committed", file=note, flush=True)
            warehouse.publish(force=True)
            print("published", file=note, flush=True)


def _kill_at(root: Path, step: str) -> list[str]:
    """The writer until it kills itself in its second poll; what it had acknowledged before."""
    note = root / "acknowledged"
    note.unlink(missing_ok=True)
    kill_at(step, _write_and_publish, root, note, skip=1)
    return note.read_text("utf-8").split()


def _with_old_versions(warehouse: Warehouse) -> Warehouse:
    """As many versions as are kept, so that the next publication retires one."""
    for _ in range(5):
        warehouse.publish(force=True)
    return warehouse


def _check_whole(warehouse: Warehouse, acknowledged: list[str], before: int) -> int:
    """Nothing acknowledged is lost, nothing is half there; returns the polls in the ledger."""
    with connect_published(warehouse.root) as con:
        published = con.execute("SELECT count(*) FROM store.poll").fetchone()[0]
        torn = con.execute(
            "SELECT count(*) FROM"
            " (SELECT poll_id FROM withdraw_fee_snapshot GROUP BY 1 HAVING count(*) <> 200)"
        ).fetchone()[0]
    assert published >= before + acknowledged.count("published")
    assert torn == 0
    assert [finding for finding in verify(warehouse) if not finding.ok] == []
    with warehouse.transaction() as con:
        polls: int = con.execute("SELECT count(*) FROM store.poll").fetchone()[0]
    assert polls >= before + acknowledged.count("committed")
    return polls


@pytest.mark.slow
def test_a_kill_at_any_step_loses_nothing_and_the_next_poll_works(warehouse: Warehouse) -> None:
    """Kill -9 in a commit or a publication: the published file opens, whole; verify is clean."""
    polls = 0
    _with_old_versions(warehouse)
    for step in (*STEPS, *PUBLISH_STEPS, "begin"):
        acknowledged = _kill_at(warehouse.root, step)
        assert acknowledged[0] == "committed"
        polls = _check_whole(warehouse, acknowledged, polls)


@pytest.mark.torture
@pytest.mark.timeout(600)
@pytest.mark.parametrize("step", [*STEPS, *PUBLISH_STEPS])
def test_twenty_kills_in_a_row_at_a_step_lose_nothing(warehouse: Warehouse, step: str) -> None:
    """The same, twenty times in the same warehouse."""
    polls = 0
    _with_old_versions(warehouse)
    for _ in range(20):
        polls = _check_whole(warehouse, _kill_at(warehouse.root, step), polls)
    assert polls >= 20


def test_published_files_are_read_only_and_old_versions_go(
    warehouse: Warehouse, poll: Any, fee: Any
) -> None:
    """Mode 0444, the newest version is the stable file, five versions stay."""
    for minute in range(8):
        warehouse.commit([poll(minute, {(1, "ETH"): fee(str(minute))})])
        warehouse.publish(force=True)

    kept = sorted((warehouse.root / "versions").iterdir())

    assert kept == versions(warehouse.root)
    assert len(kept) == 5
    assert stat.S_IMODE(kept[-1].stat().st_mode) == 0o444
    assert kept[-1].samefile(stable_path(warehouse.root))
    assert kept[-1] == newest_version(warehouse.root)


@needs_leases
def test_an_old_version_becomes_the_next_one(warehouse: Warehouse, poll: Any, fee: Any) -> None:
    """The sixth publication is the first one's file, written over: the same answers as a copy."""
    _with_old_versions(warehouse)
    first = versions(warehouse.root)[0].stat().st_ino

    warehouse.commit([poll(0, {(1, "ETH"): fee("6")})])
    newest = warehouse.publish(force=True)

    assert newest.stat().st_ino == first
    assert newest.read_bytes() == warehouse.private.read_bytes()
    assert stat.S_IMODE(newest.stat().st_mode) == 0o444
    assert len(versions(warehouse.root)) == 5


@pytest.mark.parametrize("held", ["opened", "linked"])
def test_what_somebody_holds_of_an_old_version_never_changes(
    warehouse: Warehouse, poll: Any, fee: Any, tmp_path: Path, held: str
) -> None:
    """A reader that has it open, or a hard link to it, keeps its content for ever."""
    _with_old_versions(warehouse)
    first, link = versions(warehouse.root)[0], tmp_path / "kept.duckdb"
    content = first.read_bytes()
    with first.open("rb") as reader:
        if held == "linked":
            os.link(first, link)
            reader.close()

        warehouse.commit([poll(0, {(1, "ETH"): fee("6")})])
        newest = warehouse.publish(force=True)

        assert (link.read_bytes() if held == "linked" else reader.read()) == content
    assert newest.read_bytes() == warehouse.private.read_bytes()
    assert not first.exists()


@needs_leases
def test_a_publication_without_news_is_young_all_the_same(warehouse: Warehouse) -> None:
    """Nothing differed, so nothing was written: what the next one waits for is its age."""
    _with_old_versions(warehouse)
    for version in versions(warehouse.root):
        os.utime(version, (0, 0))

    warehouse.publish(force=True)

    assert warehouse.publish(force=False) is None


def test_a_write_ahead_log_left_by_a_careless_reader_poisons_nothing(
    warehouse: Warehouse, poll: Any, fee: Any
) -> None:
    """Someone opened the stable name read-write and died: the next publication is clean."""
    warehouse.commit([poll(0, {(1, "ETH"): fee("1")})])
    warehouse.publish(force=True)
    stable = stable_path(warehouse.root)
    code = (
        "import duckdb, os, sys; con = duckdb.connect(sys.argv[1]);"
        " con.execute('SET wal_autocheckpoint = \"1GB\"');"
        " con.execute(\"INSERT INTO store.stamp VALUES ('intruder', now())\"); os._exit(9)"
    )
    stable.chmod(0o644)
    subprocess.run([sys.executable, "-c", code, str(stable)], check=False)
    assert stable.with_name("ccpay.duckdb.wal").exists()

    warehouse.publish(force=True)

    con = duckdb.connect(str(stable), read_only=True)
    stamps = con.execute("SELECT environment FROM store.stamp").fetchall()
    con.close()
    assert stamps == [("test",)]


def test_a_copy_elsewhere_answers_the_same(
    warehouse: Warehouse, poll: Any, fee: Any, tmp_path: Path
) -> None:
    """The file is all there is: copied, opened directly or attached under another name."""
    warehouse.commit([poll(0, {(1, "ETH"): fee("0.000000000000000001")})])
    warehouse.publish(force=True)
    copy = tmp_path / "elsewhere" / "other name.duckdb"
    copy.parent.mkdir()
    shutil.copyfile(stable_path(warehouse.root), copy)
    sql = "SELECT coin_id, chain, state, fee_amount::VARCHAR FROM {}withdraw_fee_now"

    with connect_published(warehouse.root) as con:
        expected = con.execute(sql.format("")).fetchall()
    con = duckdb.connect(str(copy), read_only=True)
    assert expected == con.execute(sql.format("")).fetchall()
    con.close()
    con = duckdb.connect()
    con.execute(f"ATTACH '{copy}' AS elsewhere (READ_ONLY)")
    assert expected == con.execute(sql.format("elsewhere.")).fetchall()
    con.close()


READER = """
import sys, time
from pathlib import Path
from ccpay_io.store.reading import connect_published
root, ends, newest = Path(sys.argv[1]), time.monotonic() + float(sys.argv[2]), 0
reads = 0
while time.monotonic() < ends:
    with connect_published(root) as con:
        polls, torn = con.execute('''
            SELECT (SELECT count(*) FROM store.poll),
                   (SELECT count(*) FROM (SELECT poll_id FROM withdraw_fee_snapshot
                                          GROUP BY 1 HAVING count(*) <> 50))''').fetchone()
    assert torn == 0 and polls >= newest, (torn, polls, newest)
    newest, reads = polls, reads + 1
print(reads, newest)
"""


def _side_by_side(warehouse: Warehouse, poll: Any, fee: Any, seconds: float) -> tuple[int, int]:
    """A reader process in a loop beside a writer in a loop: (reads, polls written)."""
    rows = {(coin, "ETH"): fee("1") for coin in range(50)}
    warehouse.commit([poll(0, rows)])
    warehouse.publish(force=True)
    reader = subprocess.Popen(
        [sys.executable, "-c", READER, str(warehouse.root), str(seconds)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    written, ends = 1, time.monotonic() + seconds
    while time.monotonic() < ends or reader.poll() is None:
        changed = {pair: fee(str(written % 7)) for pair in rows}
        warehouse.commit([poll(written, changed)])
        warehouse.publish(force=True)
        written += 1
    out, err = reader.communicate()
    assert reader.returncode == 0, err
    reads, newest = map(int, out.split())
    assert newest <= written
    return reads, written


@pytest.mark.slow
def test_readers_and_a_writer_never_meet(warehouse: Warehouse, poll: Any, fee: Any) -> None:
    """Three seconds side by side: no error on either side, every read whole and never older."""
    reads, written = _side_by_side(warehouse, poll, fee, 3)

    # How many, the machine decides; one is what was there before they met.
    assert reads > 1
    assert written > 1


@pytest.mark.torture
@pytest.mark.timeout(150)
def test_readers_and_a_writer_never_meet_for_a_minute(
    warehouse: Warehouse, poll: Any, fee: Any
) -> None:
    """The same for a minute."""
    reads, written = _side_by_side(warehouse, poll, fee, 60)

    print(f"{reads} reads, {written} commits with publication, no error")  # noqa: T201
    assert reads > 60


def test_an_open_connection_keeps_its_publication(
    warehouse: Warehouse, poll: Any, fee: Any
) -> None:
    """What was opened stays consistent; what is opened anew beside it sees the new version."""
    count = "SELECT count(*) FROM store.poll"
    warehouse.commit([poll(0, {(1, "ETH"): fee("1")})])
    warehouse.publish(force=True)
    with connect_published(warehouse.root) as old:
        warehouse.commit([poll(5, {(1, "ETH"): fee("2")})])
        warehouse.publish(force=True)
        with connect_published(warehouse.root) as new:
            assert old.execute(count).fetchall() == [(1,)]
            assert new.execute(count).fetchall() == [(2,)]
