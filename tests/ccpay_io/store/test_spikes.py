"""Fees that are unusually high: a month of polls in which each chain shows one thing."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ccpay_io.store.writer import Warehouse

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
# Two coins in which fees are charged: the price of CALM stays, that of WILD rises once.
CALM, WILD = 1, 2
DAYS = 29
SPIKE = 240
# The hour of the week in which some fees are always high, and is polled every ten minutes.
WEEKLY = (10, 178, 346, 514)
LAST = 682

Fee = Callable[[float], str | None]


def _during(low: str, high: str, hours: int, since: int = SPIKE) -> Fee:
    return lambda hour: high if since <= hour < since + hours else low


def _weekly(hour: float) -> str:
    if int(hour) in WEEKLY:
        return "1.8"
    return "2.5" if int(hour) == LAST else "1"


def _with_outage(hour: float) -> str | None:
    return None if hour == SPIKE + 2 else _during("1", "5", 4)(hour)


# Chain -> the coin of its fee, and the fee at each hour; None is no answer.
CHAINS: dict[str, tuple[int, Fee]] = {
    "LASTING": (CALM, _during("1", "5", 3)),
    "SHORT": (CALM, _during("1", "5", 1)),
    "TINY": (CALM, _during("0.01", "0.4", 3)),
    "HUGE": (CALM, _during("1", "99999999999999999999.999999999999999999", 3)),
    "PRICE": (WILD, lambda hour: "1"),
    "BOTH": (WILD, _during("1", "2", 3)),
    "OUTAGE": (CALM, _with_outage),
    "WEEKLY": (CALM, _weekly),
    "ONCE": (CALM, _during("1", "2.5", 1, LAST)),
    "LEVEL": (CALM, lambda hour: "1" if hour < SPIKE else "5"),
}


@pytest.fixture(scope="module")
def events(
    tmp_path_factory: pytest.TempPathFactory, empty_private: Path, poll: Any, fee: Any
) -> dict[str, list[tuple[Any, ...]]]:
    """Chain -> (hours from the start to the opening and to the close, peak, baseline, cause, n)."""
    warehouse = Warehouse(tmp_path_factory.mktemp("spikes"), "test")
    warehouse.private.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(empty_private, warehouse.private)
    warehouse.commit(list(_polls(poll, fee)))
    con = duckdb.connect(str(warehouse.private), read_only=True)
    rows = con.execute("""
        SELECT chain, opened_at, closed_at, peak_usd, baseline_usd, cause, baseline_sample_count
        FROM fee_spike_event ORDER BY opened_at
    """).fetchall()
    con.close()
    found: dict[str, list[tuple[Any, ...]]] = {chain: [] for chain in CHAINS}
    for chain, opened, closed, *values in rows:
        found[chain].append((_hours(opened), _hours(closed), *values))
    return found


def _hours(moment: datetime | None) -> float | None:
    """Polls are answered ten seconds after they began."""
    return moment and (moment - START - timedelta(seconds=10)) / timedelta(hours=1)


def _polls(poll: Any, fee: Any) -> Iterator[Any]:
    prices = {"feed": "prices", "dataset": "coin_price", "cadence_s": 3600}
    for hour in range(DAYS * 24):
        wild = Decimal(4) if SPIKE <= hour < SPIKE + 3 else Decimal(1)
        rows = {(CALM,): {"price_usd": Decimal(1)}, (WILD,): {"price_usd": wild}}
        yield poll(hour * 60 - 1, rows, **prices)
        for minute in range(0, 60, 10 if hour in (*WEEKLY, LAST) else 60):
            at = hour + minute / 60
            said = {chain: fees(at) for chain, (_, fees) in CHAINS.items()}
            yield poll(
                hour * 60 + minute,
                {
                    (7, chain): fee(amount, CHAINS[chain][0], "X")
                    for chain, amount in said.items()
                    if amount is not None
                },
                gaps={"TimedOut": [(7, chain) for chain, a in said.items() if a is None]},
                cadence_s=3600,
            )


def test_it_opens_with_the_second_high_poll_and_closes_with_the_first_usual_one(
    events: Any,
) -> None:
    """With what was usual beside the peak: 168 full hours but the one that was high."""
    assert events["LASTING"] == [(SPIKE + 1, SPIKE + 3, Decimal(5), Decimal(1), "fee", 167)]


@pytest.mark.parametrize("chain", ["SHORT", "TINY", "HUGE"])
def test_it_takes_two_polls_half_a_dollar_and_a_credible_amount(events: Any, chain: str) -> None:
    """One high poll, a few cents, or more than a million dollars are no event."""
    assert events[chain] == []


def test_a_price_that_rises_under_a_fee_that_stays_is_said_to_be_the_cause(events: Any) -> None:
    """The fee costs four times as much in dollars, and has not changed."""
    assert events["PRICE"] == [(SPIKE + 1, SPIKE + 3, Decimal(4), Decimal(1), "price", 166)]


def test_fee_and_price_may_rise_together(events: Any) -> None:
    """Twice the fee at four times the price."""
    assert events["BOTH"] == [(SPIKE + 1, SPIKE + 3, Decimal(8), Decimal(1), "both", 166)]


def test_a_poll_without_answer_ends_nothing(events: Any) -> None:
    """High before and after it: one event."""
    assert events["OUTAGE"] == [(SPIKE + 1, SPIKE + 4, Decimal(5), Decimal(1), "fee", 167)]


def test_what_is_high_in_this_hour_of_every_week_is_no_event(events: Any) -> None:
    """The same fee without that habit is one."""
    assert events["WEEKLY"] == []
    ((opened, closed, peak, *_, samples),) = events["ONCE"]
    assert (opened, closed, peak) == (LAST + 10 / 60, LAST + 1, Decimal("2.5"))
    # All polls of the four hours in the weeks before.
    assert samples == 24


def test_a_level_that_stays_becomes_the_usual_one(events: Any) -> None:
    """After half of the week that is looked at, when most samples are of the new level."""
    ((opened, closed, *_),) = events["LEVEL"]
    assert opened == SPIKE + 1
    assert 84 <= closed - SPIKE < 7 * 24
