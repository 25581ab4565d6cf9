"""Fees by hour and day, and lists over time: small histories, seen through at a glance."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from ccpay_io.store.writer import Warehouse

PAIR = (1, "TRX")
# Of each hour: open, high, low, close, mean, known, refused and unknown seconds.
HOURLY = """
    SELECT strftime(hour, '%H'), open, high, low, close, average, ok_s, refused_s, unknown_s
    FROM withdraw_fee_hourly ORDER BY hour, fee_coin_id
"""


@pytest.fixture
def fees(warehouse: Warehouse, poll: Any, fee: Any) -> Any:
    """Writes the polls of one pair, every five minutes; None is a poll without answer."""

    def write(*amounts: str | int | None, since: float = 0) -> None:
        polls = []
        for number, amount in enumerate(amounts):
            row = (
                {"state": "refused", "refusal_code": amount}
                if isinstance(amount, int)
                else fee(amount or "0")
            )
            rows = None if amount is None else {PAIR: row}
            polls.append(poll(since + number * 5, rows))
        warehouse.commit(polls)

    return write


def test_a_mean_is_weighted_by_the_time_for_which_each_fee_was_known(fees: Any, query: Any) -> None:
    """A third of the hour at 1, two thirds at 4."""
    fees(*["1"] * 4, *["4"] * 9)

    (row,) = query(HOURLY)[:1]
    # The first poll is answered ten seconds after twelve.
    assert row[1:5] == (Decimal(1), Decimal(4), Decimal(1), Decimal(4))
    assert row[5] == (Decimal(1200 * 1 + 2390 * 4) / 3590).quantize(Decimal("1e-18"))
    assert row[6:] == (3590, 0, 10)


def test_an_hour_opens_with_the_fee_that_goes_on(fees: Any, query: Any) -> None:
    """What was answered before the hour is known at its beginning."""
    fees(*["2"] * 13, "5", "5")

    assert query(HOURLY)[1][1:5] == (Decimal(2), Decimal(5), Decimal(2), Decimal(5))


@pytest.mark.parametrize(
    ("amounts", "ok_s", "refused_s"),
    [
        (["1", None, "1", "1"], 600, 0),
        (["1", 13000, "1", "1"], 600, 300),
        (["1", None, None, None], 300, 0),
    ],
)
def test_unknown_and_refused_time_is_counted_apart(
    fees: Any, query: Any, amounts: list[str | int | None], ok_s: int, refused_s: int
) -> None:
    """An outage is neither a fee nor a refusal, and the three add up to the hour."""
    fees(*amounts)

    ((*_, found_ok, found_refused, unknown),) = query(HOURLY)
    assert (found_ok, found_refused, unknown) == (ok_s, refused_s, 3600 - ok_s - refused_s)


def test_time_in_which_nothing_polled_is_unknown(fees: Any, query: Any) -> None:
    """Two equal fees four hours apart say nothing of the hours between, which have rows."""
    fees("1", "1")
    fees("1", "1", since=240)

    assert [(r[0], r[1], r[6], r[8]) for r in query(HOURLY)] == [
        ("12", Decimal(1), 300, 3300),
        ("13", None, 0, 3600),
        ("14", None, 0, 3600),
        ("15", None, 0, 3600),
        ("16", Decimal(1), 300, 3300),
    ]


def test_each_fee_coin_has_a_row_of_its_own(
    warehouse: Warehouse, poll: Any, fee: Any, query: Any
) -> None:
    """Amounts in two coins have no common mean."""
    polls = [("1", 1, "ETH"), ("7", 2, "TRX"), ("7", 2, "TRX")]
    warehouse.commit([poll(5 * n, {PAIR: fee(*what)}) for n, what in enumerate(polls)])

    rows = query(
        "SELECT day, fee_coin, average, ok_s, unknown_s FROM withdraw_fee_daily ORDER BY 2"
    )
    day = datetime(2026, 3, 1, tzinfo=UTC).date()
    assert rows == [
        (day, "ETH", Decimal(1), 300, 85800),
        (day, "TRX", Decimal(7), 300, 85800),
    ]


@pytest.mark.parametrize(
    "amount", ["0.000000000000000001", "99999999999999999999.999999999999999999"]
)
def test_a_mean_of_extreme_fees_is_exact(fees: Any, query: Any, amount: str) -> None:
    """One amount all day is its own mean, to the last digit."""
    fees(*[amount] * 20)

    assert query("SELECT average, high, low FROM withdraw_fee_daily") == [(Decimal(amount),) * 3]


def test_the_swap_list_says_what_came_and_went(warehouse: Warehouse, poll: Any, query: Any) -> None:
    """An outage between two equal lists is no change; a first list is no addition in time."""
    lists: list[list[int] | None] = [[1, 2], None, [1, 2], [2, 3], [2, 3, 1]]
    polls = [
        poll(
            60 * hour,
            None if ids is None else {(coin,): {"coin": f"C{coin}"} for coin in ids},
            feed="coins",
            dataset="swap_coin",
            cadence_s=3600,
        )
        for hour, ids in enumerate(lists)
    ]
    for one in polls:
        warehouse.commit([one])

    assert query("""
        SELECT coin, change, strftime(started_after, '%H'), strftime(started_by, '%H')
        FROM swap_coin_history ORDER BY started_by, coin
    """) == [
        ("C1", "added", None, "12"),
        ("C2", "added", None, "12"),
        ("C1", "removed", "14", "15"),
        ("C3", "added", "14", "15"),
        ("C1", "added", "15", "16"),
    ]


def test_an_entry_of_the_token_list_has_a_row_per_change(
    warehouse: Warehouse, poll: Any, query: Any
) -> None:
    """Limits and flags as they were, with 0 for no limit shown as none."""
    for hour, (is_open, largest) in enumerate([(True, "0"), (True, "0"), (False, "9")]):
        row = {"can_withdraw": is_open, "max_withdraw_amount": Decimal(largest)}
        warehouse.commit([poll(60 * hour, {PAIR: row}, feed="networks", dataset="coin_network")])

    assert query("""
        SELECT can_withdraw, max_withdraw_amount,
            strftime(valid_from, '%H'), strftime(valid_to, '%H')
        FROM coin_network_history ORDER BY valid_from
    """) == [(True, None, "12", "14"), (False, Decimal(9), "14", None)]
