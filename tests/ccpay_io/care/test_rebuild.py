"""A rebuild gives back what was there, or says what it lacks and changes nothing."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ccpay_io.care.backup import make_backup
from ccpay_io.care.carrying import CARRIED, MADE_AGAIN
from ccpay_io.care.rebuild import rebuild
from ccpay_io.client import Exchange
from ccpay_io.errors import ConfigError, NothingPublished, WarehouseError, WrongEnvironment
from ccpay_io.feeds.poll import Poll, utc_now
from ccpay_io.store.datasets import DATASETS
from ccpay_io.store.raw import read_raw, write_raw
from ccpay_io.store.reading import connect_published
from ccpay_io.store.sealing import seal
from ccpay_io.store.verify import verify
from ccpay_io.store.writer import Warehouse

# The first test of a process also makes the polled warehouse: half a minute of polls.
pytestmark = pytest.mark.timeout(300)

# Without the old file; what is watched is also in what operations see of each chain.
LOST = {*(f"store.{table}" for table in CARRIED), "store.chain_status_ready"}

Differences = Callable[..., dict[str, int]]


def before_of(warehouse: Warehouse) -> Path:
    """The file that a rebuild replaced."""
    return warehouse.private.with_name("before-rebuild.duckdb")


def wrong(warehouse: Warehouse) -> list[Any]:
    """The promises that do not hold."""
    return [finding for finding in verify(warehouse) if not finding.ok]


def failed_poll(error_name: str = "TimedOut") -> Poll:
    """A poll without answers and without a raw file, as earlier releases left them."""
    now = utc_now()
    return Poll(
        poll_id=int(now.timestamp() * 1e6), feed="fiats", outcome="failed", started_at=now,
        observed_at=now, requests=3, error_name=error_name, writer="test:1", cadence_s=900,
    )  # fmt: skip


def execute(path: Path, sql: str) -> list[tuple[Any, ...]]:
    """Runs SQL on a private file that nobody else has open."""
    con = duckdb.connect(str(path))
    try:
        con.execute("SET TimeZone = 'UTC'")
        return con.execute(sql).fetchall()
    finally:
        con.close()


def test_polls_of_every_kind_were_polled(polled: Warehouse) -> None:
    """What the other tests rebuild has each outcome, refusals, quarantine, deadlines, a ban."""
    outcomes = execute(polled.private, "SELECT DISTINCT outcome FROM store.poll")
    errors = execute(polled.private, "SELECT DISTINCT error_name FROM store.poll")
    spans = "SELECT DISTINCT unknown_reason FROM store.{}_span"
    reasons = [
        row for dataset in DATASETS for row in execute(polled.private, spans.format(dataset))
    ]

    assert {row[0] for row in outcomes} == {"ok", "partial", "failed", "skipped"}
    assert {row[0] for row in errors} >= {
        "SuspectList", "NothingToAsk", "BreakerOpen", "MaliciousReq", "CutBody", "NotJson",
        "TimedOut", "Failed",
    }  # fmt: skip
    assert {row[0] for row in reasons} >= {"deadline", "drift", "11002 Internal"}


def test_everything_is_as_it_was(polled: Warehouse, differences: Differences) -> None:
    """Every row of every view and every base table; verify and the publication are clean."""
    polls = execute(polled.private, "SELECT count(*) FROM store.poll")[0][0]
    seen: list[tuple[int, int]] = []

    done = rebuild(polled, on_progress=lambda made, total: seen.append((made, total)))

    assert differences(before_of(polled), polled.private, views=True) == {}
    assert done.made_again == polls == seen[-1][0] == seen[-1][1]
    assert done.carried is not None
    assert done.carried.differing == 0
    assert wrong(polled) == []
    with connect_published(polled.root) as con:
        assert con.execute("SELECT count(*) FROM store.poll").fetchall() == [(polls,)]
    assert not (polled.root / "rebuild").exists()


def test_without_the_private_file_raw_answers_are_enough(
    polled: Warehouse, differences: Differences
) -> None:
    """Every poll left a raw file; only what no poll writes is gone, and that is said."""
    old = polled.private.rename(polled.root / "lost.duckdb")

    done = rebuild(polled)

    assert done.carried is None
    assert set(differences(old, polled.private)) <= LOST
    assert wrong(polled) == []


def test_damage_in_the_rows_is_repaired(polled: Warehouse, differences: Differences) -> None:
    """A wrong amount in the file is not in the rebuilt one."""
    whole = shutil.copyfile(polled.private, polled.root / "whole.duckdb")
    execute(polled.private, "UPDATE store.withdraw_fee_current SET fee_amount = fee_amount + 1")

    rebuild(polled)

    assert differences(whole, polled.private) == {}


def test_polls_that_are_committed_meanwhile_are_not_lost(
    polled: Warehouse, differences: Differences
) -> None:
    """Writers go on while a rebuild works; what they bring is made again under the lock."""
    mine = Warehouse(polled.root, polled.stamp)

    def step(name: str) -> None:
        if name == "rebuild:verify":
            mine.commit([failed_poll("ComeMeanwhile")])

    done = rebuild(polled, on_step=step)

    assert differences(before_of(polled), polled.private) == {}
    found = execute(polled.private, "SELECT count(*) FROM store.poll")
    assert found == [(done.made_again,)]
    assert wrong(polled) == []


def test_a_poll_without_answers_needs_no_raw_file(
    polled: Warehouse, differences: Differences
) -> None:
    """Its ledger row is all there is to know."""
    polled.commit([failed_poll()])
    (name,) = execute(
        polled.private, "SELECT raw_name FROM store.poll WHERE error_name = 'NotJson' LIMIT 1"
    )[0]
    (polled.root / "raw" / name).unlink()

    rebuild(polled)

    assert differences(before_of(polled), polled.private) == {}


def _first_raw(warehouse: Warehouse) -> Path:
    """The raw file of the first poll that had answers."""
    sql = "SELECT raw_name FROM store.poll WHERE outcome = 'ok' ORDER BY poll_id LIMIT 1"
    ((name,),) = execute(warehouse.private, sql)
    return warehouse.root / "raw" / name


@pytest.mark.parametrize("damage", ["gone", "cut", "another", "older"])
def test_answers_that_are_gone_or_damaged_stop_it(polled: Warehouse, damage: str) -> None:
    """Nothing is lost in silence: one line says what is missing, nothing is changed."""
    file = _first_raw(polled)
    if damage == "gone":
        file.unlink()
    elif damage == "cut":
        file.write_bytes(file.read_bytes()[:100])
    elif damage == "another":
        file.write_bytes(next(p for p in file.parent.iterdir() if p != file).read_bytes())
    else:
        _as_of_an_earlier_release(polled, file)
    before = polled.private.read_bytes()

    with pytest.raises(WarehouseError) as caught:
        rebuild(polled)

    assert "--from BACKUP" in caught.value.hint
    assert polled.private.read_bytes() == before
    assert not (polled.root / "rebuild").exists()


def _as_of_an_earlier_release(warehouse: Warehouse, file: Path) -> None:
    """Writes a raw file as it was when its header had no number of its format."""
    name = file.relative_to(warehouse.root / "raw").as_posix()
    lines = read_raw(warehouse.root, name)[1]
    header = {key: value for key, value in lines[0].items() if key != "format"}
    exchange = Exchange(lines[1]["endpoint"], b"{}", 200, lines[1]["response"].encode(), utc_now())
    raw = write_raw(warehouse.root, header, [exchange], redact=str)
    execute(
        warehouse.private,
        f"UPDATE store.poll SET raw_name = '{raw.name}', raw_sha256 = '{raw.sha256}'"
        f" WHERE raw_name = '{name}'",
    )


def test_a_backup_gives_what_raw_answers_lack(
    polled: Warehouse, differences: Differences, tmp_path: Path
) -> None:
    """With --from, the history before the raw answers is that of the backup; later polls follow."""
    make_backup(polled, tmp_path / "backup")
    shutil.rmtree(polled.root / "raw")
    polled.commit([failed_poll()])

    done = rebuild(polled, backup=tmp_path / "backup")

    assert (done.from_backup > 30, done.made_again) == (True, 1)
    assert differences(before_of(polled), polled.private) == {}
    assert wrong(polled) == []


def test_an_older_backup_and_the_raw_answers_since_then(
    polled: Warehouse, differences: Differences, tmp_path: Path
) -> None:
    """Also when the writers' file itself is lost: a backup and raw answers give every poll."""
    half = Warehouse(tmp_path / "half", polled.stamp)
    shutil.copytree(polled.root / "raw", half.root / "raw")
    names = sorted((half.root / "raw").rglob("*.zst"), key=lambda path: path.name.split("-")[-2])
    for file in names[len(names) // 2 :]:
        file.unlink()
    rebuild(half)
    make_backup(half, tmp_path / "backup")
    whole = polled.private.rename(tmp_path / "whole.duckdb")
    for file in names[: len(names) // 2]:
        (polled.root / "raw" / file.relative_to(half.root / "raw")).unlink()

    done = rebuild(polled, backup=tmp_path / "backup")

    assert done.from_backup + done.made_again == len(names)
    assert set(differences(whole, polled.private)) <= LOST
    assert wrong(polled) == []


def _seal(warehouse: Warehouse) -> None:
    """As if two months had gone by."""
    assert seal(warehouse, utc_now() + timedelta(days=62))
    warehouse.commit([failed_poll()])


def test_sealed_months_are_hot_again_as_far_as_raw_answers_reach(
    polled: Warehouse, differences: Differences
) -> None:
    """Every view gives the same rows; the months are sealed anew when it is time."""
    _seal(polled)

    rebuild(polled)

    differing = differences(before_of(polled), polled.private, views=True)
    assert [name for name in differing if name.startswith("main.")] == []
    assert wrong(polled) == []


def test_sealed_months_stay_sealed_in_a_backup(
    polled: Warehouse, differences: Differences, tmp_path: Path
) -> None:
    """Started from a backup, the files are the same, also when they are gone from the folder."""
    _seal(polled)
    make_backup(polled, tmp_path / "backup")
    shutil.rmtree(polled.root / "raw")
    with pytest.raises(WarehouseError, match="would lose polls"):
        rebuild(polled)
    names = {path.name for path in (polled.root / "sealed").iterdir()}
    assert len(names) > 5

    rebuild(polled, backup=tmp_path / "backup")

    assert differences(before_of(polled), polled.private, views=True) == {}
    polled.private.unlink()
    shutil.rmtree(polled.root / "sealed")
    (polled.root / "raw").mkdir()
    rebuild(polled, backup=tmp_path / "backup")
    assert {path.name for path in (polled.root / "sealed").iterdir()} == names
    assert wrong(polled) == []


def test_sealed_months_without_a_ledger_need_a_backup_that_has_them(
    polled: Warehouse, tmp_path: Path
) -> None:
    """Only the ledger knows what is in them: it stops without a backup, or with an older one."""
    make_backup(polled, tmp_path / "older")
    _seal(polled)
    polled.private.unlink()

    for backup in (None, tmp_path / "older"):
        with pytest.raises(WarehouseError, match="sealed files, the first is sealed/"):
            rebuild(polled, backup=backup)
    assert not polled.private.exists()


def test_a_file_that_cannot_be_read_is_not_taken_for_none(polled: Warehouse) -> None:
    """What it held beside the polls would be lost: it says how to do without it."""
    polled.private.write_bytes(b"garbage" * 5000)

    with pytest.raises(WarehouseError, match="cannot be read") as caught:
        rebuild(polled)

    assert f"mv {polled.private}" in caught.value.hint
    assert polled.private.read_bytes() == b"garbage" * 5000


def test_nothing_to_rebuild_from(tmp_path: Path) -> None:
    """A folder without a warehouse and without raw answers: said, and nothing is made."""
    with pytest.raises(NothingPublished):
        rebuild(Warehouse(tmp_path / "none", "sandbox"))
    assert not (tmp_path / "none").exists()


def test_a_backup_of_another_environment_is_refused(polled: Warehouse, tmp_path: Path) -> None:
    """Made-up data never becomes the history of an account."""
    sandbox = Warehouse(tmp_path / "other", "sandbox")
    sandbox.commit([failed_poll()])
    make_backup(sandbox, tmp_path / "backup")

    with pytest.raises(WrongEnvironment):
        rebuild(polled, backup=tmp_path / "backup")


def test_two_rebuilds_do_not_meet(polled: Warehouse) -> None:
    """The second says that another is at work."""

    def step(name: str) -> None:
        if name == "rebuild:replay":
            with pytest.raises(ConfigError, match="another rebuild"):
                rebuild(polled)

    rebuild(polled, on_step=step)


def test_every_table_is_made_again_or_carried_over(polled: Warehouse) -> None:
    """A new table needs a decision: do polls write it, or is it lost without being copied?"""
    names = execute(
        polled.private,
        "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'store' ORDER BY 1",
    )
    of_datasets = tuple(f"{name}_" for name in DATASETS)
    others = {name for (name,) in names if not name.startswith(of_datasets)}
    assert others == {*CARRIED, *MADE_AGAIN}
