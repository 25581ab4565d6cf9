"""Migrations: a warehouse of any earlier schema, with data in it, opens and answers the same."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ccpay_io.store.schema import sql_folder
from ccpay_io.store.verify import verify
from ccpay_io.store.writer import Warehouse

pytestmark = pytest.mark.folder

# A small history in the first schema: one pair that changes, is unanswered once and comes back,
# one that is refused and vanishes; a failed poll in between; a chain in maintenance at the end.
FIRST = """
INSERT INTO store.stamp VALUES ('test', now());
INSERT INTO store.cadence VALUES ('fees', '2026-03-01 00:00:00+00', 300);
INSERT INTO store.poll
SELECT epoch_us(at_start), feed, at_start, at_start + INTERVAL 10 SECOND, outcome, 1, 0,
       changed, refused, unknown, NULL, NULL, CASE outcome WHEN 'failed' THEN 'TimedOut' END, NULL,
       't', 300, NULL, NULL, NULL, NULL
FROM (VALUES
    ('2026-03-01 12:00:00+00'::TIMESTAMPTZ, 'fees', 'ok', 2, 1, 0),
    ('2026-03-01 12:01:00+00', 'chains', 'ok', 1, 0, 0),
    ('2026-03-01 12:05:00+00', 'fees', 'partial', 1, 0, 1),
    ('2026-03-01 12:10:00+00', 'fees', 'failed', 0, 0, 0),
    ('2026-03-01 12:15:00+00', 'fees', 'ok', 0, 0, 0),
    ('2026-03-01 12:16:00+00', 'chains', 'ok', 1, 0, 0),
    ('2026-03-01 12:20:00+00', 'fees', 'ok', 1, 0, 0)
) AS p (at_start, feed, outcome, changed, refused, unknown);
INSERT INTO store.poll_gap
SELECT epoch_us('2026-03-01 12:05:00+00'::TIMESTAMPTZ), 'withdraw_fee', 'deadline', [1];
INSERT INTO store.withdraw_fee_entity
SELECT id, epoch_us('2026-03-01 12:00:00+00'::TIMESTAMPTZ), 1, chain
FROM (VALUES (1, 'ETH'), (2, 'TRX')) AS e (id, chain);
INSERT INTO store.withdraw_fee_observation
SELECT epoch_us(seen), id, state, code, fee, CASE state WHEN 'ok' THEN 7 END,
       CASE state WHEN 'ok' THEN 'TRX' END FROM (VALUES
    ('2026-03-01 12:00:00+00'::TIMESTAMPTZ, 1, 'ok', NULL, 0.000000000000000001),
    ('2026-03-01 12:00:00+00', 2, 'refused', 13004, NULL),
    ('2026-03-01 12:05:00+00', 2, 'absent', NULL, NULL),
    ('2026-03-01 12:20:00+00', 1, 'ok', NULL, 100000000000000000)
) AS o (seen, id, state, code, fee);
INSERT INTO store.withdraw_fee_current
SELECT id, state, NULL, fee, fee_coin_id, fee_coin, 'q', epoch_us(changed), NULL, changed,
       epoch_us(answered), answered + INTERVAL 10 SECOND
FROM (VALUES
    (1, 'ok', 100000000000000000::DECIMAL(38, 18), 7, 'TRX', '2026-03-01 12:00:00+00'::TIMESTAMPTZ,
     '2026-03-01 12:20:00+00'::TIMESTAMPTZ),
    (2, 'absent', NULL, NULL, NULL, '2026-03-01 12:05:00+00', '2026-03-01 12:00:00+00')
) AS c (id, state, fee, fee_coin_id, fee_coin, changed, answered);
INSERT INTO store.chain_entity
SELECT 1, epoch_us('2026-03-01 12:01:00+00'::TIMESTAMPTZ), 'TRX';
INSERT INTO store.chain_observation
SELECT epoch_us(seen), 1, lower(word), word, NULL, NULL, NULL FROM (VALUES
    ('2026-03-01 12:01:00+00'::TIMESTAMPTZ, 'Normal'),
    ('2026-03-01 12:16:00+00', 'Maintenance')
) AS o (seen, word);
INSERT INTO store.chain_current
SELECT 1, 'maintenance', 'Maintenance', NULL, NULL, NULL, 'Tron', NULL, NULL, NULL,
       epoch_us('2026-03-01 12:16:00+00'::TIMESTAMPTZ), '2026-03-01 12:01:10+00',
       '2026-03-01 12:16:10+00', epoch_us('2026-03-01 12:16:00+00'::TIMESTAMPTZ),
       '2026-03-01 12:16:10+00';
