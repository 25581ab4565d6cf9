"""The benchmark itself, small: all sides hold the same history and say the same."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from bench import clickhouse, sql_chdb, sql_plain, sql_store
from bench.asking import (
    BARE,
    CLIENT,
    COMMITTED,
    CONNECTIONS,
    DELAY_S,
    SEQUENTIAL,
    measure_asking,
)
from bench.by_dlt import DltFiles
from bench.history import Market
from bench.plain import PlainRows
from bench.questions import QUESTIONS, AnswersDiffer, DuckSide, ask_all, moments, plain_side
from bench.raw_answers import with_raw
from bench.report import asking_lines, lines_of, year_lines
from bench.rows import rows_of
from bench.run import Measured, measure
from bench.sizes import last_sealed_month
from bench.targets import Target, asking_targets, target_lines
from bench.year import Year, measure_year
from ccpay_io.store.raw import read_raw

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Measured:
    """One short run beside plain rows only: 60 pairs, 30 rounds, the last one live."""
    return measure(
        tmp_path_factory.mktemp("bench"),
        pairs=60,
        rate=0.3,
        polls=30,
        live=1,
        others=False,
        progress=lambda line: None,
    )


@pytest.fixture(scope="module")
def year_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the year is written."""
    return tmp_path_factory.mktemp("year")


@pytest.fixture(scope="module")
def year(year_folder: Path) -> Year:
    """Two months that are polled every ten days, with ten polls in each hot window."""
    return measure_year(
        year_folder,
        Market(10, 0.3),
        end=datetime(2025, 4, 2, 23, tzinfo=UTC),
        window_days=10 * 300 / 86_400,
        seldom_s=10 * 86_400,
        turns=2,
        progress=lambda line: None,
    )


@pytest.fixture
def plain(tmp_path: Path) -> PlainRows:
    """Half a day of plain rows, with the same in Parquet files beside it."""
    market, rows = Market(60, 0.3), PlainRows(tmp_path / "plain.duckdb")
    polls = [poll for each in market.polls(START, 144) for poll in each]
    frames = rows_of(polls, market.symbols)
    rows.append(frames)
    for table, frame in frames.items():
        frame.write_parquet(tmp_path / f"{table}-1.parquet")
    return rows


def test_both_sides_give_the_same_answer_to_every_question(run: Measured):
    """A run ends only if each question has one answer on both sides, and that is not empty."""
    assert [item.question for item in run.answered] == list(QUESTIONS)
    assert all(item.ms.keys() == {"store", "plain"} for item in run.answered)
    # Neither is there an average of a day that is not over, nor a fee of a day ago after two hours.
    of_days = ("average", "24 hours", "day ago")
    assert all(
        item.rows > 0 or any(part in item.question.name for part in of_days)
        for item in run.answered
    )


def test_every_question_has_all_forms():
    """The eight of the project and three that are reported apart, in three dialects."""
    names = [question.name for question in QUESTIONS]
    assert sum(question.is_counted for question in QUESTIONS) == 8
    for module in (sql_store, sql_plain, sql_chdb):
        assert list(module.FORMS) == names


def test_sides_that_differ_are_not_timed(plain: PlainRows):
    """Another answer ends the benchmark, whoever is right."""
    with duckdb.connect(str(plain.path), read_only=True) as con:
        side = plain_side(con)
        wrong = DuckSide("wrong", dict.fromkeys(side.forms, "SELECT 1"), con)
        with pytest.raises(AnswersDiffer, match="latest, all pairs: 60 rows, but 1 from wrong"):
            ask_all([side, wrong], moments(con), lambda line: None)


def test_chdb_says_what_plain_rows_say(plain: PlainRows, tmp_path: Path):
    """Both orders of the same rows in ClickHouse answer every question like DuckDB."""
    pytest.importorskip("chdb", reason="make bench installs it")
    with (
        clickhouse.opened(tmp_path / "chdb") as session,
        duckdb.connect(str(plain.path), read_only=True) as con,
    ):
        clickhouse.load(session, tmp_path)
        sides = [plain_side(con), *clickhouse.sides(session)]
        answered = ask_all(sides, moments(con), lambda line: None)
        assert all(clickhouse.bytes_of(session, x) > 0 for x in clickhouse.FEE_TABLES.values())
    assert all(len(item.ms) == 3 for item in answered)


@pytest.mark.slow
def test_dlt_writes_the_same_rows(tmp_path: Path):
    """Amounts are exact in both forms, so its time is one for the same work."""
    pytest.importorskip("dlt", reason="make bench installs it")
    market = Market(60, 0.3)
    ((*_, fees),) = market.polls(START, 1)
    rows = rows_of([fees], market.symbols)["fee"]
    assert min(DltFiles(tmp_path).append(rows).values()) > 0
    for form in ("arrow", "dicts"):
        with duckdb.connect(str(tmp_path / f"{form}.duckdb"), read_only=True) as con:
            stored = con.execute("SELECT sum(fee_amount) FROM bench.fee").fetchall()
        assert stored == [(rows["fee_amount"].sum(),)]


def test_every_answer_is_counted_once(run: Measured):
    """Observations are the rows that were answered, whichever way they were written."""
    *_, price_poll, _ = next(Market(60, 0.3).polls(START, 1))
    prices = price_poll.answered
    assert run.written.observations == 30 * (60 + prices) + 10 * 10
    assert run.written.polls == 29
    assert run.written.fullest.observations < run.written.observations


