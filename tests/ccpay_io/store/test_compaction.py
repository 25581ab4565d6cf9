"""What was deleted leaves the file with the next publication, and nothing else does."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest

from ccpay_io.store.compaction import drop_deleted_rows
from ccpay_io.store.writer import Warehouse

pytestmark = pytest.mark.folder

_TABLES = "SELECT table_name, sql FROM duckdb_tables() WHERE schema_name = 'store' ORDER BY ALL"
_STORED = "SELECT estimated_size FROM duckdb_tables() WHERE table_name = ?"


def _stored(con: duckdb.DuckDBPyConnection, table: str) -> int:
    return int(con.execute(_STORED, [table]).fetchall()[0][0])


def test_a_publication_holds_no_more_dead_rows_than_living_ones(
    warehouse: Warehouse, poll: Any, fee: Any
) -> None:
    """Six polls of 800 fees: their rows are 800, and what a view says of them is the same."""
    for minute in range(6):
        rows = {(coin, "ETH"): fee(str(minute)) for coin in range(800)}
        warehouse.commit([poll(minute, rows)])
    with warehouse.transaction() as con:
        assert _stored(con, "withdraw_fee_current") == 6 * 800
        tables = con.execute(_TABLES).fetchall()
        before = con.execute("FROM store.withdraw_fee_current ORDER BY ALL").fetchall()

    warehouse.publish(force=True)

    with warehouse.transaction() as con:
        assert _stored(con, "withdraw_fee_current") == 800
        assert con.execute(_TABLES).fetchall() == tables
        assert con.execute("FROM store.withdraw_fee_current ORDER BY ALL").fetchall() == before


@pytest.mark.parametrize(
    ("rows", "kept", "left"),
    [
        pytest.param(2000, 10, 2000, id="few rows are read as quickly, dead or not"),
        pytest.param(9000, 5000, 9000, id="more living than dead"),
        pytest.param(9000, 4000, 4000, id="more dead than living"),
        pytest.param(9000, 0, 0, id="all of them dead"),
    ],
)
def test_a_table_is_made_anew_when_most_of_it_is_dead(rows: int, kept: int, left: int) -> None:
    """In its order, and as it was declared."""
    con = duckdb.connect()
    con.execute("CREATE SCHEMA store; CREATE TABLE store.x (n BIGINT NOT NULL, d DECIMAL(38, 18))")
    con.execute(f"INSERT INTO store.x SELECT range, range / 7 FROM range({rows})")
    con.execute(f"DELETE FROM store.x WHERE n < {rows - kept}")
    before = con.execute("FROM store.x").fetchall()

    drop_deleted_rows(con)

    assert con.execute("FROM store.x").fetchall() == before
    assert _stored(con, "x") == left
    with pytest.raises(duckdb.ConstraintException):
        con.execute("INSERT INTO store.x VALUES (NULL, 0)")
    con.close()
