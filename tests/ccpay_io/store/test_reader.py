"""Reader: always the newest publication, from any thread, and nothing held in between."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

import ccpay_io
from ccpay_io.errors import NothingPublished, QueryRefused
from ccpay_io.query import run_query
from ccpay_io.store.writer import Warehouse

pytestmark = pytest.mark.folder

POLLS = "SELECT count(*) AS polls FROM store.poll"
Publish = Callable[[], Path]


@pytest.fixture
def publish(warehouse: Warehouse, poll: Any, fee: Any) -> Publish:
    """Commits one more poll and publishes it."""
    published = 0

    def one_more() -> Path:
        nonlocal published
        warehouse.commit([poll(published, {(1, "ETH"): fee(f"0.{published + 1:018}")})])
        published += 1
        version = warehouse.publish(force=True)
        assert version
        return version

    return one_more


@pytest.fixture
def reader(warehouse: Warehouse) -> ccpay_io.Reader:
    """A reader of the warehouse, made before anything is published."""
    return ccpay_io.Reader(warehouse.root)


def test_frames_are_exact_and_take_parameters(reader: ccpay_io.Reader, publish: Publish) -> None:
    """No float on the way, and no text put together into SQL."""
    publish()

    whole = reader.view("withdraw_fee_now")
    some = reader.frame("SELECT fee_amount FROM withdraw_fee_now WHERE chain = ?", ["ETH"])
    none = reader.frame("SELECT fee_amount FROM withdraw_fee_now WHERE chain = ?", ["' OR 1=1"])

    assert pl.Decimal(38, 18) == some.schema["fee_amount"]
    assert some["fee_amount"].to_list() == [Decimal("0.000000000000000001")]
    assert whole["fee_amount"].to_list() == some["fee_amount"].to_list()
    assert none.is_empty()


def test_every_piece_of_work_sees_the_newest_publication(
    reader: ccpay_io.Reader, publish: Publish
) -> None:
    """The same reader, also right after a publication, and its version says that it changed."""
    seen = []
    for _ in range(3):
        publish()
        seen.append((reader.frame(POLLS).item(), reader.version))

    assert [polls for polls, _ in seen] == [1, 2, 3]
    assert len({version for _, version in seen}) == 3


def test_a_snapshot_stays_on_its_publication(reader: ccpay_io.Reader, publish: Publish) -> None:
    """Several queries agree with each other, whatever is published meanwhile."""
    publish()
    with reader.snapshot() as con:
        publish()
        assert con.execute(POLLS).fetchall() == [(1,)]
        assert reader.frame(POLLS).item() == 2


def test_nothing_is_held_between_two_pieces_of_work(
    reader: ccpay_io.Reader, publish: Publish
) -> None:
    """The file is closed after a query, also after one that failed."""
    version = publish()
    reader.frame(POLLS)
    with pytest.raises(QueryRefused):
        reader.frame("SELECT nothing")

    # DuckDB refuses this for a file that the process still has open with another configuration.
    duckdb.connect(str(version), read_only=True, config={"threads": 1}).close()


@pytest.mark.slow
def test_threads_share_a_reader_while_versions_come_and_go(
    reader: ccpay_io.Reader, publish: Publish
) -> None:
    """Four threads, overlapping all the time, each at most one publication behind, none failing."""
    publish()
    published, ended = 1, False

    def read_all_the_time() -> list[tuple[int, int]]:
        found = []
        while not ended:
            at_least = published
            found.append((at_least, reader.frame(POLLS).item()))
        return found

    with ThreadPoolExecutor(4) as threads:
        reads = [threads.submit(read_all_the_time) for _ in range(4)]
        try:
            for _ in range(6):  # more than the versions that are kept
                publish()
                published += 1
        finally:
            ended = True

    found = [pair for read in reads for pair in read.result()]
    assert all(seen >= at_least for at_least, seen in found)
    assert {seen for _, seen in found} >= {3, 6}


def test_age_is_the_time_since_the_publication(reader: ccpay_io.Reader, publish: Publish) -> None:
    """From the version's name, in UTC; a clock that was set back makes no negative age."""
    before = datetime.now(UTC)
    version = publish()

    assert before <= reader.published_at <= datetime.now(UTC)
    assert timedelta(0) <= reader.age < timedelta(minutes=1)

    tomorrow = (datetime.now(UTC) + timedelta(days=1)).timestamp()
    version.rename(version.with_name(f"ccpay-{int(tomorrow * 1_000_000)}.duckdb"))
    assert reader.age == timedelta(0)


