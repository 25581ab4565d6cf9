"""What a line may say: exact amounts, moments, and names that the warehouse knows."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccpay_io.withdrawals.lines import Names, check_line, exact_amount
from ccpay_io.withdrawals.table import Line

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
GOOD = {
    "record_id": "W-1",
    "withdrawn_at": "2026-03-01 11:00",
    "coin": "USDT",
    "chain": "TRX",
    "amount": "5",
    "fee_amount": "1.5",
    "fee_coin": "TRX",
}


@pytest.fixture
def names() -> Names:
    """Two coins called DUP, one called USDT beside one called UsdT, and three chains."""
    coins = {"USDT": {1280}, "UsdT": {1281}, "TRX": {1482}, "DUP": {1500, 1501}, "404": {7}}
    return Names(
        {symbol: frozenset(ids) for symbol, ids in coins.items()},
        {"TRX": "Tron", "TON": "Toncoin", "ETH": "Ethereum"},
    )


def problems(names: Names, **changed: str) -> list[str]:
    """What is wrong with a good line once this is changed in it."""
    return check_line(Line(2, {**GOOD, **changed}, ""), names, NOW)[1]


@given(
    st.decimals(min_value=0, max_value=Decimal(10**20 - 1), places=18).map(
        lambda value: format(value, "f")
    )
)
def test_an_amount_is_what_was_written(text: str) -> None:
    """Digit for digit, whatever the size."""
    assert format(exact_amount(text), "f") == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("abc", "amount 'abc' is not a number such as 1234.5"),
        ("1e5", "has an exponent"),
        ("1.5E-07", "has an exponent"),
        ("-5", "has a sign"),
        ("+5", "has a sign"),
        ("1,5", "a point for decimals, no separators"),
        ("1,234.5", "a point for decimals, no separators"),
        ("1 234", "a point for decimals, no separators"),
        ("1'234", "a point for decimals, no separators"),
        ("1_000", "is not a number"),
        (".5", "is not a number"),
        ("5.", "is not a number"),
        ("NaN", "is not a number"),
        ("Infinity", "is not a number"),
        ("0x10", "is not a number"),
        ("\u0665", "is not a number"),
        ("1.0000000000000000000", "has 19 decimals; at most 18 are kept"),
        ("123456789012345678901", "has more than 20 digits before the point"),
        ("0", "is nothing withdrawn"),
        ("0.000", "is nothing withdrawn"),
        ("", "amount is empty"),
    ],
)
def test_an_amount_that_would_be_guessed_or_rounded_is_refused(
    names: Names, text: str, said: str
) -> None:
    """The message shows the text and what is wrong with it."""
    (problem,) = problems(names, amount=text)

    assert said in problem


def test_a_fee_may_be_nothing(names: Names) -> None:
    """A withdrawal can be free, or the file does not say; half a fee says nothing."""
    free, _ = check_line(Line(2, {**GOOD, "fee_amount": "0"}, ""), names, NOW)
    untold, _ = check_line(Line(2, {**GOOD, "fee_amount": "", "fee_coin": ""}, ""), names, NOW)

    assert free
    assert free.fee_amount == 0
    assert untold
    assert (untold.fee_amount, untold.fee_coin_id) == (None, None)
    assert problems(names, fee_coin="") == ["fee_amount is there without fee_coin"]
    assert problems(names, fee_amount="") == ["fee_coin is there without fee_amount"]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-02-01T14:30:00+02:00", datetime(2026, 2, 1, 12, 30, tzinfo=UTC)),
        ("2026-02-01 14:30:00 +02:00", datetime(2026, 2, 1, 12, 30, tzinfo=UTC)),
        ("2026-02-01T14:30:00-0530", datetime(2026, 2, 1, 20, 0, tzinfo=UTC)),
        ("2026-02-01T12:30:00Z", datetime(2026, 2, 1, 12, 30, tzinfo=UTC)),
        ("2026-02-01 12:30", datetime(2026, 2, 1, 12, 30, tzinfo=UTC)),
        ("2026-02-01 12:30:00 UTC", datetime(2026, 2, 1, 12, 30, tzinfo=UTC)),
        ("2026-02-01 12:30:00.5", datetime(2026, 2, 1, 12, 30, 0, 500000, tzinfo=UTC)),
        ("2026-02-01 12:30:00.123456", datetime(2026, 2, 1, 12, 30, 0, 123456, tzinfo=UTC)),
    ],
)
def test_a_moment_is_read_as_utc_or_by_its_offset(
    names: Names, text: str, moment: datetime
) -> None:
    """Without an offset it is UTC, as in CCPayment's exports and everywhere in the warehouse."""
    withdrawal, _ = check_line(Line(2, {**GOOD, "withdrawn_at": text}, ""), names, NOW)

    assert withdrawal
    assert withdrawal.withdrawn_at == moment


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2026-02-01", "is not a time such as"),
        ("01.02.2026 12:30", "is not a time such as"),
        ("1772366400", "is not a time such as"),
        ("2026-W05-1T12:30", "is not a time such as"),
        ("2026-02-30 12:30", "is not a time that exists"),
        ("2026-02-01 25:00", "is not a time that exists"),
        ("2026-03-01 12:01", "lies in the future"),
        ("2026-03-01T11:30:00-02:00", "lies in the future"),
    ],
)
def test_a_moment_that_is_not_certain_is_refused(names: Names, text: str, said: str) -> None:
    """A date without a time, another order of day and month, a moment yet to come."""
    (problem,) = problems(names, withdrawn_at=text)

    assert said in problem


