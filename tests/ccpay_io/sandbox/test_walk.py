from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccpay_io.sandbox.walk import daily, mix, plain, scaled, slow, spread


@given(st.integers(0, 10**38), st.integers(0, 18))
def test_plain_is_exact(mantissa: int, decimals: int) -> None:
    """A decimal string says exactly mantissa x 10^-decimals, in digits and at most one point."""
    text = plain(mantissa, decimals)
    assert text.replace(".", "", 1).isdigit()
    assert scaled(text, decimals) == mantissa
    assert Decimal(text) * 10**decimals == mantissa or len(str(mantissa)) > 27


@pytest.mark.parametrize(
    ("mantissa", "decimals", "text"),
    [(0, 4, "0"), (1, 18, "0.000000000000000001"), (10**35, 18, "1" + "0" * 17), (120, 2, "1.2")],
)
def test_plain_writes_no_padding_and_no_exponent(mantissa: int, decimals: int, text: str) -> None:
    """Zero, the smallest and the largest amounts come out as a person would write them in full."""
    assert plain(mantissa, decimals) == text


def test_scaled_cuts_digits_that_it_has_no_room_for() -> None:
    """A string with more decimals than asked for loses the rest; it is never rounded up."""
    assert scaled("1.2399", 2) == 123


def test_mix_does_not_change_between_releases() -> None:
    """Fixed values: a seed that somebody has noted down shows the same world next year."""
    assert [mix(1), mix(1, 2), mix(-1, 0, 7)] == [
        3047811371739217279,
        220555543233916174,
        8467461341709703901,
    ]


@given(st.integers(0, 2**64 - 1), st.integers(1, 5000))
def test_spread_stays_within_its_width(bits: int, width: int) -> None:
    """Noise is never wider than asked for."""
    assert -width <= spread(bits, width) <= width


@given(st.floats(0, 4e9), st.integers(0, 2**64 - 1))
def test_waves_stay_within_their_amplitude(t: float, key: int) -> None:
    """Neither the daily pattern nor the slow wander leaves its band, at any time."""
    assert abs(daily(t, key % 24, 2500)) <= 2500
    assert abs(slow(t, key, 900)) <= 900


def test_daily_pattern_repeats_after_a_day() -> None:
    """The same hour of another day has the same level, and half a day later the opposite one."""
    assert daily(1_000_000, 8, 2500) == daily(1_000_000 + 86_400, 8, 2500)
    assert daily(1_000_000, 8, 2500) == -daily(1_000_000 + 43_200, 8, 2500)
