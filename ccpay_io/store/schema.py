"""Migrations, views and the data dictionary: brings a warehouse file to the shape of this release.

Owns where the SQL lies, which migrations have been applied, and the table `data_dictionary`, made
from the header of each view file, and the stamp. Does not write observations. Called by folder.py
and lake/storage.py whenever they open a warehouse, and by sealing.py when the list of sealed months
is another one; nothing else changes the schema.

The header of a view file is its documentation, for people and for the database alike:

    -- view: chain_status_now            (or "macro: name(arguments)", or "inner: store.name")
    -- grain: one row per chain
    -- key: chain
    -- consumers: operations, board
    -- example: SELECT chain, status FROM chain_status_now
    -- column chain: symbol of the chain
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import duckdb

from ccpay_io.errors import SchemaTooNew, WrongEnvironment
from ccpay_io.store.atomic import atomic
from ccpay_io.store.ready import make_ready
from ccpay_io.store.rows import one
from ccpay_io.store.spans import sealed_files, span_views

_HEADER = re.compile(r"^-- (?:(column) )?(\w+(?:\([^)]*\))?): (.+)$")


@dataclass(frozen=True)
class ViewDoc:
    """What the header of a view file says.

    Attributes:
        name: of the view or macro.
        kind: "view", "macro", or "inner" for a view in schema `store` that only other views use.
        text: grain, key and example, as shown in the view's comment.
        columns: column name -> description.
    """

    name: str
    kind: str
    text: str
    columns: dict[str, str]


# What this module makes, and nothing else: a release may have dropped or renamed any of it.
_MADE = """
    SELECT 'VIEW', schema_name, view_name FROM duckdb_views()
    WHERE NOT internal AND database_name = current_database()
    UNION ALL
    SELECT DISTINCT CASE function_type WHEN 'macro' THEN 'MACRO' ELSE 'MACRO TABLE' END,
           schema_name, function_name FROM duckdb_functions()
    WHERE NOT internal AND database_name = current_database()
      AND function_type IN ('macro', 'table_macro')
