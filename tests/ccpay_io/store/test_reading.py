"""Reading: exact frames, and a connection that can do nothing but read."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from ccpay_io.errors import NothingPublished, QueryRefused
from ccpay_io.store.reading import connect_published, read
from ccpay_io.store.schema import view_docs
from ccpay_io.store.writer import Warehouse

pytestmark = pytest.mark.folder


@pytest.fixture
def published(warehouse: Warehouse, poll: Any, fee: Any) -> Path:
    """A warehouse with one published fee."""
    warehouse.commit([poll(0, {(1, "ETH"): fee("0.000000000000000001")})])
    warehouse.publish(force=True)
    return warehouse.root


def test_read_gives_a_polars_frame_with_exact_decimals(published: Path) -> None:
    """No float on the way."""
    frame = read("withdraw_fee_now", published)

    assert pl.Decimal(38, 18) == frame.schema["fee_amount"]
    assert [Decimal("0.000000000000000001")] == frame["fee_amount"].to_list()


@pytest.mark.parametrize("name", ["nowhere", "withdraw_fee_now; DROP", "1"])
def test_an_unknown_view_is_refused_with_the_names_that_exist(published: Path, name: str) -> None:
    """The error helps."""
    with pytest.raises(QueryRefused) as caught:
        read(name, published)
    assert "withdraw_fee_now" in caught.value.hint


def test_before_the_first_publication_there_is_a_clear_error(tmp_path: Path) -> None:
    """And what to run."""
    with pytest.raises(NothingPublished) as caught:
        read("withdraw_fee_now", tmp_path)
    assert "ccpay poll all" in caught.value.hint


@pytest.mark.parametrize(
    "sql",
    [
        "COPY (SELECT 1) TO '{folder}/out.csv'",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "ATTACH '{folder}/other.duckdb'",
        "INSERT INTO store.stamp VALUES ('x', now())",
        "DROP VIEW chain",
        "SET enable_external_access = true",
        "SET lock_configuration = false",
        "INSTALL httpfs",
    ],
)
def test_the_connection_can_only_read(published: Path, tmp_path: Path, sql: str) -> None:
    """Neither write, nor reach other files, nor unlock itself."""
    with connect_published(published) as con, pytest.raises(duckdb.Error):
        con.execute(sql.format(folder=tmp_path))
    assert not (tmp_path / "out.csv").exists()


def test_views_answer_in_a_file_that_is_attached(warehouse: Warehouse, poll: Any, fee: Any) -> None:
    """ATTACH under another name, and ask by that name: every view finds what it is built on."""
    warehouse.commit([poll(0, {(1, "ETH"): fee("1")})])
    warehouse.publish(force=True)
    con = duckdb.connect()
    con.execute(f"ATTACH '{warehouse.root / 'ccpay.duckdb'}' AS fees (READ_ONLY)")
    for doc, _ in view_docs():
        if doc.kind == "view":
            con.execute(f'FROM fees."{doc.name}"').fetchall()
    con.close()
