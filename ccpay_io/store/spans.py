"""The views `store.<dataset>_span` and `store.ledger`: every stretch and every poll, wherever kept.

Owns how hot, current and sealed rows become one relation, for all datasets alike; the views in
warehouse/views are built on it, and so are the checks of verify.py. Called by schema.py whenever
views are made, and by sealing.py.

Columns of a span: entity_id; from_no and to_no, the polls in which the stretch began and ended
(to_no is `STILL` while it goes on); poll_id, valid_from and valid_to, the same as the ledger dates
them (valid_to is NULL while it goes on); state; unknown_reason, set when there was no answer (state
is then that of the last answer); the dataset's values, an amount also as <name>_digits (NULL when
there are more than 18) and <name>_scale, with which products are quicker (store.exact_product_of).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path

import duckdb

from ccpay_io.store.datasets import AMOUNT, DATASETS, FEED_DATASETS, Dataset

STILL = 2**63 - 1

# An amount at rest is its digits and the number of its decimals: 0.5 is 5 and 1. That takes half
# the space of a DECIMAL(38, 18), and 64 bits are unpacked fifty times as quickly as 128; the rare
# amount of more than 18 digits is kept as it is, in <name>_large, without digits (store.digits is
# NULL then). Sealed files have all digits. Digits x 0.1 to the power of the decimals is the amount;
# as the digits have no decimals and the power has 18, the product neither rounds nor overflows.
# The powers are one text, or each amount would be 19 constants for the planner to look at.
# (Text becomes digits by way of HUGEINT: straight to DECIMAL takes twenty times as long.)
_POWERS = ", ".join(f"{Decimal(1).scaleb(-n):.18f}" for n in range(19))
_AMOUNTS = f"""
    CREATE OR REPLACE MACRO store.all_digits(x) AS
        replace(rtrim(x::DECIMAL(38, 18)::VARCHAR, '0'), '.', '')::HUGEINT::DECIMAL(38, 0);
    CREATE OR REPLACE MACRO store.digits(x) AS TRY_CAST(store.all_digits(x) AS DECIMAL(18, 0));
    CREATE OR REPLACE MACRO store.scale(x) AS
        length(rtrim(x::DECIMAL(38, 18)::VARCHAR, '0')) - strpos(x::DECIMAL(38, 18)::VARCHAR, '.');
    CREATE OR REPLACE MACRO store.amount(digits, scale) AS
        digits * ('[{_POWERS}]'::DECIMAL(19, 18)[])[scale + 1];
"""


def sealed_files(con: duckdb.DuckDBPyConnection) -> dict[str, list[str]]:
    """The sealed files that the warehouse lists now, oldest first, by dataset."""
    sealed: dict[str, list[str]] = {}
    for dataset, name in con.execute(
        "SELECT dataset, name FROM store.sealed_file ORDER BY dataset, month"
    ).fetchall():
        sealed.setdefault(dataset, []).append(name)
    return sealed


def span_views(root: Path, sealed: Mapping[str, list[str]]) -> Iterator[str]:
    """The statements that make these views, over hot rows and these sealed files."""
    yield _AMOUNTS
    yield _ledger(_files(root, sealed.get("ledger", [])))
    for dataset in DATASETS.values():
        yield _span(dataset, _files(root, sealed.get(dataset.name, [])))


def polls_of(name: str) -> str:
    """The polls that date the stretches of a dataset: those of its feeds."""
    feeds = ", ".join(f"'{feed}'" for feed, names in FEED_DATASETS.items() if name in names)
    return f"(SELECT poll_no, poll_id, observed_at FROM store.poll WHERE feed IN ({feeds}))"


def _files(root: Path, names: list[str]) -> str | None:
    """An explicit list, as a glob would show files to views that do not know them yet.

    The folder is the one at publication; a reader of a copy sets the variable `ccpay_root`.
    """
    if not names:
        return None
    folder = str(root.resolve()).replace("'", "''")
    listed = ", ".join(f"'{name}'" for name in names)
    return (
        f"read_parquet(list_transform([{listed}], lambda f:"
        f" coalesce(getvariable('ccpay_root'), '{folder}') || '/sealed/' || f))"
    )


def _ledger(files: str | None) -> str:
    """Hot rows that a stretch still refers to stay when their month is sealed."""
    if files is None:
        return "CREATE OR REPLACE VIEW store.ledger AS FROM store.poll"
    return f"""
        CREATE OR REPLACE VIEW store.ledger AS
        FROM store.poll
        WHERE poll_no > (SELECT max(until_no) FROM store.sealed_file WHERE dataset = 'ledger')
        UNION ALL BY NAME
        FROM {files}
        """


def _span(dataset: Dataset, files: str | None) -> str:
    name, polls = dataset.name, polls_of(dataset.name)
    sealed = (
        f"""
        UNION ALL
        SELECT s.entity_id, s.from_no, s.to_no, s.poll_id, coalesce(s.began_at, s.valid_from),
               s.valid_to, s.state, s.unknown_reason{_sealed(dataset)}
        FROM {files} AS s
        WHERE NOT s.is_continued
        """
        if files
        else ""
    )
    return f"""
        CREATE OR REPLACE VIEW store.{name}_span AS
        SELECT s.entity_id, s.from_no, s.to_no, f.poll_id, f.observed_at AS valid_from,
               t.observed_at AS valid_to, s.state, s.unknown_reason{_stored(dataset)}
        FROM store.{name}_stretch AS s
        JOIN {polls} AS f ON f.poll_no = s.from_no
        JOIN {polls} AS t ON t.poll_no = s.to_no
        UNION ALL
        SELECT c.entity_id, c.since_no, coalesce(d.silent_no, {STILL}), f.poll_id, f.observed_at,
               d.silent_at, c.state, c.unknown_reason{_current(dataset)}
        FROM store.{name}_current AS c
        JOIN {polls} AS f ON f.poll_no = c.since_no
        JOIN store.dataset_now AS d ON d.dataset = '{name}'
        {sealed}
        """


def _stored(dataset: Dataset) -> str:
    return "".join(
        f', s."{v}_digits", s."{v}_scale",'
        f' coalesce(store.amount(s."{v}_digits", s."{v}_scale"), s."{v}_large") AS "{v}"'
        if kind == AMOUNT
        else f', s."{v}"'
        for v, kind in dataset.values.items()
    )


def _sealed(dataset: Dataset) -> str:
    return "".join(
        f', TRY_CAST(s."{v}_digits" AS DECIMAL(18, 0)), s."{v}_scale",'
        f' store.amount(s."{v}_digits", s."{v}_scale")'
        if kind == AMOUNT
        else f', s."{v}"'
        for v, kind in dataset.values.items()
    )


def _current(dataset: Dataset) -> str:
    """The values of the last answer, which an entity without an answer, or gone, has not now."""
    parts = (
        part
        for v, kind in dataset.values.items()
        for part in (
            (f"store.digits(c.{v})", f"store.scale(c.{v})", f"c.{v}")
            if kind == AMOUNT
            else (f'c."{v}"',)
        )
    )
    return "".join(
        f", CASE WHEN c.unknown_reason IS NULL AND c.state <> 'absent' THEN {part} END"
        for part in parts
    )
