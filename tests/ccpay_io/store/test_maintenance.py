"""Maintenance episodes and availability: bounds by sampling, and unknown as a value of its own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ccpay_io.feeds.poll import utc_now
from ccpay_io.store.writer import Warehouse

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
CHAINS = {"feed": "chains", "dataset": "chain"}
NETWORKS = {"feed": "networks", "dataset": "coin_network"}
NETWORK = {"can_withdraw": True, "precision": 18}
# A letter for each poll of one chain; X is a failed poll, S a skipped one, - a list without it.
WORDS = {"N": "Normal", "M": "Maintenance", "m": "Maintain", "F": "Frozen"}


@pytest.fixture
def play(warehouse: Warehouse, poll: Any) -> Any:
    """Writes polls of the chain TRX, one letter each, every so many minutes; a space is no poll."""

    def run(script: str, *, every: float = 5, since: float = 0) -> None:
        polls = []
        for number, letter in enumerate(script):
            minute = since + number * every
            if letter == " ":
                continue
            rows: dict[tuple[str], dict[str, object]] | None = {("ETH",): _status("Normal")}
            if letter in WORDS:
                rows[("TRX",)] = _status(WORDS[letter])
            more: dict[str, Any] = {"cadence_s": int(every * 60)}
            if letter in "XS":
                rows = None
                more["outcome"] = "failed" if letter == "X" else "skipped"
            if letter == "G":
                more["gaps"] = {"bad_value": [("TRX",)]}
            polls.append(poll(minute, rows, **CHAINS, **more))
        warehouse.commit(polls)

    return run


def _status(word: str) -> dict[str, object]:
    state = {"Normal": "normal", "Maintenance": "maintenance", "Maintain": "maintenance"}
    return {"state": state.get(word, "unknown"), "status_raw": word}


EPISODES = """
    SELECT strftime(started_after, '%H:%M'), strftime(started_by, '%H:%M'),
        strftime(ended_after, '%H:%M'), strftime(ended_by, '%H:%M'),
        min_duration_s, max_duration_s, unknown_s
    FROM maintenance_episode ORDER BY started_by
