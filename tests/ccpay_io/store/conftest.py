"""Real DuckDB warehouses for the store's tests, and short ways to write polls into them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from lakes import Lakes

from ccpay_io.feeds.poll import Answers, Poll, poll_id_at
from ccpay_io.store.datasets import DATASETS
from ccpay_io.store.lake.address import Lake
from ccpay_io.store.lake.connection import forget
from ccpay_io.store.reading import connect_published
from ccpay_io.store.writer import Warehouse

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

MakePoll = Callable[..., Poll]
Query = Callable[..., list[tuple[Any, ...]]]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Tests of a warehouse run on both backends: on a lake in torture, but for those of lakes."""
    if "backend" not in metafunc.fixturenames:
        return
    about = metafunc.definition.get_closest_marker
    lake = pytest.param("lake", marks=pytest.mark.torture)
    backends = (
        ["folder"] if about("folder") else ["lake"] if about("only_lake") else ["folder", lake]
    )
    metafunc.parametrize("backend", backends)


@pytest.fixture
def warehouse(
    backend: str, tmp_path: Path, empty_private: Path, request: pytest.FixtureRequest
) -> Iterator[Warehouse]:
    """An empty warehouse: a folder, or a lake on a real PostgreSQL."""
    if backend == "lake":
        lakes: Lakes = request.getfixturevalue("lakes")
        lake = lakes.empty(tmp_path / "lake")
        yield Warehouse(tmp_path / "data", "test", lake=lake)
        forget(lake, read_only=True)
        forget(lake, read_only=False)
        return
    found = Warehouse(tmp_path / "data", "test")
    found.private.parent.mkdir(parents=True)
    shutil.copyfile(empty_private, found.private)
    yield found


@pytest.fixture(scope="session")
def poll() -> MakePoll:
    """Makes a poll, so many minutes after the start, of one dataset's rows."""

    def make(
        minute: float,
        rows: Mapping[tuple[object, ...], Mapping[str, object]] | None,
        *,
        feed: str = "fees",
        dataset: str = "withdraw_fee",
        gaps: Mapping[str, list[tuple[object, ...]]] | None = None,
        complete: bool = True,
        **fields: Any,
    ) -> Poll:
        started = START + timedelta(minutes=minute)
        spec = DATASETS[dataset]
        answers = {}
        if rows is not None:
            full = [
                {"state": "ok", **dict(zip(spec.keys, key, strict=True)), **values}
                for key, values in rows.items()
            ]
            answers = {dataset: Answers(spec.frame(full), gaps or {}, complete=complete)}
        outcome = "failed" if rows is None else "partial" if gaps else "ok"
        facts: dict[str, Any] = {
            "poll_id": poll_id_at(started),
            "feed": feed,
            "outcome": outcome,
            "started_at": started,
            "observed_at": started + timedelta(seconds=10),
            "requests": 1,
            "answers": answers,
            "writer": "test",
            "cadence_s": 300,
            "listed": len(rows) if rows is not None else None,
        }
        if rows is None:
            facts |= {"error_name": "TimedOut", "error_message": "no answer"}
        return Poll(**facts | fields)

    return make


@pytest.fixture(scope="session")
def fee() -> Callable[..., dict[str, object]]:
    """The values of an answered fee."""

    def make(
        amount: str, coin_id: int = 1, coin: str = "ETH", **extra: object
    ) -> dict[str, object]:
        return {
            "fee_amount": Decimal(amount),
            "fee_coin_id": coin_id,
            "fee_coin": coin,
            "network_fee_inquiry_id": "q",
            **extra,
        }

    return make


@pytest.fixture
def query(warehouse: Warehouse) -> Query:
    """Runs SQL on what was committed and returns the rows."""

    def run(sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        if isinstance(warehouse.place, Lake):
            with connect_published(warehouse.place) as con:
                return con.execute(sql, list(parameters)).fetchall()
        con = duckdb.connect(str(warehouse.private), read_only=True)
        try:
            con.execute("SET TimeZone = 'UTC'")
            return con.execute(sql, list(parameters)).fetchall()
        finally:
            con.close()

    return run
