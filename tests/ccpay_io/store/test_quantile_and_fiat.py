"""withdraw_fee_quantile and withdraw_fee_in: exact, over known time only, valued as of then."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from ccpay_io.store.writer import Warehouse

FIATS = {"feed": "fiats", "dataset": "fiat"}
PRICES = {"feed": "prices", "dataset": "coin_price", "complete": False}


def test_a_quantile_counts_known_time_only(
    warehouse: Warehouse, poll: Any, fee: Any, query: Any
) -> None:
    """1 held for 60 minutes, 3 for 30, 9 for 10; the hour of an outage counts for nothing."""
    amounts = ((0, "1"), (60, None), (120, "3"), (150, "9"), (160, "7"))
    for minute, amount in amounts:
        rows = None if amount is None else {(1, "ETH"): fee(amount)}
        warehouse.commit([poll(minute, rows)])

    found = {
        share: query(f"SELECT fee_amount::INTEGER, known_s FROM withdraw_fee_quantile({share})")
        for share in (0.5, 0.6, 0.61, 0.9, 0.91, 1)
    }

    assert found == {
        share: [(amount, 6000)]
        for share, amount in {0.5: 1, 0.6: 1, 0.61: 3, 0.9: 3, 0.91: 9, 1: 9}.items()
    }


def test_fees_are_told_apart_within_a_class(
    warehouse: Warehouse, poll: Any, fee: Any, query: Any
) -> None:
    """Fees that differ in their last digit are different fees."""
    tiny = Decimal("0.000000000000000001")
    for number in range(6):
        amount = Decimal(1) + tiny * (number % 5)
        warehouse.commit([poll(5 * number, {(1, "ETH"): fee(f"{amount:f}")})])

    ((median,),) = query("SELECT fee_amount FROM withdraw_fee_quantile(0.5)")

    assert median == Decimal(1) + 2 * tiny


def test_a_fee_in_a_fiat_takes_the_rate_of_then(
    warehouse: Warehouse, poll: Any, fee: Any, query: Any
) -> None:
    """Later rates change nothing; without a rate or a price there is a reason instead."""
    eur = [{(1,): {"fiat": "EUR", "usd_rate": Decimal(rate)}} for rate in ("0.9", "0.8")]
    warehouse.commit(
        [
            poll(0, {(1, "ETH"): fee("2", 7)}),
            poll(1, {(7,): {"price_usd": Decimal(10)}}, **PRICES),
            poll(5, {(1, "ETH"): fee("3", 7)}),
            poll(6, eur[0], **FIATS),
            poll(10, {(1, "ETH"): fee("4", 7)}),
            poll(11, eur[1], **FIATS),
            poll(12, None, **FIATS),
            poll(15, {(1, "ETH"): fee("5", 7)}),
        ]
    )

    rows = query(
        "SELECT fee_amount::INTEGER, fee_fiat::DOUBLE, fee_fiat_reason FROM withdraw_fee_in('EUR')"
        " ORDER BY valid_from"
    )

    assert rows == [
        (2, None, "no_fee_usd"),
        (3, None, "no_rate"),
        (4, 36.0, None),
        (5, None, "no_rate"),
    ]
