"""A real warehouse that knows a few coins and chains, and short ways to write files for it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ccpay_io.feeds.poll import Answers, Poll, poll_id_at
from ccpay_io.store.datasets import DATASETS
from ccpay_io.store.writer import Warehouse

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HEADER = "record_id,withdrawn_at,coin,chain,amount,fee_amount,fee_coin"

# USDT is the symbol of two coins that differ in case, DUP of two that do not; MATIC is known as a
# fee coin only.
COINS = {1280: "USDT", 1281: "UsdT", 1482: "TRX", 1500: "DUP", 1501: "DUP"}
ROWS: Mapping[str, tuple[str, Sequence[Mapping[str, object]]]] = {
    "coins": ("swap_coin", [{"coin_id": key, "coin": name} for key, name in COINS.items()]),
    "chains": (
        "chain",
        [
            {"chain": chain, "status_raw": "Normal", "chain_full_name": name}
            for chain, name in (("TRX", "Tron"), ("POLYGON", "Polygon"), ("TON", "Toncoin"))
        ],
    ),
    "fees": (
        "withdraw_fee",
        [
            {
                "coin_id": 1280,
                "chain": "POLYGON",
                "fee_amount": Decimal("0.1"),
                "fee_coin_id": 1600,
                "fee_coin": "MATIC",
            }
        ],
    ),
}


@pytest.fixture(scope="session")
def polls() -> list[Poll]:
    """One of coins, one of chains and one of fees."""
    made = []
    for minute, (feed, (dataset, rows)) in enumerate(ROWS.items()):
        at = START + timedelta(minutes=minute)
        state = "normal" if feed == "chains" else "ok"
        frame = DATASETS[dataset].frame([{"state": state, **row} for row in rows])
        answers = {dataset: Answers(frame)}
        made.append(
            Poll(poll_id_at(at), feed, "ok", at, at, 1, answers, writer="test", cadence_s=300)
        )
    return made


@pytest.fixture(scope="session")
def polled_folder(polls: list[Poll], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse that has been polled once."""
    warehouse = Warehouse(tmp_path_factory.mktemp("polled") / "data", "test")
    warehouse.commit(polls)
    return warehouse.root


@pytest.fixture
def warehouse(tmp_path: Path, polled_folder: Path) -> Warehouse:
    """A polled warehouse of the test's own."""
    shutil.copytree(polled_folder, tmp_path / "data")
    return Warehouse(tmp_path / "data", "test")


@pytest.fixture
def file_of(tmp_path: Path) -> Callable[..., Path]:
    """Writes a file of these lines below the usual header."""

    def write(*lines: str, header: str = HEADER, name: str = "withdrawals.csv") -> Path:
        path = tmp_path / name
        path.write_text("\n".join([header, *lines]) + "\n", "utf-8")
        return path

    return write


@pytest.fixture
def stored(warehouse: Warehouse) -> Callable[..., list[tuple[Any, ...]]]:
    """The withdrawals in the private file, or another query's rows."""

    def run(
        sql: str = "SELECT * EXCLUDE (source_file, imported_at) FROM store.withdrawal ORDER BY 1",
    ) -> list[tuple[Any, ...]]:
        con = duckdb.connect(str(warehouse.private), read_only=True)
        try:
            con.execute("SET TimeZone = 'UTC'")
            return con.execute(sql).fetchall()
        finally:
            con.close()

    return run