@pytest.mark.parametrize(
    "ask",
    [
        lambda reader: reader.view("chain"),
        lambda reader: reader.frame("SELECT 1"),
        lambda reader: reader.version,
        lambda reader: reader.published_at,
        lambda reader: reader.age,
    ],
    ids=["view", "frame", "version", "published_at", "age"],
)
def test_before_the_first_publication_there_is_a_clear_error(
    reader: ccpay_io.Reader, publish: Publish, ask: Callable[[ccpay_io.Reader], object]
) -> None:
    """From every member; the same reader works once there is one."""
    with pytest.raises(NothingPublished) as caught:
        ask(reader)
    assert "ccpay poll all" in caught.value.hint

    publish()

    ask(reader)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT nothing FROM chain",
        "SELEKT 1",
        "",
        "SET VARIABLE x = 1",
        "DROP VIEW chain",
        "COPY (SELECT 1) TO 'out.csv'",
        "SELECT * FROM '/etc/hostname'",
        "SELECT 'x'::INTEGER",
    ],
)
def test_what_is_no_query_is_refused_in_one_line(
    reader: ccpay_io.Reader, publish: Publish, sql: str
) -> None:
    """Mistakes, statements without rows, and what would write or read other files."""
    publish()
    with pytest.raises(QueryRefused) as caught:
        reader.frame(sql)
    assert len(str(caught.value).splitlines()) == 1
    assert caught.value.hint


@pytest.mark.parametrize(
    "statement",
    [
        "COPY (SELECT 1 AS x) TO '{file}'",
        "EXPLAIN ANALYZE COPY (SELECT 1 AS x) TO '{file}'",
        "PREPARE p AS COPY (SELECT 1 AS x) TO '{file}'; EXECUTE p",
        "SELECT 1; COPY (SELECT 1 AS x) TO '{file}' (USE_TMP_FILE false)",
        "EXPORT DATABASE '{file}'",
        "ATTACH '{file}' AS mine",
    ],
)
def test_no_query_replaces_a_sealed_month(
    reader: ccpay_io.Reader, publish: Publish, tmp_path: Path, statement: str
) -> None:
    """What queries may read, the sealed months, they can still not write."""
    publish()
    sealed = tmp_path / "data" / "sealed"
    sealed.mkdir(exist_ok=True)
    sql = statement.format(file=sealed / "poll-2026-01.parquet")
    with pytest.raises(QueryRefused, match="not allowed"):
        reader.frame(sql)
    with pytest.raises(QueryRefused, match="not allowed"), run_query(reader.place, sql):
        raise AssertionError("it was run")
    assert list(sealed.iterdir()) == []


def test_the_folder_is_that_of_the_settings_by_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with ccpay_io.read."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CCPAY_WAREHOUSE", str(tmp_path / "here"))

    assert ccpay_io.Reader().place == tmp_path / "here" / "sandbox"


def test_readers_of_one_version_do_not_disturb_each_other(
    reader: ccpay_io.Reader, publish: Publish
) -> None:
    """They share DuckDB's configuration in one process: the second is as safe, and in UTC."""
    publish()
    zone = "SELECT current_setting('TimeZone'), current_setting('enable_external_access')"

    with reader.snapshot() as first, reader.snapshot() as second:
        for con in (first, second, second.cursor()):
            assert con.execute(zone).fetchall() == [("UTC", False)]
