"""Holds the rows of a view against the recomputed ones, and says where they differ.

Exact for everything but derived ratios (doubles) and ages, which views show in whole seconds.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import duckdb
from truth.money import Rounded

Row = dict[str, Any]

# Ratios that views round to fewer places than six.
_ROUNDED = {"coverage_pct": 0.5e-2, "change_pct": 0.5e-2, "availability_pct": 0.5e-4}


def key_of(text: str) -> list[str]:
    """The key columns that a view's documentation names."""
    found = re.search(r"Key: ([^.(]+)", text)
    assert found, text
    return [column.strip() for column in found[1].split(",")]


def rows_of(
    con: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[object] = ()
) -> list[Row]:
    """The rows of a query, as dictionaries."""
    result = con.execute(sql, list(parameters))
    names = [column[0] for column in result.description]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def differences(key: Sequence[str], found: Sequence[Row], expected: Sequence[Row]) -> list[str]:
    """What is missing, what is too much and what differs; nothing when both are the same."""
    ours, theirs = _by_key(key, expected), _by_key(key, found)
    said = [f"twice in the view: {k}" for k, n in _counts(key, found).items() if n > 1]
    said += [f"twice in the recomputation: {k}" for k, n in _counts(key, expected).items() if n > 1]
    said += [f"missing: {ours[k]}" for k in ours.keys() - theirs.keys()]
    said += [f"too much: {theirs[k]}" for k in theirs.keys() - ours.keys()]
    for k in ours.keys() & theirs.keys():
        if ours[k].keys() != theirs[k].keys():
            return [f"columns differ: {ours[k].keys() ^ theirs[k].keys()}"]
        said += [
            f"{k}: {column} is {theirs[k][column]!r}, expected {value!r}"
            for column, value in ours[k].items()
            if not is_same(column, theirs[k][column], value)
        ]
    return said


def differences_in_order(
    key: Sequence[str], found: Sequence[Row], expected: Sequence[Row]
) -> list[str]:
    """The same for rows that have an order."""
    said = differences(key, found, expected)
    if not said and list(_by_key(key, found)) != list(_by_key(key, expected)):
        said = [
            f"in another order: {list(_by_key(key, found))}, not {list(_by_key(key, expected))}"
        ]
    return said


def is_same(column: str, found: Any, expected: Any) -> bool:
    """Whether two values of a column agree."""
    if isinstance(expected, Rounded):
        return expected.is_shown_as(found)
    if isinstance(expected, Counter):
        # The most frequent; any of them when several are.
        most = max(expected.values(), default=0)
        return (
            found in {value for value, n in expected.items() if n == most}
            if most
            else found is None
        )
    if found is None or expected is None:
        return found is None and expected is None
    if isinstance(expected, float) and isinstance(found, int):
        # Whole seconds.
        return abs(found - expected) <= 0.501
    if isinstance(found, float):
        rounded = _ROUNDED.get(column, 0.5e-6)
        return math.isclose(found, expected, rel_tol=1e-9, abs_tol=rounded * 1.001)
    return bool(found == expected and isinstance(found, bool) == isinstance(expected, bool))


def _by_key(key: Sequence[str], rows: Sequence[Row]) -> dict[tuple[Any, ...], Row]:
    return {tuple(row[column] for column in key): row for row in rows}


def _counts(key: Sequence[str], rows: Sequence[Row]) -> Counter[tuple[Any, ...]]:
    return Counter(tuple(row[column] for column in key) for row in rows)
