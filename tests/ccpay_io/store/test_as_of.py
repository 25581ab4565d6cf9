"""The as-of macros: what was known at a moment, no more and no less."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from ccpay_io.store.writer import Warehouse

CHAINS = {"feed": "chains", "dataset": "chain", "cadence_s": 30}
FIATS = {"feed": "fiats", "dataset": "fiat"}
REFUSED = {"state": "refused", "refusal_code": 13004}


def _status(word: str) -> dict[str, object]:
    state = {"Normal": "normal", "Maintenance": "maintenance"}.get(word, "unknown")
    return {"state": state, "status_raw": word}


@pytest.fixture
def fees(warehouse: Warehouse, poll: Any, fee: Any) -> Warehouse:
    """Two pairs: one changes, is left out once and is refused; one goes; a poll fails."""
    one, two = (1, "ETH"), (2, "ETH")
    warehouse.commit(
        [
            poll(0, {one: fee("1"), two: fee("9")}),
            poll(5, {one: fee("2"), two: fee("9")}),
            poll(10, {two: fee("9")}, gaps={"deadline": [one]}),
            poll(15, {one: fee("3")}),
        ]
    )
    warehouse.commit([poll(20, None), poll(25, {one: REFUSED})])
    return warehouse


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("12:00:09", []),
        ("12:00:10", [(1, "00", "ok", None, 1), (2, "00", "ok", None, 9)]),
        ("12:05:09", [(1, "00", "ok", None, 1), (2, "00", "ok", None, 9)]),
        ("12:05:10", [(1, "05", "ok", None, 2), (2, "05", "ok", None, 9)]),
        ("12:12:00", [(1, "10", "unknown", "deadline", None), (2, "10", "ok", None, 9)]),
        ("12:15:10", [(1, "15", "ok", None, 3)]),
        ("12:24:00", [(1, "20", "unknown", "TimedOut", None)]),
        ("12:25:10", [(1, "25", "refused", None, None)]),
        ("23:00:00", [(1, "25", "refused", None, None)]),
    ],
)
def test_fees_as_of_a_moment_are_the_last_poll_by_then(
    fees: Warehouse, query: Any, moment: str, expected: list[tuple[Any, ...]]
) -> None:
    """An answer counts from when it was received; a failed poll leaves nothing known."""
    rows = query(
        "SELECT coin_id, strftime(observed_at, '%M'), state, unknown_reason, fee_amount::INTEGER"
        f" FROM withdraw_fee_as_of('2026-03-01 {moment}+00') ORDER BY coin_id"
    )

    assert rows == expected


def test_fees_as_of_each_poll_are_its_snapshot(fees: Warehouse, query: Any) -> None:
    """Column by column and row by row, whatever became of the poll."""
    for poll_id, moment in query("SELECT poll_id, observed_at::VARCHAR FROM store.ledger"):
        columns = (
            "poll_id, observed_at::VARCHAR, coin_id, coin, chain, state, refusal_code,"
            " unknown_reason, fee_amount, fee_coin_id, fee_coin"
        )
        snapshot = query(
            f"SELECT {columns} FROM withdraw_fee_snapshot WHERE poll_id = {poll_id} ORDER BY 3"
        )
        assert query(f"SELECT {columns} FROM withdraw_fee_as_of('{moment}') ORDER BY 3") == snapshot


def test_a_later_poll_changes_nothing_that_was_known(
    fees: Warehouse, poll: Any, fee: Any, query: Any
) -> None:
    """Nothing is back-dated."""
    ask = "SELECT * REPLACE (observed_at::VARCHAR AS observed_at) FROM withdraw_fee_as_of('{}')"
    moments = [f"2026-03-01 12:{minute:02}:30+00" for minute in range(0, 30, 5)]
    before = [query(ask.format(moment)) for moment in moments]

    fees.commit([poll(30, {(1, "ETH"): fee("7"), (3, "ETH"): fee("8")}), poll(35, None)])

    assert [query(ask.format(moment)) for moment in moments] == before


def test_chain_statuses_as_of_a_moment(warehouse: Warehouse, poll: Any, query: Any) -> None:
    """Unknown words, outages and delisting: as chain_status_now would have said then."""
    both = {("A",): _status("Normal"), ("B",): _status("Maintenance")}
    warehouse.commit([poll(0, both, **CHAINS), poll(1, {("A",): _status("Frozen")}, **CHAINS)])
    warehouse.commit([poll(2, None, **CHAINS), poll(3, both, **CHAINS)])

    found = [
        query(
            "SELECT chain, status, status_raw, unknown_reason"
            f" FROM chain_status_as_of('2026-03-01 12:{minute:02}:30+00') ORDER BY chain"
        )
        for minute in range(4)
    ]

    good = [("A", "normal", "Normal", None), ("B", "maintenance", "Maintenance", None)]
    assert found == [
        good,
        [("A", "unknown", "Frozen", "unrecognised:Frozen"), ("B", "absent", None, None)],
        [("A", "unknown", None, "TimedOut"), ("B", "unknown", None, "TimedOut")],
        good,
    ]


def test_rates_as_of_a_moment(warehouse: Warehouse, poll: Any, query: Any) -> None:
    """A rate that is not answered is unknown then; a fiat that is not listed has no row."""
    eur = {(1,): {"fiat": "EUR", "usd_rate": Decimal("0.9")}}
    usd = {(9,): {"fiat": "USD", "usd_rate": Decimal(1)}}
    warehouse.commit([poll(0, eur | usd, **FIATS), poll(15, usd, gaps={"x": [(1,)]}, **FIATS)])
    warehouse.commit([poll(30, None, **FIATS), poll(45, usd, **FIATS)])

    found = [
        query(
            "SELECT fiat, usd_rate::DOUBLE, unknown_reason"
            f" FROM fiat_rate_as_of('2026-03-01 12:{minute:02}:30+00') ORDER BY fiat"
        )
        for minute in (0, 15, 30, 45)
    ]

    assert found == [
        [("EUR", 0.9, None), ("USD", 1.0, None)],
        [("EUR", None, "x"), ("USD", 1.0, None)],
        [("EUR", None, "TimedOut"), ("USD", None, "TimedOut")],
        [("USD", 1.0, None)],
    ]
