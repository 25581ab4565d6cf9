"""A reader for whatever runs for long: dashboards, servers, notebooks.

Owns one promise: each piece of work sees the newest publication. It keeps that by keeping nothing:
a file is open only while it is being read, under the name of its version, so there is no old file
to hold on to, nothing to take over in a fork, and threads need not know of each other. Opening
costs some 30 ms. Results are not kept either: the `_now` views count the age of every row up to the
moment of the question. Not used by the pipeline; exported as `ccpay_io.Reader`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import duckdb
import polars as pl

from ccpay_io.settings import load_settings
from ccpay_io.store.reading import (
    Place,
    Version,
    clear_errors,
    connect_published,
    fetch_frame,
    fetch_view,
    newest,
    nothing_published,
    refuse_files,
)


class Reader:
    """The newest publication of a warehouse, for as long as a process runs, from any thread.

    Every member raises NothingPublished before the first publication.

    Args:
        place: the warehouse folder, or the lake; by default the one that the settings name, read
            once.
    """

    def __init__(self, place: Place | None = None) -> None:
        self.place = place or load_settings().place

    def __repr__(self) -> str:
        return f"Reader({str(self.place)!r})"

    @property
    def version(self) -> str:
        """A name that changes with each publication, and on a lake with each commit.

        The key for a cache of your own.
        """
        return self._newest().name

    @property
    def published_at(self) -> datetime:
        """When the newest version was published, in UTC.

        That is when the pipeline last wrote; how old a value is, its own row says.
        """
        return self._newest().published_at

    @property
    def age(self) -> timedelta:
        """Time since then, never negative. Minutes are normal, a quarter of an hour is not."""
        return max(timedelta(0), datetime.now(UTC) - self.published_at)

    def view(self, name: str) -> pl.DataFrame:
        """The rows of a published view; amounts are exact decimals.

        Raises:
            QueryRefused: there is no view of that name.
        """
        with self.snapshot() as con:
            return fetch_view(con, name)

    def frame(self, sql: str, parameters: Sequence[object] = ()) -> pl.DataFrame:
        """The rows of a query; amounts are exact decimals.

        Args:
            sql: one SELECT, with ? for each parameter.
            parameters: their values.

        Raises:
            QueryRefused: it is not valid, not allowed, or gives no rows and columns.
        """
        with self.snapshot() as con, clear_errors():
            refuse_files(con, sql)
            return fetch_frame(con, sql, parameters)

    @contextmanager
    def snapshot(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection for several queries that must agree with each other.

        It can only read, and stays on its publication: leave the block to see the next one.
        """
        with connect_published(self.place) as con:
            yield con

    def _newest(self) -> Version:
        version = newest(self.place)
        if version is None:
            raise nothing_published(self.place)
        return version
