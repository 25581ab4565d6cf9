"""A query that always has a row has one, or says that it had none."""

from __future__ import annotations

import duckdb
import pytest

from ccpay_io.store.rows import one


def test_one_is_the_row_of_the_query() -> None:
    """Parameters are bound, and a NULL is a value like any other."""
    with duckdb.connect() as con:
        assert one(con, "SELECT ?::INTEGER, NULL", [7]) == (7, None)


def test_a_query_without_a_row_is_an_error() -> None:
    """Nothing is made up for a row that did not come: the error shows the query."""
    with duckdb.connect() as con, pytest.raises(LookupError, match="no row from: SELECT 1 WHERE"):
        one(con, "  SELECT 1 WHERE false")
