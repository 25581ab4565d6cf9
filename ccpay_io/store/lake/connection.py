"""Connections to lakes last as long as the process: attaching takes half a second, a poll less.

Owns one DuckDB for each lake and purpose (writing; reading, locked down), and that a broken one is
replaced. What is handed out is a connection of that DuckDB for one piece of work. Knows nothing of
turns or of the schema. Called by the other modules of this package and by care/migrate.py.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import duckdb

from ccpay_io.errors import NothingPublished, WarehouseError, WrongEnvironment
from ccpay_io.store.lake.address import S3, Lake
from ccpay_io.store.lake.conflicts import CatalogAway
from ccpay_io.store.lake.extensions import load_extensions

NAME = "warehouse"
# The database of PostgreSQL behind it, as DuckLake attaches it.
CATALOG = f"__ducklake_metadata_{NAME}"


@dataclass
class Opened:
    """A DuckDB with the lake attached.

    Attributes:
        con: never used itself: each piece of work takes a cursor of it.
        shape: the migrations and the environment that the lake was seen to have; None before
            somebody looked.
    """

    con: duckdb.DuckDBPyConnection
    shape: tuple[frozenset[str], str] | None = None


_OPENED: dict[tuple[Lake, bool, int], Opened] = {}
_OPENING = Lock()


def opened(lake: Lake, *, read_only: bool) -> Opened:
    """This process's DuckDB for the lake; a forked process opens its own.

    Raises:
        NothingPublished: for reading only: there is no lake yet.
        WarehouseError: the catalog or the data cannot be reached.
    """
    key = (lake, read_only, os.getpid())
    with _OPENING:
        if key not in _OPENED:
            _OPENED[key] = Opened(_open(lake, read_only=read_only))
        return _OPENED[key]


def forget(lake: Lake, *, read_only: bool) -> None:
    """Closes the DuckDB, once its last piece of work ends; the next one opens it anew."""
    with _OPENING:
        gone = _OPENED.pop((lake, read_only, os.getpid()), None)
    if gone:
        gone.con.close()


@contextmanager
def cursor(found: Opened) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection for one piece of work."""
    con = found.con.cursor()
    try:
        con.execute(f"USE {NAME}")
        yield con
    finally:
        with suppress(duckdb.Error):
            con.close()


def attach(con: duckdb.DuckDBPyConnection, lake: Lake, name: str, *, read_only: bool) -> None:
    """Attaches the lake under a name, with what it needs to be opened.

    Raises:
        NothingPublished, WarehouseError: as for `opened`.
    """
    load_extensions(con, s3=lake.s3 is not None)
    # In a transaction of its own: DuckLake looks for them in another than that of `con`.
    with con.cursor() as alone:
        if lake.password:
            password = _text(lake.password.reveal())
            alone.execute(f"CREATE OR REPLACE SECRET (TYPE postgres, PASSWORD {password})")
        if lake.s3:
            alone.execute(_bucket_secret(lake.s3))
    options = ["READ_ONLY", "CREATE_IF_NOT_EXISTS false"] if read_only else []
    if lake.data_path:
        options.append(f"DATA_PATH {_text(lake.data_path)}")
        # A reader's disk may be mounted elsewhere; a writer's files must be where the catalog says.
        options += ["OVERRIDE_DATA_PATH true"] if read_only else []
    try:
        if lake.data_path and not (lake.s3 or read_only):
            Path(lake.data_path).mkdir(parents=True, exist_ok=True)
        told = f" ({', '.join(options)})" if options else ""
        con.execute(f"ATTACH IF NOT EXISTS {_text(str(lake))} AS {name}{told}")
    except (OSError, duckdb.Error) as error:
        raise _unreachable(lake, error) from None


def _open(lake: Lake, *, read_only: bool) -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    try:
        con.execute("SET GLOBAL TimeZone = 'UTC'")
        attach(con, lake, NAME, read_only=read_only)
        if read_only:
            _look_at(con, lake)
            _lock_down(con)
        else:
            con.execute("SET threads = 1")
    except BaseException:
        con.close()
        raise
    return con


def _look_at(con: duckdb.DuckDBPyConnection, lake: Lake) -> None:
    """Whether there is a warehouse in the lake, and the one that is meant.

    Raises:
        NothingPublished, WrongEnvironment: there is none, or another.
    """
    known = con.execute(
        f"SELECT 1 FROM duckdb_tables() WHERE database_name = '{NAME}' AND table_name = 'stamp'"
    )
    if not known.fetchone():
        raise _nothing_in(lake)
    stamps = con.execute(f"SELECT environment FROM {NAME}.store.stamp").fetchall()
    if lake.stamp and stamps != [(lake.stamp,)]:
        theirs = stamps[0][0] if stamps else "nobody yet"
        raise WrongEnvironment(
            f"{lake} holds data of [{theirs}], the settings say [{lake.stamp}]",
            hint="readers need the CCPAY_APP_ID and CCPAY_APP_SECRET of the account too",
        )


def _lock_down(con: duckdb.DuckDBPyConnection) -> None:
    """As for the published file: nothing but the lake's own files, and nothing can be set."""
    (data_path,) = con.execute(
        f"SELECT value FROM ducklake_options('{NAME}') WHERE option_name = 'data_path'"
    ).fetchall()[0]
    con.execute("SET GLOBAL asof_loop_join_threshold = 0")
    con.execute(f"SET allowed_directories = [{_text(data_path)}]")
    con.execute("SET enable_external_access = false; SET lock_configuration = true")


def _bucket_secret(s3: S3) -> str:
    told = {
        "TYPE": "s3",
        "KEY_ID": _text(s3.key_id.reveal()),
        "SECRET": _text(s3.key.reveal()),
        "REGION": _text(s3.region),
    }
    if s3.endpoint:
        scheme, _, host = s3.endpoint.rpartition("://")
        told |= {
            "ENDPOINT": _text(host.rstrip("/")),
            "USE_SSL": str(scheme != "http").lower(),
            # Servers other than Amazon's rarely have a host name for each bucket.
            "URL_STYLE": "'path'",
        }
    return f"CREATE OR REPLACE SECRET ({', '.join(f'{k} {v}' for k, v in told.items())})"


def _unreachable(lake: Lake, error: Exception) -> WarehouseError:
    said = (str(error).splitlines() or [type(error).__name__])[0]
    if "creating a new DuckLake is explicitly disabled" in said:
        return _nothing_in(lake)
    return CatalogAway(
        f"{lake} cannot be opened: {said}",
        hint="is PostgreSQL up, is the password in PGPASSFILE, is CCPAY_DATA_PATH mounted?",
    )


def _nothing_in(lake: Lake) -> NothingPublished:
    return NothingPublished(
        f"there is no warehouse in {lake} yet", hint="run `ccpay poll all`, or `ccpay up`, first"
    )


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
