"""Sealing: months become Parquet files, and no view notices."""

from __future__ import annotations

import random
import shutil
import signal
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from killing import Step, act_and_die, ended

from ccpay_io.feeds.poll import Answers, Poll, poll_id_at
from ccpay_io.store.datasets import DATASETS
from ccpay_io.store.reading import connect_published
from ccpay_io.store.sealing import retire, seal, sweep
from ccpay_io.store.verify import verify
from ccpay_io.store.writer import Warehouse

pytestmark = pytest.mark.folder

FIRST = datetime(2026, 1, 20, tzinfo=UTC)
NOW = datetime(2026, 4, 20, tzinfo=UTC)
PAIRS = [(coin, chain) for coin in (1, 2, 3) for chain in ("ETH", "TRX")]
VIEWS = (
    "withdraw_fee_snapshot",
    "withdraw_fee_history",
    "chain_status_history",
    "fiat_rate_history",
)
STEPS = ("seal:write", "seal:rename", "seal:commit", "commit", "publish:version", "sweep")


def _history() -> list[Poll]:
    """90 days, a few polls a day, with failures, gaps, refusals, and answers that hold for long."""
    chance = random.Random(7)  # noqa: S311 - an invented history is no secret
    fees = {pair: Decimal(chance.randint(1, 999)) / 100 for pair in PAIRS}
    polls = []
    for number in range(180):
        at = FIRST + timedelta(hours=12 * number)
        for offset, feed in enumerate(("chains", "fiats", "prices", "fees")):
            answers = {} if chance.random() < 0.08 else _answers(feed, fees, chance)
            gaps = any(answer.gaps for answer in answers.values())
            started = at + timedelta(seconds=offset)
            polls.append(
                Poll(
                    poll_id_at(started),
                    feed,
                    "partial" if gaps else "ok" if answers else "failed",
                    started,
                    started + timedelta(seconds=20),
                    1,
                    answers,
                    writer="t",
                    cadence_s=43_200,
                    error_name=None if answers else "TimedOut",
                )
            )
    return polls


def _answers(
    feed: str, fees: dict[tuple[int, str], Decimal], chance: random.Random
) -> dict[str, Answers]:
    if feed == "chains":
        down = chance.random() < 0.1
        state = ("maintenance", "Maintenance") if down else ("normal", "Normal")
        rows = [{"chain": "ETH", "state": state[0], "status_raw": state[1]}]
        # Never changes: one stretch over all months.
        rows.append({"chain": "TRX", "state": "normal", "status_raw": "Normal"})
        return {"chain": Answers(DATASETS["chain"].frame(rows))}
    if feed == "fiats":
        rate = Decimal(chance.randint(90, 93)) / 100
        row = {"fiat_id": 1, "state": "ok", "fiat": "EUR", "usd_rate": rate}
        return {"fiat": Answers(DATASETS["fiat"].frame([row]))}
    if feed == "prices":
        row = {"coin_id": 7, "state": "ok", "price_usd": Decimal(chance.randint(1, 3))}
        return {"coin_price": Answers(DATASETS["coin_price"].frame([row]), complete=False)}
    rows, gaps = [], []
    for coin, chain in PAIRS:
        if chance.random() < 0.04:
            gaps.append((coin, chain))
            continue
        if coin != 3 and chance.random() < 0.2:
            fees[(coin, chain)] = Decimal(chance.randint(1, 999)) / 100
        values = {"fee_amount": fees[(coin, chain)], "fee_coin_id": 7, "fee_coin": "TRX"}
        rows.append({"coin_id": coin, "chain": chain, "state": "ok", **values})
    frame = DATASETS["withdraw_fee"].frame(rows)
    return {"withdraw_fee": Answers(frame, {"deadline": gaps} if gaps else {})}