@pytest.mark.parametrize(
    ("text", "coin_id"),
    [("USDT", 1280), ("UsdT", 1281), ("1281", 1281), ("trx", 1482), ("1500", 1500), ("404", 7)],
)
def test_a_coin_is_found_by_its_symbol_or_its_id(names: Names, text: str, coin_id: int) -> None:
    """As spelt; where nothing is spelt so, in any case."""
    withdrawal, _ = check_line(Line(2, {**GOOD, "coin": text}, ""), names, NOW)

    assert withdrawal
    assert withdrawal.coin_id == coin_id


@pytest.mark.parametrize(
    ("column", "text", "said"),
    [
        ("coin", "USDX", "is not a known coin; did you mean USDT?"),
        ("coin", "99", "is not a known coin"),
        ("coin", "9" * 5000, "is not a known coin"),
        ("coin", "DUP", "is the symbol of 2 coins; write the coin_id: 1500, 1501"),
        ("coin", "usdt", "is the symbol of 2 coins; write the coin_id: 1280, 1281"),
        ("fee_coin", "dup", "is the symbol of 2 coins; write the coin_id: 1500, 1501"),
        ("chain", "Tron", "is not a known chain; did you mean TRX?"),
        ("chain", "TRXX", "is not a known chain; did you mean TRX?"),
        ("chain", "qqqqqq", "'qqqqqq' is not a known chain"),
        ("record_id", "2.02508E+18", "was shortened by a spreadsheet"),
        ("record_id", "2,02508E+18", "was shortened by a spreadsheet"),
        ("record_id", "a\nb", "printable characters"),
        ("record_id", "x" * 201, "printable characters"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_name_that_is_not_certain_is_refused(
    names: Names, column: str, text: str, said: str
) -> None:
    """Unknown ones with what may have been meant, ambiguous ones with the ids to choose from."""
    (problem,) = problems(names, **{column: text})

    assert said in problem
    assert len(problem) < 150


def test_everything_that_is_wrong_with_a_line_is_told_at_once(names: Names) -> None:
    """One correction is enough."""
    wrong = problems(names, record_id="", chain="?", amount="x", fee_amount="-1")

    assert [problem.split()[0] for problem in wrong] == [
        "record_id", "chain", "amount", "fee_amount",
    ]  # fmt: skip


def test_suggestions_are_looked_for_only_as_often_as_they_are_shown(names: Names) -> None:
    """A file with its columns mixed up must not take minutes."""
    found = [problems(names, coin="USDX")[0] for _ in range(25)]

    assert ["did you mean" in problem for problem in found] == [True] * 20 + [False] * 5
