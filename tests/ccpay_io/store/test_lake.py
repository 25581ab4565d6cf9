"""A lake behaves as a folder does: whole commits, readers that only read, one environment."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from threading import Timer
from typing import Any

import duckdb
import pytest
from lakes import Lakes
from postgres import PASSWORD

import ccpay_io
from ccpay_io.errors import NothingPublished, QueryRefused, WarehouseError, WrongEnvironment
from ccpay_io.store.cookbook import recipes
from ccpay_io.store.lake.address import Lake
from ccpay_io.store.lake.connection import attach, forget
from ccpay_io.store.reading import connect_published
from ccpay_io.store.schema import view_docs
from ccpay_io.store.verify import verify
from ccpay_io.store.writer import Warehouse

pytestmark = pytest.mark.only_lake

POLLS = "SELECT count(*) FROM store.poll"


@pytest.fixture
def lake(warehouse: Warehouse) -> Lake:
    """Where the lake of the test is."""
    assert isinstance(warehouse.place, Lake)
    return warehouse.place


def test_a_commit_is_seen_at_once_and_a_snapshot_stays(
    warehouse: Warehouse, lake: Lake, poll: Any, fee: Any
) -> None:
    """Readers need no publication; what is open keeps its moment; verify finds nothing wrong."""
    reader = ccpay_io.Reader(lake)
    warehouse.commit([poll(0, {(1, "ETH"): fee("0.000000000000000001")})])
    first = reader.version
    with reader.snapshot() as con:
        warehouse.commit([poll(5, {(1, "ETH"): fee("12345678901234567890.5")})])
        assert con.execute(POLLS).fetchone() == (1,)
        assert reader.frame(POLLS).item() == 2
    assert reader.version != first
    assert reader.age.total_seconds() < 60
    amounts = reader.view("withdraw_fee_history")["fee_amount"].cast(str).to_list()
    assert sorted(a.rstrip("0").rstrip(".") for a in amounts) == [
        "0.000000000000000001",
        "12345678901234567890.5",
    ]
    assert [finding for finding in verify(warehouse) if not finding.ok] == []
    assert warehouse.publish(force=True) is None


def test_every_public_view_is_documented_and_can_be_read(
    warehouse: Warehouse, lake: Lake, poll: Any, fee: Any
) -> None:
    """The comments of views are there; those of columns are in data_dictionary alone."""
    warehouse.commit([poll(0, {(1, "ETH"): fee("1")})])
    with connect_published(lake) as con:
        for doc, _ in view_docs():
            if doc.kind == "view":
                con.execute(f'SELECT * FROM "{doc.name}"').fetchall()
        described = con.execute(
            "SELECT DISTINCT view_name, column_name FROM data_dictionary WHERE column_type <> ''"
        ).fetchall()
        columns = con.execute(
            "SELECT table_name, column_name FROM duckdb_columns() WHERE schema_name = 'main'"
            " AND table_name IN (SELECT view_name FROM duckdb_views() WHERE NOT internal)"
        ).fetchall()
        bare = con.execute(
            "SELECT view_name FROM duckdb_views() WHERE schema_name = 'main'"
            " AND NOT internal AND comment NOT LIKE 'Grain: %'"
        ).fetchall()
    assert set(described) == set(columns)
    assert bare == []


@pytest.mark.torture
def test_every_example_and_every_recipe_runs(
    warehouse: Warehouse, lake: Lake, poll: Any, fee: Any
) -> None:
    """What the documentation shows can be pasted, macros included."""
    warehouse.commit([poll(0, {(1, "ETH"): fee("1")})])
    with connect_published(lake) as con:
        for doc, _ in view_docs():
            con.execute(doc.text.split("Example: ")[1]).fetchall()
        for recipe in recipes():
            con.execute(recipe.sql).fetchall()


@pytest.mark.parametrize(
    "statement",
    [
        "COPY (SELECT 1) TO '{folder}/out.csv'",
        "SELECT * FROM read_text('/etc/hostname')",
        "DELETE FROM store.poll",
        "ATTACH 'postgres:dbname=postgres' AS another (TYPE postgres)",
        "CALL postgres_execute('__ducklake_metadata_warehouse', 'DROP TABLE ducklake_table')",
        "FROM postgres_query('__ducklake_metadata_warehouse', 'DELETE FROM ducklake_tag')",
        "SET threads = 2",
    ],
)
def test_a_reader_can_only_read(lakes_reader: ccpay_io.Reader, statement: str) -> None:
    """Neither other files, nor the lake, nor its catalog, nor the settings."""
    with pytest.raises(QueryRefused):
        lakes_reader.frame(statement.format(folder="/tmp"))  # noqa: S108 - nothing is written


@pytest.fixture(scope="module")
def lakes_reader(lakes: Lakes, tmp_path_factory: pytest.TempPathFactory) -> ccpay_io.Reader:
    """One empty lake for all statements that are refused."""
    return ccpay_io.Reader(lakes.empty(tmp_path_factory.mktemp("refusing") / "lake"))


def test_a_conflict_is_done_again_whole(
    warehouse: Warehouse, lake: Lake, poll: Any, fee: Any, query: Any, caplog: Any
) -> None:
    """Somebody who takes no turn changes the same table twice; the poll is stored once."""
    warehouse.commit([poll(0, {(1, "ETH"): fee("1")})])
    left = [2]

    def interfere(step: str) -> None:
        if step == "ledger" and left[0]:
            left[0] -= 1
            con = duckdb.connect()
            attach(con, lake, "theirs", read_only=False)
            con.execute("DELETE FROM theirs.store.cadence WHERE feed = 'none'")
            con.execute("UPDATE theirs.store.dataset_now SET silent_reason = NULL")
            con.close()

    disturbed = Warehouse(warehouse.root, "test", lake=lake, on_step=interfere)
    with caplog.at_level(logging.WARNING, "ccpay.lake"):
        (committed,) = disturbed.commit([poll(5, {(1, "ETH"): fee("2")})])

    assert committed.new
    assert [record.args[0] for record in caplog.records] == [1, 2]
    assert query(POLLS) == [(2,)]
    assert [finding for finding in verify(warehouse) if not finding.ok] == []


def test_a_catalog_that_restarted_is_found_again(
    warehouse: Warehouse, lake: Lake, lakes: Lakes, poll: Any, fee: Any
) -> None:
    """Readers and writers lose their connections, wait for it, and go on without an error."""
    warehouse.commit([poll(0, {(1, "ETH"): fee("1")})])
    reader = ccpay_io.Reader(lake)
    assert reader.frame(POLLS).item() == 1
    lakes.postgres.stop("immediate")
    back = Timer(2, lakes.postgres.start)
    back.start()

    assert reader.frame(POLLS).item() == 1
    back.join()
    lakes.postgres.stop("immediate")
    back = Timer(2, lakes.postgres.start)
    back.start()
    warehouse.commit([poll(5, {(1, "ETH"): fee("2")})])
    back.join()
    assert reader.frame(POLLS).item() == 2


def test_another_environment_is_refused(warehouse: Warehouse, lake: Lake, poll: Any) -> None:
    """Writers and readers alike: made-up data is never taken for real, nor the reverse."""
    warehouse.commit([])
    stranger = Warehouse(warehouse.root, "live example.com", lake=lake)
    with pytest.raises(WrongEnvironment, match=r"holds data of \[test\]"):
        stranger.commit([])
    asking = replace(lake, stamp="sandbox")
    with pytest.raises(WrongEnvironment, match=r"holds data of \[test\]"):
        ccpay_io.read("chain", asking)


def test_what_is_not_there_is_told_in_one_line_without_the_password(
    warehouse: Warehouse, lake: Lake, lakes: Lakes, tmp_path: Path
) -> None:
    """No lake yet, no such database, a wrong password, other data than the catalog's."""
    empty = lakes.none_yet(str(tmp_path / "none"))
    with pytest.raises(NothingPublished, match="there is no warehouse in"):
        ccpay_io.read("chain", empty)
    assert not Warehouse(tmp_path, "test", lake=empty).exists()
    nowhere = replace(lake, catalog=lake.catalog.replace("dbname=", "dbname=no_"))
    elsewhere = replace(lake, data_path=str(tmp_path / "elsewhere"))
    for wrong in (nowhere, elsewhere):
        with pytest.raises(WarehouseError, match="cannot be opened") as caught:
            Warehouse(tmp_path, "test", lake=wrong).commit([])
        assert PASSWORD not in f"{caught.value} {caught.value.hint} {caught.value.__cause__}"
    assert PASSWORD not in f"{lake} {lake!r} {warehouse.place!r}"
    with connect_published(lake) as con:
        seen = con.execute("SELECT * FROM duckdb_databases()").fetchall()
        secrets = con.execute("FROM duckdb_secrets()").fetchall()
    assert PASSWORD not in f"{seen} {secrets}"
    forget(empty, read_only=True)