def test_the_hour_has_the_default_calendar(run: Measured):
    """The watch every 30 seconds, a publication after each fee poll, raw answers of all."""
    commits = {feed: len(each) for feed, each in run.hour.commit_s.items() if feed != "fiats"}
    assert commits == {"coins": 1, "networks": 1, "chains": 10, "prices": 1, "fees": 1}
    assert len(run.hour.publish_s) == len(run.hour.plain_s) == 1
    assert run.hour.raw_bytes > 0
    assert min(run.parts["versions"], run.parts["hot"]) > 0


def test_a_raw_file_holds_the_answers(tmp_path: Path):
    """One exchange for each pair, the amount as text, as the API sends it."""
    ((*_, fees),) = Market(10, 0.3).polls(START, 1)
    source = random.Random(1)  # noqa: S311 - invented ids are no secret
    kept = with_raw(tmp_path, fees, source).raw
    assert kept
    _, (header, *exchanges) = read_raw(tmp_path, kept.name)
    assert header["feed"] == "fees"
    assert len(exchanges) == 10
    assert '"amount": "' in exchanges[0]["response"]


@pytest.mark.torture
def test_a_year_is_compared_with_one_hot_window(year: Year, year_folder: Path):
    """Both have as many hot polls and get the same in turns; one has months sealed behind it."""
    assert year.polls == 4 + 10 + 6 + 10
    assert last_sealed_month(year_folder / "window") is None
    assert last_sealed_month(year_folder / "year") == "2025-02"
    assert len(year.window.commit_s) == len(year.after.publish_s) == 2
    assert year.after.both_s > 0


@pytest.mark.torture
def test_the_report_names_every_figure(run: Measured, year: Year):
    """What is measured is printed, with a ratio, and every target has a verdict."""
    text = "\n".join(lines_of(run))
    assert all(question.name in text for question in QUESTIONS)
    assert "geometric mean" in text
    assert "one window" in "\n".join(year_lines(year))
    quick = replace(run, rate=0.05)
    title, *verdicts = target_lines([quick, run], year, 0.1, 60)
    assert "this run had 0.1" in title
    assert len(verdicts) == 2 * 7 + 2
    assert sum("not measured" in line for line in verdicts) >= 2


@pytest.mark.parametrize(
    ("value", "at_least", "verdict"),
    [(2.0, False, "met"), (2.1, False, "NOT MET"), (2.0, True, "met"), (1.9, True, "NOT MET"),
     (None, True, "not measured")],
)  # fmt: skip
def test_a_target_is_met_up_to_its_limit(value: float | None, at_least: bool, verdict: str):
    """The limit itself still counts, and what was not measured is not met."""
    assert str(Target("speed", value, 2.0, at_least=at_least)).split("speed")[0].strip() == verdict


@pytest.mark.parametrize("rate", [0.05, 0.3, 1.0])
def test_the_market_changes_as_much_as_it_was_told(rate: float):
    """Exactly the given share of the fees differs from one poll to the next, all exact."""
    polls = [each[-1] for each in Market(100, rate).polls(START, 5)]
    fees = [poll.answers["withdraw_fee"].frame["fee_amount"].to_list() for poll in polls]
    for before, after in pairwise(fees):
        assert sum(a != b for a, b in zip(before, after, strict=True)) == round(100 * rate)
    digits = [len(amount.normalize().as_tuple().digits) for fee in fees for amount in fee]
    assert max(digits) == 8
    assert min(digits) > 3


def test_the_same_seed_gives_the_same_history():
    """Two runs measure the same data."""
    first, second = (list(Market(50, 0.3).polls(START, 4)) for _ in range(2))
    for left, right in zip(first, second, strict=True):
        for a, b in zip(left, right, strict=True):
            assert a.poll_id == b.poll_id
            assert all(a.answers[name].frame.equals(b.answers[name].frame) for name in a.answers)


def test_a_history_goes_on_where_it_stopped():
    """Days are made one after another: from one call to the next as much changes as within."""
    market = Market(100, 0.05)
    (*_, last), (*_, next_) = (
        next(market.polls(START + timedelta(days=day), 1)) for day in range(2)
    )
    pairs = (poll.answers["withdraw_fee"].frame["fee_amount"] for poll in (last, next_))
    assert (next(pairs) != next(pairs)).sum() == 5


def test_sealed_months_are_known_by_their_files(tmp_path: Path):
    """The newest month in a file's name or folder; none before anything is sealed."""
    assert last_sealed_month(tmp_path) is None
    for name in ("withdraw_fee/2026-01.parquet", "ledger-2025-12.parquet"):
        path = tmp_path / "sealed" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert last_sealed_month(tmp_path) == "2026-01"


def test_an_answer_is_an_arrow_table(plain: PlainRows):
    """What is timed is the whole answer, not its first rows."""
    with duckdb.connect(str(plain.path), read_only=True) as con:
        assert isinstance(plain_side(con).ask("SELECT 1 AS x"), pa.Table)


def test_all_sides_ask_the_same_server(tmp_path: Path):
    """Each side asks, is timed and has a line; a fee poll of the pipeline is one of them."""
    asked = measure_asking(tmp_path, fees=20, few=2, turns=1, progress=lambda line: None)
    assert {BARE, CLIENT, COMMITTED, SEQUENTIAL} <= asked.keys()
    assert all(0 < one.per_s < CONNECTIONS / DELAY_S and one.cpu_ms > 0 for one in asked.values())
    text = "\n".join(asking_lines(asked))
    assert all(name in text for name in asked)
    assert len(asking_targets(asked)) == 4
    with duckdb.connect(str(tmp_path / "warehouse" / "ccpay.duckdb"), read_only=True) as con:
        stored = con.execute("SELECT count(*), sum(fee_amount) FROM withdraw_fee_now").fetchall()
    assert stored == [(20, 20 * Decimal("0.02138142"))]
