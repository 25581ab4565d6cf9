"""Models: exact amounts, strict values, nothing guessed or rounded."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ccpay_io.models import Chain, Fee, SwapCoin, parse_amount

CHAIN = {"chain": "ETH", "status": "Normal", "isEVM": True, "supportMemo": False}

digits = st.text("0123456789", min_size=1, max_size=20)
decimals = st.text("0123456789", min_size=1, max_size=18)


@given(digits, st.none() | decimals)
def test_plain_decimal_strings_are_exact(whole: str, part: str | None) -> None:
    """A plain decimal string is the same number, digit for digit."""
    text = whole if part is None else f"{whole}.{part}"
    amount = parse_amount(text)
    assert Fraction(amount) == int(whole) + Fraction(int(part or "0"), 10 ** len(part or ""))
    assert amount.is_finite()


@given(st.text(max_size=30))
def test_text_is_an_amount_or_refused(text: str) -> None:
    """Any other text raises ValueError, and nothing is accepted that reads differently as text."""
    try:
        amount = parse_amount(text)
    except ValueError:
        return
    assert set(text) <= set("0123456789.")
    assert Decimal(text) == amount


@given(st.integers() | st.floats() | st.booleans() | st.none() | st.lists(st.text(), max_size=2))
def test_only_strings_are_amounts(value: object) -> None:
    """A JSON number has gone through somebody's float: it is refused, and so is everything else."""
    with pytest.raises(ValueError, match="plain decimal string"):
        parse_amount(value)


@pytest.mark.parametrize("text", ["0.000000000000000001", "100000000000000000", "0", "0.0", "007"])
def test_extremes_are_kept(text: str) -> None:
    """The smallest and the largest real amounts, and zero, are kept exactly."""
    assert parse_amount(text) == Decimal(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "1e-18",
        "1E5",
        "+1",
        "-1",
        "-0",
        ".5",
        "5.",
        "1,5",
        "1_000",
        " 1",
        "1 ",
        "1\n",
        "NaN",
        "Infinity",
        "0x10",
        "١٢",
        "1.0000000000000000001",
        "100000000000000000000",
        "1" * 41,
    ],
)
def test_what_would_have_to_be_guessed_is_refused(text: str) -> None:
    """Exponents, signs, spaces, foreign digits, too many digits: refused, never rounded."""
    with pytest.raises(ValueError, match=r"decimal|digits"):
        parse_amount(text)


@pytest.mark.parametrize("flag", ["true", 1, 0, None, "", []])
def test_flags_are_booleans(flag: object) -> None:
    """A flag that is not a JSON boolean is not interpreted."""
    with pytest.raises(ValidationError):
        Chain.model_validate({**CHAIN, "isEVM": flag})


@pytest.mark.parametrize("coin_id", ["1280", 1280.0, True, None, -1, 2**63])
def test_ids_are_integers_that_fit(coin_id: object) -> None:
    """An id is a JSON integer that a BIGINT can hold."""
    with pytest.raises(ValidationError):
        SwapCoin.model_validate({"coinId": coin_id, "symbol": "USDT"})


@pytest.mark.parametrize("name", ["", "  ", "a\x00b", "a\nb", "\x1b[31m", 5, None, "x" * 201])
def test_names_are_printable(name: object) -> None:
    """What identifies something is a printable, non-empty string of sensible length."""
    with pytest.raises(ValidationError):
        Chain.model_validate({**CHAIN, "chain": name})


@pytest.mark.parametrize("name", ["ETH", "Binance Smart Chain", "以太坊", "$ALPHA", "1INCH"])
def test_names_are_kept_verbatim(name: str) -> None:
    """Names are not trimmed, folded or translated."""
    assert Chain.model_validate({**CHAIN, "chain": name}).chain == name


@pytest.mark.parametrize("extra", [{}, {"logoUrl": None, "explorer": None, "confirmations": None}])
def test_what_nothing_depends_on_may_be_missing(extra: dict[str, object]) -> None:
    """Missing or null names and links are empty strings."""
    chain = Chain.model_validate({**CHAIN, **extra})
    assert (chain.logo_url, chain.explorer, chain.confirmations) == ("", "", None)


def test_models_are_frozen() -> None:
    """An answer cannot be changed after it was read."""
    fee = Fee.model_validate({"coinId": 1, "coinSymbol": "ETH", "amount": "0"})
    with pytest.raises(ValidationError):
        fee.amount = Decimal(1)