@pytest.fixture(scope="module")
def hot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse with that history, published, nothing sealed."""
    warehouse = Warehouse(tmp_path_factory.mktemp("hot") / "data", "test")
    warehouse.commit(_history())
    warehouse.publish(force=True)
    return warehouse.root


@pytest.fixture
def new(tmp_path: Path, empty_private: Path) -> Callable[[str], Warehouse]:
    """Makes an empty warehouse."""

    def make(name: str) -> Warehouse:
        made = Warehouse(tmp_path / name, "test")
        made.private.parent.mkdir(parents=True)
        shutil.copyfile(empty_private, made.private)
        return made

    return make


@pytest.fixture
def warehouse(hot: Path, tmp_path: Path) -> Warehouse:
    """A copy of it."""
    shutil.copytree(hot, tmp_path / "data")
    return Warehouse(tmp_path / "data", "test")


def _rows(root: Path) -> dict[str, list[Any]]:
    with connect_published(root) as con:
        return {
            view: con.execute(f"SELECT * FROM {view} ORDER BY ALL").fetchall() for view in VIEWS
        }


def test_sealing_changes_no_answer(warehouse: Warehouse) -> None:
    """Every history is the same, row for row, from Parquet and the hot rest; verify is clean."""
    before = _rows(warehouse.root)

    months = seal(warehouse, NOW)

    assert [f"{month.first:%Y-%m}" for month in months] == ["2026-01", "2026-02", "2026-03"]
    assert _rows(warehouse.root) == before
    assert [finding for finding in verify(warehouse) if not finding.ok] == []
    with warehouse.transaction() as con:
        hot_polls = con.execute("SELECT count(*) FROM store.poll").fetchall()[0][0]
    assert 19 * 8 <= hot_polls < 19 * 8 + 20


def test_a_rerun_of_a_poll_of_a_sealed_month_is_stored_already(warehouse: Warehouse) -> None:
    """Its ledger row is in a file: nothing is written a second time, and no id is given twice."""
    seal(warehouse, NOW)
    polls = [_history()[number] for number in (0, 200, 400, -1)]

    reruns = warehouse.commit(polls)
    others = warehouse.commit([replace(poll, writer="another") for poll in polls])

    with warehouse.transaction() as con:
        ids = con.execute("SELECT poll_id FROM store.ledger").fetchall()
    assert not any(rerun.new for rerun in reruns)
    assert all(other.new for other in others)
    assert len(set(ids)) == len(ids) == len(_history()) + 4


def test_a_new_poll_is_stored_without_a_look_into_sealed_months(warehouse: Warehouse) -> None:
    """Were the files gone, it would be stored all the same."""
    seal(warehouse, NOW)
    shutil.rmtree(warehouse.root / "sealed")

    (committed,) = warehouse.commit([replace(_history()[-1], started_at=NOW, observed_at=NOW)])

    assert committed.new


def test_sealing_leaves_the_other_views_as_they_are(warehouse: Warehouse) -> None:
    """Only those over the files are made anew: all of them would take longer than the sealing."""

    def made() -> list[tuple[Any, ...]]:
        with warehouse.transaction() as con:
            return con.execute(
                "SELECT split_part(name, ':', 1), applied_at FROM store.migration"
                " WHERE name LIKE '%:%' ORDER BY 1 DESC"
            ).fetchall()

    (views, (_, hot)) = made()
    seal(warehouse, NOW)

    assert made()[0] == views
    assert made()[1][1] > hot
    assert made() == made()


def test_sealing_leaves_the_tables_as_they_were_declared(warehouse: Warehouse) -> None:
    """What must not be NULL still must not, in the tables that were made anew too."""
    declared = "SELECT table_name, sql FROM duckdb_tables() WHERE schema_name = 'store' ORDER BY 1"
    with warehouse.transaction() as con:
        before = con.execute(declared).fetchall()

    assert seal(warehouse, NOW)

    with warehouse.transaction() as con:
        assert con.execute(declared).fetchall() == before


def test_a_month_is_sealed_48_hours_after_its_end_and_not_before(warehouse: Warehouse) -> None:
    """What is late has come by then."""
    assert seal(warehouse, datetime(2026, 2, 2, 23, 59, tzinfo=UTC)) == []
    (month,) = seal(warehouse, datetime(2026, 2, 3, tzinfo=UTC))
    assert month.begins == datetime(2026, 1, 1, tzinfo=UTC)
    assert seal(warehouse, datetime(2026, 2, 3, tzinfo=UTC)) == []


def test_polls_after_sealing_go_on_where_the_hot_part_was(new: Callable[[str], Warehouse]) -> None:
    """The same polls give the same answers, whether sealing came between them or not."""
    *early, late = (_history()[:400], _history()[400:])
    plain, mixed = new("plain"), new("mixed")
    plain.commit([*early[0], *late])
    mixed.commit(early[0])
    seal(mixed, datetime(2026, 3, 5, tzinfo=UTC))
    mixed.commit(late)
    seal(mixed, NOW)
    for each in (plain, mixed):
        each.publish(force=True)

    assert _rows(mixed.root) == _rows(plain.root)
    assert [finding for finding in verify(mixed) if not finding.ok] == []


@pytest.mark.parametrize("silent_polls", [pytest.param(30, marks=pytest.mark.torture), 150])
def test_a_feed_that_is_silent_while_its_month_is_sealed_loses_nothing(
    new: Callable[[str], Warehouse], silent_polls: int
) -> None:
    """The last polls of a month fail, of one feed or for months; what comes later ends it well."""
    polls = _history()
    silent = range(150, 150 + 4 * silent_polls)
    for number in silent:
        if number < len(polls):
            polls[number] = replace(
                polls[number], outcome="failed", answers={}, error_name="TimedOut"
            )
    plain, mixed = new("plain"), new("mixed")
    plain.commit(polls)
    for part in (polls[:240], polls[240:480], polls[480:]):
        mixed.commit(part)
        seal(mixed, part[-1].started_at + timedelta(hours=47))
        assert [finding for finding in verify(mixed) if not finding.ok] == []
    seal(mixed, NOW)
    for each in (plain, mixed):
        each.publish(force=True)

    assert _rows(mixed.root) == _rows(plain.root)
    assert [finding for finding in verify(mixed) if not finding.ok] == []


def test_a_sealed_file_can_be_read_alone(warehouse: Warehouse) -> None:
    """Polars, without the warehouse: keys, times and amounts of every pair at any time."""
    before = _rows(warehouse.root)["withdraw_fee_history"]
    seal(warehouse, NOW)
    (file,) = (warehouse.root / "sealed").glob("withdraw_fee-2026-02-*.parquet")

    frame = pl.read_parquet(file)

    begins, ends = datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)
    assert frame["valid_from"].min() >= begins
    assert frame["valid_to"].max() == ends
    known = frame.filter(pl.col("unknown_reason").is_null()).sort("coin_id", "chain", "valid_from")
    amounts = {
        (coin, chain, start, Decimal(int(digits)).scaleb(-scale))
        for coin, chain, start, digits, scale in known.select(
            "coin_id", "chain", "valid_from", "fee_amount_digits", "fee_amount_scale"
        ).rows()
    }
    assert amounts == {
        (row[0], row[2], max(row[11], begins), row[5])
        for row in before
        if row[11] < ends and (row[12] is None or row[12] > begins)
    }


def test_a_moved_folder_is_read_with_a_variable(warehouse: Warehouse, tmp_path: Path) -> None:
    """A copy elsewhere answers the same once it is told where it lies."""
    seal(warehouse, NOW)
    before = _rows(warehouse.root)["withdraw_fee_history"]
    shutil.move(warehouse.root, tmp_path / "moved")

    con = duckdb.connect(str(tmp_path / "moved" / "ccpay.duckdb"), read_only=True)
    con.execute(f"SET VARIABLE ccpay_root = '{tmp_path / 'moved'}'; SET TimeZone = 'UTC'")
    rows = con.execute("SELECT * FROM withdraw_fee_history ORDER BY ALL").fetchall()
    con.close()

    assert rows == before
    moved = Warehouse(tmp_path / "moved", "test")
    moved.publish(force=True)
    assert _rows(moved.root)["withdraw_fee_history"] == before


def test_a_file_goes_only_after_the_last_publication_that_lists_it(warehouse: Warehouse) -> None:
    """Retention forgets the month at once; a reader of an older version can still read it."""
    seal(warehouse, NOW)
    files = set((warehouse.root / "sealed").glob("*-2026-01-*.parquet"))
    assert retire(warehouse, keep_months=2, now=NOW) == len(files) == 10

    assert sweep(warehouse) == 0
    for _ in range(5):
        warehouse.publish(force=True)
    assert sweep(warehouse) == len(files)
    with connect_published(warehouse.root) as con:
        first = con.execute("SELECT min(valid_to) FROM withdraw_fee_history").fetchall()[0][0]
    assert first >= datetime(2026, 2, 1, tzinfo=UTC)


def test_a_damaged_or_missing_month_is_found(warehouse: Warehouse) -> None:
    """Verify names the file that does not have its content any more."""
    seal(warehouse, NOW)
    (file,) = (warehouse.root / "sealed").glob("cwallet_user-2026-02-*")
    file.write_bytes(file.read_bytes() + b"x")

    (finding,) = [finding for finding in verify(warehouse) if not finding.ok]

    assert finding.what == "sealed months have the content that the warehouse lists"
    assert file.name in finding.detail


def _seal(root: Path, *, on_step: Step) -> None:
    seal(Warehouse(root, "test", on_step=on_step), NOW)


def _survives(warehouse: Warehouse, kills: Iterable[tuple[str, int]]) -> list[int | None]:
    """Kills at each (step, how often it is passed before) in turn; how the processes ended."""
    before = _rows(warehouse.root)
    (warehouse.root / "sealed").mkdir()
    (warehouse.root / "sealed" / "garbage.parquet").write_bytes(b"of an earlier kill")
    codes = [ended(act_and_die, step, _seal, (warehouse.root,), skip) for step, skip in kills]
    assert _rows(warehouse.root) == before
    assert [finding for finding in verify(warehouse) if not finding.ok] == []

    seal(warehouse, NOW)

    assert _rows(warehouse.root) == before
    assert [finding for finding in verify(warehouse) if not finding.ok] == []
    assert len(list((warehouse.root / "sealed").iterdir())) == 30
    return codes


@pytest.mark.slow
def test_a_kill_at_each_step_of_sealing_loses_nothing(warehouse: Warehouse) -> None:
    """Kill -9: the month is hot or sealed, never both and never neither; the next run ends it."""
    codes = _survives(warehouse, [(step, 0) for step in STEPS])
    assert set(codes) == {-signal.SIGKILL}


@pytest.mark.torture
@pytest.mark.parametrize("step", STEPS)
def test_twenty_kills_of_sealing_lose_nothing(warehouse: Warehouse, step: str) -> None:
    """The same, twenty times, at later and later files."""
    codes = _survives(warehouse, [(step, number % 7) for number in range(20)])
    assert -signal.SIGKILL in codes