"""


def sql_folder() -> Path:
    """The folder with migrations/, views/ and queries/: in the wheel, or in the checkout."""
    packaged = Path(__file__).parent.parent / "sql"
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "warehouse"


def apply_schema(con: duckdb.DuckDBPyConnection, root: Path) -> bool:
    """Applies what is missing: each migration in one transaction with its record, then the views.

    Args:
        con: for writing.
        root: the warehouse folder, in which the views look for sealed months.

    Returns:
        Whether all views were made anew.

    Raises:
        SchemaTooNew: the file has migrations that this release does not know.
    """
    con.execute("CREATE SCHEMA IF NOT EXISTS store")
    con.execute(
        "CREATE TABLE IF NOT EXISTS store.migration"
        " (name VARCHAR NOT NULL, applied_at TIMESTAMPTZ NOT NULL)"
    )
    applied = applied_names(con)
    migrations = sorted((sql_folder() / "migrations").glob("*.sql"))
    unknown = applied - {path.stem for path in migrations} - {n for n in applied if ":" in n}
    if unknown:
        raise SchemaTooNew(
            f"this warehouse was written by a newer release (it has {', '.join(sorted(unknown))})",
            hint="install the newer release, or point CCPAY_WAREHOUSE at another folder",
        )
    for path in migrations:
        if path.stem not in applied:
            with atomic(con):
                con.execute(path.read_text("utf-8"))
                _record(con, path.stem)
    return _refresh_views(con, root, applied)


def applied_names(con: duckdb.DuckDBPyConnection) -> frozenset[str]:
    """The migrations that a warehouse has, and which views."""
    return frozenset(name for (name,) in con.execute("SELECT name FROM store.migration").fetchall())


def check_stamp(con: duckdb.DuckDBPyConnection, stamp: str, place: str) -> None:
    """Holds a warehouse to one environment; one that is new is stamped.

    Raises:
        WrongEnvironment: it holds another environment's data.
    """
    row = con.execute("SELECT environment FROM store.stamp").fetchone()
    if row is None:
        con.execute("INSERT INTO store.stamp VALUES (?, now())", [stamp])
    elif row[0] != stamp:
        raise WrongEnvironment(
            f"{place} holds data of [{row[0]}], the settings say [{stamp}]",
            hint="point CCPAY_WAREHOUSE elsewhere, or use the settings it belongs to",
        )


@cache
def view_docs() -> tuple[tuple[ViewDoc, str], ...]:
    """Every view and macro of this release with its SQL text, in the order they are created."""
    texts = [path.read_text("utf-8") for path in sorted((sql_folder() / "views").glob("*.sql"))]
    return tuple((_parse_header(sql), sql) for sql in texts)


def make_spans(con: duckdb.DuckDBPyConnection, root: Path) -> None:
    """Makes the views over hot and sealed rows anew, inside the transaction.

    Their columns stay as they were, so the views built on them need not be made again.
    """
    _make_spans(con, _spans(con, root))


def _refresh_views(con: duckdb.DuckDBPyConnection, root: Path, applied: Collection[str]) -> bool:
    """Brings the views to this release, and to this folder: sealed months are named by path."""
    docs = view_docs()
    release = _digest("views", [*span_views(root, {}), *(sql for _, sql in docs)])
    spans = _spans(con, root)
    if release not in applied:
        with atomic(con):
            _make_all(con, docs, spans)
            _replace_record(con, release)
        return True
    if _digest("spans", spans) not in applied:
        with atomic(con):
            _make_spans(con, spans)
    return False


def _make_all(
    con: duckdb.DuckDBPyConnection, docs: Sequence[tuple[ViewDoc, str]], spans: Sequence[str]
) -> None:
    for kind, schema, name in con.execute(_MADE).fetchall():
        con.execute(f'DROP {kind} {schema}."{name}"')
    _make_spans(con, spans)
    for doc, sql in docs:
        con.execute(sql)
        if doc.kind == "inner" and doc.name.endswith("_live"):
            make_ready(con, doc.name)
    _document(con, [doc for doc, _ in docs if doc.kind != "inner"])


def _spans(con: duckdb.DuckDBPyConnection, root: Path) -> list[str]:
    return list(span_views(root, sealed_files(con)))


def _make_spans(con: duckdb.DuckDBPyConnection, spans: Sequence[str]) -> None:
    for statement in spans:
        con.execute(statement)
    _replace_record(con, _digest("spans", spans))


def _document(con: duckdb.DuckDBPyConnection, docs: Sequence[ViewDoc]) -> None:
    """Writes the documentation into the views' comments and into `data_dictionary`."""
    found = con.execute(
        "SELECT table_name, column_name, data_type FROM duckdb_columns()"
        " WHERE database_name = current_database() AND schema_name = 'main'"
    ).fetchall()
    types = {(view, column): kind for view, column, kind in found}
    rows: list[tuple[str, str | None, str | None, str]] = []
    # DuckLake has no comments on the columns of views; data_dictionary is all there is.
    of_this = "SELECT type FROM duckdb_databases() WHERE database_name = current_database()"
    on_columns = one(con, of_this) != ("ducklake",)
    for doc in docs:
        is_view = doc.kind == "view"
        rows.append((doc.name, None, None, doc.text))
        for column, text in doc.columns.items():
            rows.append((doc.name, column, types[doc.name, column] if is_view else None, text))
        if is_view:
            con.execute(";".join(_comments(doc, on_columns=on_columns)))
    # One statement with literals: row by row, or as lists, parameters take longer than all views.
    values = ", ".join(f"({', '.join(map(_literal, row))})" for row in rows)
    con.execute(f"DELETE FROM data_dictionary; INSERT INTO data_dictionary VALUES {values}")


def _comments(doc: ViewDoc, *, on_columns: bool) -> Iterator[str]:
    yield f'COMMENT ON VIEW "{doc.name}" IS {_literal(doc.text)}'
    for column, text in doc.columns.items() if on_columns else ():
        yield f'COMMENT ON COLUMN "{doc.name}"."{column}" IS {_literal(text)}'


def read_header(sql: str) -> tuple[dict[str, str], dict[str, str]]:
    """The fields and the described columns in the comment that a file of SQL opens with."""
    fields: dict[str, str] = {}
    columns: dict[str, str] = {}
    for line in sql.splitlines():
        match = _HEADER.match(line)
        if not match:
            break
        is_column, name, text = match.groups()
        (columns if is_column else fields)[name] = text
    return fields, columns


def _parse_header(sql: str) -> ViewDoc:
    fields, columns = read_header(sql)
    kind = next(kind for kind in ("view", "macro", "inner") if kind in fields)
    text = f"Grain: {fields['grain']}. Key: {fields['key']}. Example: {fields['example']}"
    return ViewDoc(fields[kind].split("(")[0], kind, text, columns)


def _literal(text: str | None) -> str:
    return "NULL" if text is None else "'" + text.replace("'", "''") + "'"


def _digest(what: str, statements: Iterable[str]) -> str:
    """The name under which it is recorded that a warehouse has these statements' views."""
    return f"{what}:{hashlib.sha256(chr(0).join(statements).encode()).hexdigest()}"


def _replace_record(con: duckdb.DuckDBPyConnection, name: str) -> None:
    what, _, _ = name.partition(":")
    con.execute("DELETE FROM store.migration WHERE split_part(name, ':', 1) = ?", [what])
    _record(con, name)


def _record(con: duckdb.DuckDBPyConnection, name: str) -> None:
    con.execute("INSERT INTO store.migration VALUES (?, now())", [name])
