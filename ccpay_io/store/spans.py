"""The views `store.<dataset>_span`: every stretch of a dataset, wherever it is kept.

Owns how hot, current and sealed stretches become one relation, for all datasets alike; the views in
warehouse/views are built on it. Called by schema.py whenever views are made, and by sealing.py.

Columns: entity_id; from_no and to_no, the polls in which the stretch began and ended (to_no is
`STILL` while it goes on); poll_id, valid_from and valid_to, the same as the ledger dates them
(valid_to is NULL while it goes on); state; unknown_reason, set when there was no answer (state is
then that of the last answer); the dataset's values.
"""

from __future__ import annotations

from decimal import Decimal

import duckdb

from ccpay_io.store.datasets import AMOUNT, DATASETS, FEED_DATASETS, Dataset

STILL = 2**63 - 1

# An amount at rest is its digits and the number of its decimals: 0.5 is 5 and 1. That takes half
# the space of a DECIMAL(38, 18). Digits x 0.1 to the power of the decimals is the amount; as the
# digits have no decimals and the power has 18, the product neither rounds nor overflows. It stays a
# decimal throughout, because a cast of each amount to HUGEINT takes ten times as long as the rest.
_POWERS = ", ".join(f"{Decimal(1).scaleb(-n):.18f}" for n in range(19))
_AMOUNTS = f"""
    CREATE OR REPLACE MACRO store.digits(x) AS
        replace(rtrim(x::DECIMAL(38, 18)::VARCHAR, '0'), '.', '')::DECIMAL(38, 0);
    CREATE OR REPLACE MACRO store.scale(x) AS
        length(rtrim(x::DECIMAL(38, 18)::VARCHAR, '0')) - strpos(x::DECIMAL(38, 18)::VARCHAR, '.');
    CREATE OR REPLACE MACRO store.amount(digits, scale) AS
        digits * ([{_POWERS}]::DECIMAL(19, 18)[])[scale + 1];
"""


def create_spans(con: duckdb.DuckDBPyConnection) -> None:
    """Makes the views anew, and the macros between an amount and its form at rest."""
    con.execute(_AMOUNTS)
    con.execute("CREATE OR REPLACE VIEW store.ledger AS FROM store.poll")
    for dataset in DATASETS.values():
        con.execute(_span(dataset))


def _span(dataset: Dataset) -> str:
    name = dataset.name
    feeds = ", ".join(f"'{feed}'" for feed, names in FEED_DATASETS.items() if name in names)
    polls = f"(SELECT poll_no, poll_id, observed_at FROM store.poll WHERE feed IN ({feeds}))"
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
        """


def _stored(dataset: Dataset) -> str:
    return "".join(
        f', store.amount(s."{v}_digits", s."{v}_scale") AS "{v}"'
        if kind == AMOUNT
        else f', s."{v}"'
        for v, kind in dataset.values.items()
    )


def _current(dataset: Dataset) -> str:
    """The values of the last answer, which an entity without an answer does not have now."""
    return "".join(f', CASE WHEN c.unknown_reason IS NULL THEN c."{v}" END' for v in dataset.values)
