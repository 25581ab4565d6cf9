"""Migrations and views: every SQL file runs, is documented, and is refused when too new."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from ccpay_io.errors import SchemaTooNew
from ccpay_io.store.atomic import atomic
from ccpay_io.store.schema import apply_schema, sql_folder, view_docs
from ccpay_io.store.writer import Warehouse

SQL_FILES = sorted(sql_folder().glob("*/*.sql"))


@pytest.mark.parametrize("path", SQL_FILES, ids=lambda path: path.stem)
def test_each_sql_file_opens_with_grain_key_and_consumers(path: Path) -> None:
    """The header is what people read first."""
    head = path.read_text("utf-8").split("\n\n")[0]
    for word in ("grain", "key", "consumers"):
        assert f"-- {word}: " in head


def test_every_migration_is_recorded_once(warehouse: Warehouse, query: Any) -> None:
    """Opening again applies nothing again."""
    warehouse.commit([])
    names = [path.stem for path in SQL_FILES if path.parent.name == "migrations"]

    applied = query("SELECT name FROM store.migration WHERE name NOT LIKE '%:%' ORDER BY 1")

    assert [(name,) for name in names] == applied


def test_every_view_exists_and_every_column_is_described(query: Any) -> None:
    """data_dictionary and the comments have a text for each column, none without a column."""
    columns = query(
        "SELECT table_name, column_name FROM duckdb_columns() WHERE schema_name = 'main'"
        " AND table_name IN (SELECT view_name FROM duckdb_views() WHERE NOT internal)"
    )
    described = query(
        "SELECT view_name, column_name FROM data_dictionary"
        " WHERE column_name IS NOT NULL AND column_type IS NOT NULL"
    )

    assert set(columns) == set(described)
    assert len({view for view, _ in columns}) >= 17
    comments = query(
        "SELECT view_name FROM duckdb_views() WHERE NOT internal AND comment NOT LIKE 'Grain: %'"
    )
    assert comments == []


@pytest.mark.folder
@pytest.mark.parametrize(
    ("name", "example"),
    [(doc.name, doc.text.split("Example: ")[1]) for doc, _ in view_docs()],
    ids=[doc.name for doc, _ in view_docs()],
)
def test_each_documented_example_runs(name: str, example: str, query: Any) -> None:
    """The example in a view's comment can be pasted as it is, also into an empty warehouse."""
    query(example)


def test_a_file_of_a_newer_release_is_refused(warehouse: Warehouse) -> None:
    """An unknown migration means newer data: nothing is touched."""
    with warehouse.transaction() as con:
        con.execute("INSERT INTO store.migration VALUES ('9999_future', now())")

    with pytest.raises(SchemaTooNew, match="9999_future"):
        warehouse.commit([])


def test_views_are_replaced_when_their_text_changed(warehouse: Warehouse, query: Any) -> None:
    """A warehouse with another release's views gets this release's, and loses what went."""
    with warehouse.transaction() as con:
        con.execute("CREATE VIEW of_the_past AS SELECT 1")
        con.execute("UPDATE store.migration SET name = 'views:old' WHERE name LIKE 'views:%'")
    warehouse.commit([])

    assert query("SELECT count(*) FROM duckdb_views() WHERE view_name = 'of_the_past'") == [(0,)]
    assert query("SELECT count(*) FROM duckdb_views() WHERE view_name = 'chain'") == [(1,)]


def test_a_transaction_that_fails_leaves_nothing(tmp_path: Path) -> None:
    """DDL included."""
    con = duckdb.connect()
    apply_schema(con, tmp_path)

    def create_and_fail() -> None:
        with atomic(con):
            con.execute("CREATE TABLE half (x INTEGER)")
            con.execute("SELECT * FROM nowhere")

    with pytest.raises(duckdb.Error):
        create_and_fail()

    assert con.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = 'half'").fetchall() == []
    con.close()
