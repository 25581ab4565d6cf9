"""The cookbook: the queries in warehouse/queries, and docs/cookbook.md, their index.

Owns what the header of a query says and the page's form; tests run each query and hold the
committed page to the headers. Write it anew with
`python -m ccpay_io.store.cookbook > docs/cookbook.md`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ccpay_io.store.schema import read_header, sql_folder

_INTRODUCTION = """\
# Cookbook

Questions of treasury and operations, each with a query that answers it: the files in
`warehouse/queries`, generated from their headers. They ask public views only, so they run wherever
the published file `ccpay.duckdb` is open, and with the command:

    ccpay query -- "$(cat warehouse/queries/01_payout_cost_now.sql)"

Coins, chains, fiats, time zones and spans of time stand in each query as literals, to be edited.
"""


@dataclass(frozen=True)
class Recipe:
    """One query of the cookbook.

    Attributes:
        name: of its file, without the ending.
        question: that it answers, in one sentence.
        grain: what one row is.
        key: the columns that identify a row.
        edit: what in it is meant to be edited.
        columns: of the answer, in order, with their meanings.
        sql: the whole file.
    """

    name: str
    question: str
    grain: str
    key: str
    edit: str
    columns: Mapping[str, str]
    sql: str


def recipes() -> Iterator[Recipe]:
    """Every query of the cookbook, in the order of their files."""
    for path in sorted((sql_folder() / "queries").glob("*.sql")):
        sql = path.read_text("utf-8")
        fields, columns = read_header(sql)
        yield Recipe(
            name=path.stem,
            question=fields["question"],
            grain=fields["grain"],
            key=fields["key"],
            edit=fields["edit"],
            columns=columns,
            sql=sql,
        )


def render_cookbook() -> str:
    """The page as Markdown."""
    pages = [_INTRODUCTION]
    for recipe in recipes():
        rows = [f"| `{column}` | {text} |" for column, text in recipe.columns.items()]
        lines = [
            f"## {recipe.question}",
            "",
            f"`warehouse/queries/{recipe.name}.sql`: {recipe.grain}. To edit: {recipe.edit}.",
            "",
            *["| column | meaning |", "|---|---|", *rows, ""],
        ]
        pages.append("\n".join(lines))
    return "\n".join(pages)


if __name__ == "__main__":
    sys.stdout.write(render_cookbook())