"""
SNAPSHOTS = [
    ("12:00", "ETH", "ok", None, "0.000000000000000001"),
    ("12:00", "TRX", "refused", None, None),
    ("12:05", "ETH", "unknown", "deadline", None),
    ("12:10", "ETH", "unknown", "TimedOut", None),
    ("12:15", "ETH", "ok", None, "0.000000000000000001"),
    ("12:20", "ETH", "ok", None, "100000000000000000.000000000000000000"),
]


@pytest.fixture(params=[1, 2])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Warehouse:
    """A private file that only the first so many migrations have been applied to, with data."""
    warehouse = Warehouse(tmp_path / "data", "test")
    warehouse.private.parent.mkdir(parents=True)
    con = duckdb.connect()
    con.execute(f"ATTACH '{warehouse.private}' AS w (STORAGE_VERSION 'v1.0.0'); USE w")
    con.execute("SET TimeZone = 'UTC'; CREATE SCHEMA store")
    con.execute("CREATE TABLE store.migration (name VARCHAR NOT NULL, applied_at TIMESTAMPTZ)")
    for path in sorted((sql_folder() / "migrations").glob("*.sql"))[: request.param]:
        con.execute(path.read_text("utf-8"))
        con.execute("INSERT INTO store.migration VALUES (?, now())", [path.stem])
    con.execute(FIRST)
    con.close()
    return warehouse


def test_an_earlier_warehouse_answers_as_before(old: Warehouse) -> None:
    """Opening it once is all: snapshots, histories and bounds are those of the old rows."""
    old.commit([])

    with old.transaction() as con:
        fees = con.execute(
            "SELECT strftime(make_timestamptz(poll_id), '%H:%M'), chain, state, unknown_reason,"
            " fee_amount::VARCHAR FROM withdraw_fee_snapshot ORDER BY poll_id, chain"
        ).fetchall()
        chains = con.execute(
            "SELECT status, strftime(valid_from, '%H:%M:%S'), poll_count FROM chain_status_history"
            " ORDER BY valid_from"
        ).fetchall()
        (bounds,) = con.execute(
            "SELECT status, strftime(started_after, '%H:%M:%S'), last_known_status"
            " FROM chain_status_now"
        ).fetchall()
    assert fees == SNAPSHOTS
    assert chains == [("normal", "12:01:10", 1), ("maintenance", "12:16:10", 1)]
    assert bounds == ("maintenance", "12:01:10", "maintenance")
    assert [finding for finding in verify(old) if not finding.ok] == []


def test_polls_go_on_in_an_earlier_warehouse(old: Warehouse, poll: Any, fee: Any) -> None:
    """The next poll is compared with what the old schema knew."""
    (committed,) = old.commit([poll(30, {(1, "ETH"): fee("1", 7, "TRX")})])

    assert committed.totals.changed == 1
    with old.transaction() as con:
        rows = con.execute(
            "SELECT fee_amount::VARCHAR, fee_amount_change_pct FROM withdraw_fee_history"
            " WHERE state = 'ok' ORDER BY valid_from"
        ).fetchall()
    assert [amount[:4] for amount, _ in rows] == ["0.00", "0.00", "1000", "1.00"]
    assert [finding for finding in verify(old) if not finding.ok] == []


@pytest.mark.parametrize("amount", ["0.5", "99999999999999999999.999999999999999999", "1e-18"])
def test_amounts_of_any_size_survive_the_change_of_their_digits(
    tmp_path: Path, amount: str
) -> None:
    """What was digits of 128 bits is the same amount after it."""
    con = duckdb.connect(str(tmp_path / "old.duckdb"))
    con.execute("CREATE SCHEMA store")
    *earlier, last = sorted((sql_folder() / "migrations").glob("000[1-6]*.sql"))
    for path in earlier:
        con.execute(path.read_text("utf-8"))
    digits = Decimal(amount).as_tuple()
    number, scale = "".join(map(str, digits.digits)), -int(digits.exponent)
    con.execute(
        "INSERT INTO store.coin_price_stretch BY NAME SELECT 1 AS entity_id, 1 AS from_no,"
        f" 2 AS to_no, 'ok' AS state, {number} AS price_usd_digits, {scale} AS price_usd_scale"
    )

    con.execute(last.read_text("utf-8"))

    ((found, its_scale, large),) = con.execute(
        "SELECT price_usd_digits, price_usd_scale, price_usd_large FROM store.coin_price_stretch"
    ).fetchall()
    con.close()
    assert (large or found.scaleb(-its_scale)) == Decimal(amount)
    assert (large is None) == (len(number) < 19)
