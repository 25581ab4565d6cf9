"""What a rebuild takes over from the old file: the tables that no poll writes.

Owns which tables these are, and the comparison of the old ledger with the new. A table that is in
neither list stops a test: somebody has to decide. Called by rebuild.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb

from ccpay_io.errors import WarehouseError
from ccpay_io.store.datasets import FEEDS
from ccpay_io.store.ready import refresh_ready
from ccpay_io.store.rows import one
from ccpay_io.store.writer import Warehouse

# Where and since when the data is from, what was set, alerted and acknowledged, imported, allowed.
CARRIED = (
    "stamp",
    "watch_setting",
    "alert_state",
    "alert_episode",
    "alert_outbox",
    "alert_delivery",
    "alert_silence",
    "alert_ack",
    "alert_muting",
    "withdrawal",
    "api_budget",
)
# Written by polls, beside the tables of each dataset, or by the schema itself.
MADE_AGAIN = (
    "poll",
    "cadence",
    "missing_pair",
    "drift",
    "dataset_now",
    # By the next fee poll.
    "fee_usual",
    # Which months are sealed: those of the backup that the rebuild started from.
    "sealed_file",
    "migration",
)

_LOST = "SELECT count(*) FROM before.store.ledger ANTI JOIN store.ledger USING (poll_id)"
_COMPARED = """
    poll_id, feed, started_at, observed_at, outcome, requests, answered_count, changed_count,
    refused_count, unknown_count, listed_count, error_code, error_name, content_hash
"""


@dataclass(frozen=True)
class Carried:
    """What the old file gave, and how the new one compares with it.

    Attributes:
        rows: in the tables that were carried over.
        differing: polls whose ledger row says something else than before: their answers are read
            differently by this release.
    """

    rows: int
    differing: int


def carry_over(old: Path, work: Warehouse) -> Carried:
    """Copies the rows that no poll writes into the new file.

    Args:
        old: the old file, closed, under its writers' lock.
        work: the new one.

    Raises:
        WarehouseError: the new file lacks polls that the old one has.
    """
    with work.transaction() as con:
        path = str(old).replace("'", "''")
        con.execute(f"ATTACH '{path}' AS before (READ_ONLY)")
        lost = one(
            con, "SELECT count(*) FROM before.store.ledger ANTI JOIN store.ledger USING (poll_id)"
        )
        if lost[0]:
            raise WarehouseError(
                f"the rebuilt file lacks {lost[0]} polls; the warehouse is as it was",
                hint="please report this as a bug",
            )
        rows = sum(_copy(con, table) for table in CARRIED)
        refresh_ready(con, set(FEEDS))
        # A deviation from the contract is told once; the poll that first told it may be too old.
        con.execute("""
            INSERT INTO store.drift BY NAME
            SELECT * FROM before.store.drift
            ANTI JOIN store.drift USING (endpoint, path, kind, value)
            """)
        (differing,) = one(
            con,
            f"SELECT count(*) FROM (SELECT {_COMPARED} FROM before.store.ledger"
            f" EXCEPT SELECT {_COMPARED} FROM store.ledger)",
        )
    return Carried(rows, int(differing))


def _copy(con: duckdb.DuckDBPyConnection, table: str) -> int:
    con.execute(f"DELETE FROM store.{table}")
    con.execute(f"INSERT INTO store.{table} BY NAME SELECT * FROM before.store.{table}")
    return int(one(con, f"SELECT count(*) FROM store.{table}")[0])
