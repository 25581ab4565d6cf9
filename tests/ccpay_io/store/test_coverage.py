"""poll_coverage: what was planned, done and missed, by UTC days."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest

from ccpay_io.store.writer import Warehouse


def test_coverage_counts_what_was_planned_done_and_missed(
    warehouse: Warehouse, poll: Any, fee: Any, query: Any
) -> None:
    """A day of 5-minute polls in which three were made, one of them failed."""
    warehouse.commit(
        [
            poll(0, {(1, "ETH"): fee("1")}),
            poll(5, None, error_code=11002),
            poll(30, {(1, "ETH"): fee("2")}),
        ]
    )

    ((planned, ok, failed, missed, gap, top),) = query(
        "SELECT planned, ok, failed, missed, longest_gap_s, top_api_code FROM poll_coverage"
        " WHERE day = '2026-03-01'"
    )

    assert (planned, ok, failed, missed) == (144, 2, 1, 141)
    assert gap > 12 * 3600
    assert top == 11002


def test_more_polls_in_one_slot_hide_no_missed_one(
    warehouse: Warehouse, poll: Any, fee: Any, query: Any
) -> None:
    """Confirmations and polls by hand count as polls, and fill their own slot only."""
    row = {(1, "ETH"): fee("1")}
    minutes = (0, 0.1, 0.2, 1, 2, 5, 15)
    warehouse.commit([poll(minute, row, feed="fees") for minute in minutes])
    warehouse.commit([poll(20, None), poll(21, row), poll(25, None, outcome="skipped")])
    # Another cadence from here on: the slots before it are judged by the old one.
    warehouse.commit([poll(60, row, cadence_s=3600), poll(120, row, cadence_s=3600)])

    rows = query(
        "SELECT planned, ok, failed, skipped, missed, coverage_pct FROM poll_coverage"
        " WHERE day = '2026-03-01'"
    )

    # 12 slots of 5 minutes, of which 0, 5, 15, 20, 25 were tried; 11 hours, of which two were.
    assert rows == [(23, 10, 1, 1, 7 + 9 + 0, round(100 * 6 / 23, 2))]


def test_two_cadences_with_as_many_slots_on_one_day_are_both_planned(
    warehouse: Warehouse, poll: Any, fee: Any, query: Any
) -> None:
    """Six slots of two hours from midnight on, then six of an hour: none hides the others."""
    row = {(1, "ETH"): fee("1")}
    warehouse.commit([poll(60 * hour - 720, row, cadence_s=7200) for hour in range(0, 12, 2)])
    warehouse.commit([poll(60 * hour, row, cadence_s=3600) for hour in range(6)])
    warehouse.commit([poll(360, row, cadence_s=21_600)])

    rows = query(
        "SELECT planned, ok, missed, coverage_pct FROM poll_coverage WHERE day = '2026-03-01'"
    )

    assert rows == [(13, 13, 0, 100.0)]


def test_a_cadence_is_in_force_from_the_first_poll_that_was_planned_by_it(
    warehouse: Warehouse, poll: Any, fee: Any, query: Any
) -> None:
    """Also when a long sweep is committed after the one that began after it."""
    row = {(1, "ETH"): fee("1")}
    warehouse.commit([poll(0, row), poll(120, row, cadence_s=3600), poll(60, row, cadence_s=3600)])

    assert query("SELECT strftime(valid_from, '%H:%M'), cadence_s FROM store.cadence") == [
        ("12:00", 300),
        ("14:00", 3600),
        ("13:00", 3600),
    ]


@pytest.mark.folder
@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Kathmandu"])
def test_coverage_is_of_utc_days_in_any_session(
    warehouse: Warehouse, poll: Any, fee: Any, zone: str
) -> None:
    """Polls around midnight, over a change of clocks, fall on the same days everywhere."""
    row = {(1, "ETH"): fee("1")}
    warehouse.commit([poll(minute, row) for minute in (0, 719, 721, 960, 7 * 1440 - 1)])
    rows = []
    for session in ("UTC", zone):
        con = duckdb.connect(str(warehouse.private), read_only=True)
        con.execute(f"SET TimeZone = '{session}'")
        rows.append(
            con.execute(
                "SELECT * EXCLUDE (longest_gap_s) FROM poll_coverage"
                " WHERE day < '2026-03-20' ORDER BY day"
            ).fetchall()
        )
        con.close()

    assert rows[0] == rows[1]
    assert [(str(r[0]), r[3]) for r in rows[0] if r[3]] == [
        ("2026-03-01", 2),
        ("2026-03-02", 2),
        ("2026-03-08", 1),
    ]
