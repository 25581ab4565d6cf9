"""Deterministic noise: the same for the same numbers, in any process, at any time, without state.

Owns the arithmetic behind the sandbox's moving fees, prices and statuses. Amounts are integers
(mantissas) all the way, so that the decimal strings served are exact.
"""

from __future__ import annotations

import math

_MASK = (1 << 64) - 1


def mix(*numbers: int) -> int:
    """64 well-mixed bits of some integers (splitmix64 over each in turn)."""
    state = 0x9E3779B97F4A7C15
    for number in numbers:
        state = (state + (number & _MASK) * 0x9E3779B97F4A7C15 + 0x632BE59BD9B4E019) & _MASK
        state ^= state >> 30
        state = state * 0xBF58476D1CE4E5B9 & _MASK
        state ^= state >> 27
        state = state * 0x94D049BB133111EB & _MASK
        state ^= state >> 31
    return state


def spread(bits: int, width: int) -> int:
    """A number from -width to width, the middle more likely than the ends."""
    low = (bits & 0xFFFF) % (width + 1)
    high = (bits >> 16 & 0xFFFF) % (width + 1)
    return low - high


def daily(t: float, phase_hours: float, amplitude: int) -> int:
    """A wave with a period of a day, as a number from -amplitude to amplitude."""
    return round(amplitude * math.sin((t / 3600 - phase_hours) * math.tau / 24))


def slow(t: float, key: int, amplitude: int) -> int:
    """A smooth wander over days: three waves whose periods do not share a beat."""
    phase = key % 1000
    waves = (
        math.sin(t / 86_400 * 1.7 + phase),
        math.sin(t / 86_400 * 0.41 + phase * 3),
        math.sin(t / 3_600 * 0.9 + phase * 7) * 0.3,
    )
    return round(amplitude * sum(waves) / 2.3)


def scaled(text: str, decimals: int) -> int:
    """A decimal string as an integer of 10^-decimals; digits beyond are cut off."""
    whole, _, fraction = text.partition(".")
    return int(whole + fraction[:decimals].ljust(decimals, "0"))


def plain(mantissa: int, decimals: int) -> str:
    """The decimal string of an integer of 10^-decimals, without padding zeros or exponents."""
    if decimals == 0:
        return str(mantissa)
    digits = str(mantissa).rjust(decimals + 1, "0")
    whole, fraction = digits[:-decimals], digits[-decimals:].rstrip("0")
    return f"{whole}.{fraction}" if fraction else whole
