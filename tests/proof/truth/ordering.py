"""The order of rows: what ORDER BY says, with its places for NULL."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from truth.book import Row
from truth.money import Rounded


def ordered(rows: Iterable[Row], *columns: str) -> list[Row]:
    """Rows by these columns; "-name" is from the largest down. None comes last either way."""
    found = list(rows)
    for column in reversed(columns):
        name = column.lstrip("-")
        known = [row for row in found if row[name] is not None]
        known.sort(key=lambda row: _shown(row[name]), reverse=column != name)
        found = known + [row for row in found if row[name] is None]
    return found


def _shown(value: Any) -> Any:
    return value.shown if isinstance(value, Rounded) else value


def only(row: Row, *columns: str, **renamed: str) -> Row:
    """Some columns of a row; new_name=old_name."""
    return {column: row[column] for column in columns} | {
        new: row[old] for new, old in renamed.items()
    }
