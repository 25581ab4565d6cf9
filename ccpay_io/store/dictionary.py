"""docs/data-dictionary.md, from the headers of the view files.

Owns the page's form; a test holds the committed page to it. Write it anew with
`python -m ccpay_io.store.dictionary > docs/data-dictionary.md`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from ccpay_io.store.writer import Warehouse

_INTRODUCTION = """\
# Data dictionary

The views that analysts get, generated from the headers of the files in `warehouse/views`. The same
text is in the comments of the published file and in its table `data_dictionary`:

    SELECT view_name, column_name, description FROM data_dictionary

Times are UTC, TIMESTAMP WITH TIME ZONE. Amounts are exact decimals, never floats. Names and columns
are a contract: the changelog says when one changes. Views whose name ends in `_now` carry the age
of every row.
"""


def render_dictionary() -> str:
    """The page as Markdown, from a new, empty warehouse."""
    with TemporaryDirectory() as folder:
        warehouse = Warehouse(Path(folder), "dictionary")
        with warehouse.transaction() as con:
            views = con.execute(
                "SELECT view_name, description FROM data_dictionary WHERE column_name IS NULL"
                " AND view_name NOT IN (SELECT function_name FROM duckdb_functions()"
                " WHERE schema_name = 'store') ORDER BY rowid"
            ).fetchall()
            columns = con.execute(
                "SELECT view_name, column_name, column_type, description FROM data_dictionary"
                " WHERE column_name IS NOT NULL ORDER BY rowid"
            ).fetchall()
    pages = [_INTRODUCTION]
    for view, description in views:
        head, example = description.split(" Example: ")
        pages.append(f"## {view}\n\n{head}\n\n    {example}\n")
        rows = [row for row in columns if row[0] == view]
        lines = [f"| `{name}` | {kind or ''} | {text} |" for _, name, kind, text in rows]
        pages.append("\n".join(["| column | type | meaning |", "|---|---|---|", *lines, ""]))
    return "\n".join(pages)


if __name__ == "__main__":
    sys.stdout.write(render_dictionary())