"""


def test_an_outage_inside_a_maintenance_neither_splits_it_nor_invents_time(
    play: Any, query: Any
) -> None:
    """90 minutes with 30 of outage inside: one episode of 85 to 95 minutes, 30 of them unknown."""
    play("N" + "MMMMMM" + "XXXXXX" + "MMMMMM" + "NN")

    assert query(EPISODES) == [("12:00", "12:05", "13:30", "13:35", 5100, 5700, 1800)]


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        # Unknown beside a maintenance widens its bounds and is not in its unknown_s.
        ("NXXMMXXN", [("12:00", "12:15", "12:20", "12:35", 300, 2100, 0)]),
        ("NSMSN", [("12:00", "12:10", "12:10", "12:20", 0, 1200, 0)]),
        # A gap, a skipped poll and an unseen word are as unknown as a failed poll.
        ("NMGSFMN", [("12:00", "12:05", "12:25", "12:30", 1200, 1800, 900)]),
        # The API has two words for it.
        ("NMmMmN", [("12:00", "12:05", "12:20", "12:25", 900, 1500, 0)]),
        # Another answer ends it, also that the chain is no longer listed.
        (
            "NMNM",
            [
                ("12:00", "12:05", "12:05", "12:10", 0, 600, 0),
                ("12:10", "12:15", "12:15", None, 0, None, 0),
            ],
        ),
        (
            "NMM-MN",
            [
                ("12:00", "12:05", "12:10", "12:15", 300, 900, 0),
                ("12:15", "12:20", "12:20", "12:25", 0, 600, 0),
            ],
        ),
        # It was so when monitoring began; a chain that is new was not listed before.
        ("MMN", [(None, "12:00", "12:05", "12:10", 300, None, 0)]),
        ("--MN", [("12:05", "12:10", "12:10", "12:15", 0, 600, 0)]),
        # No poll for an hour is unknown too.
        ("NM            MN", [("12:00", "12:05", "13:10", "13:15", 3900, 4500, 3900)]),
        # A poll that is a little late is not.
        ("NM MN", [("12:00", "12:05", "12:15", "12:20", 600, 1200, 0)]),
        ("NMXX", [("12:00", "12:05", "12:05", None, 0, None, 0)]),
        ("NXXN", []),
        ("NFN", []),
    ],
)
def test_bounds_of_a_maintenance(
    play: Any, query: Any, script: str, expected: list[tuple[Any, ...]]
) -> None:
    """Bounds are the nearest polls that knew; unknown_s lies between the inner ones."""
    play(script)

    assert query(EPISODES) == expected


def test_a_maintenance_keeps_its_id(play: Any, query: Any) -> None:
    """From its first poll on, whatever happens later."""
    play("NM")
    ((first, is_open),) = query("SELECT maintenance_id, is_open FROM maintenance_episode")
    assert is_open

    play("XMN", since=10)

    assert query("SELECT maintenance_id, is_open FROM maintenance_episode") == [(first, False)]
    assert first == f"TRX-{int((START + timedelta(minutes=5)).timestamp()) * 1_000_000}"


def test_affected_coins_are_those_that_were_listed_on_the_chain_then(
    warehouse: Warehouse, poll: Any, play: Any, query: Any
) -> None:
    """As the last token list of the time had them; without any list nobody knows."""
    play("NMN")

    def listed(minute: float, *coins: int) -> None:
        rows = {(coin, "TRX"): NETWORK for coin in coins} | {(9, "ETH"): NETWORK}
        warehouse.commit([poll(minute, rows, **NETWORKS)])

    listed(20, 1, 2, 3)
    warehouse.commit([poll(25, None, **NETWORKS)])
    play("MMN", since=30)
    listed(60, 1)
    play("MN", since=70)

    assert query("SELECT affected_coin_count FROM maintenance_episode ORDER BY started_by") == [
        (None,),
        (3,),
        (1,),
    ]


DAY = "SELECT normal_s, maintenance_s, unknown_s, absent_s, availability_pct, coverage_pct"


def test_a_day_adds_up_to_a_day(play: Any, query: Any) -> None:
    """Known parts as sampled; the rest, before the first poll and after the last, is unknown."""
    play("NNMMXXMN--NN")

    rows = query(f"{DAY}, episode_count, mttr_s, mtbf_s FROM chain_availability_daily"
                 " WHERE chain = 'TRX' AND day = '2026-03-01'")  # fmt: skip

    # 20 minutes normal (the last poll begins nothing), 15 maintenance, 10 absent.
    assert rows == [
        (1200, 900, 86400 - 2700, 600, round(1200 / 27, 4), 3.13, 1, 1500, 1200),
    ]
    ((shortest, longest),) = query(
        "SELECT min(normal_s + maintenance_s + unknown_s + absent_s),"
        " max(normal_s + maintenance_s + unknown_s + absent_s) FROM chain_availability_daily"
    )
    assert (shortest, longest) == (86400, 86400)


def test_a_full_month_has_its_calendar_length(play: Any, query: Any) -> None:
    """Each month adds up; days before the first poll count as passed and unknown."""
    play("N" * 30, every=1440)

    rows = query(
        "SELECT month::VARCHAR, normal_s, unknown_s, coverage_pct FROM chain_availability_monthly"
        " WHERE chain = 'TRX' AND month < '2026-05-01' ORDER BY month"
    )

    assert rows == [
        ("2026-03-01", 29 * 86400, 2 * 86400, round(100 * 29 / 31, 2)),
        ("2026-04-01", 0, 30 * 86400, 0.0),
    ]


@pytest.mark.folder
def test_days_are_utc_whatever_the_session_says(play: Any, query: Any) -> None:
    """A maintenance over midnight is cut there, and counted on the day it was first seen."""
    play("NMMMMN", since=11 * 60 + 45)

    sql = (
        "SELECT day::VARCHAR, maintenance_s, episode_count, mttr_s FROM chain_availability_daily"
        " WHERE chain = 'TRX' AND day < '2026-03-03' ORDER BY day"
    )
    expected = [("2026-03-01", 590, 1, None), ("2026-03-02", 610, 0, 1200)]
    assert query(sql) == expected
    assert query("SET TimeZone = 'Pacific/Auckland'; " + sql) == expected


def test_time_without_polls_is_not_covered(play: Any, query: Any) -> None:
    """A weekend in which nothing ran says nothing about the chain, though both ends were normal."""
    play("NNN", since=0)
    play("NNN", since=600)

    ((normal_s, unknown_s),) = query(
        "SELECT normal_s, unknown_s FROM chain_availability_daily"
        " WHERE chain = 'TRX' AND day = '2026-03-01'"
    )
    assert (normal_s, unknown_s) == (1200, 85200)


def test_a_cadence_that_changes_is_no_gap(play: Any, query: Any) -> None:
    """The step from polls every minute to polls every half hour is as planned."""
    play("NNN", every=1)
    play("NN", every=30, since=32)

    assert query(
        "SELECT normal_s FROM chain_availability_daily WHERE chain = 'TRX' AND day = '2026-03-01'"
    ) == [(3720,)]


def test_today_is_covered_as_far_as_it_has_passed(
    warehouse: Warehouse, poll: Any, query: Any
) -> None:
    """What is still to come is unknown, and no lack of coverage."""
    now = utc_now()
    began = datetime(now.year, now.month, now.day, tzinfo=UTC) - timedelta(seconds=1)
    for number, moment in enumerate((began, now - timedelta(seconds=1))):
        normal = {("TRX",): _status("Normal")}
        fields = {"started_at": moment, "observed_at": moment, "poll_id": number + 1}
        warehouse.commit([poll(0, normal, **CHAINS, cadence_s=86400, **fields)])

    ((coverage, availability, total),) = query(
        "SELECT coverage_pct, availability_pct, normal_s + unknown_s FROM chain_availability_daily"
        " ORDER BY day DESC LIMIT 1"
    )
    passed = (now - began).total_seconds()
    assert coverage == pytest.approx(100, abs=100 * 30 / passed)
    assert (availability, total) == (100, 86400)


def test_overlapping_polls_count_no_time_twice(warehouse: Warehouse, poll: Any, query: Any) -> None:
    """A sweep that is committed later but answered earlier cannot make a day longer."""
    for number, (word, second) in enumerate((("N", 0), ("M", 200), ("N", 100), ("M", 300))):
        moment = START + timedelta(seconds=second)
        rows = {("TRX",): _status(WORDS[word])}
        fields = {"started_at": moment, "observed_at": moment, "poll_id": number + 1}
        warehouse.commit([poll(0, rows, **CHAINS, **fields, writer=str(number))])

    ((normal_s, maintenance_s),) = query(
        "SELECT normal_s, maintenance_s FROM chain_availability_daily WHERE day = '2026-03-01'"
    )
    assert normal_s + maintenance_s == 300
