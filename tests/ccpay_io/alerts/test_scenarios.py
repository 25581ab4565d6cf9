from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alert_timeline import OTHERS, Timeline, chain_poll, live_settings
from scenarios import API, SCRIPTS, STATUS

from ccpay_io.config import AlertSettings, BoardSettings, WatchSettings
from ccpay_io.settings import Secret

HALF = timedelta(minutes=30)


@pytest.mark.parametrize(("script", "expected"), SCRIPTS)
def test_timeline(timeline: Timeline, script: str, expected: list[str]) -> None:
    """Each script leads to exactly these notices, at exactly these ticks."""
    assert timeline.play(script) == expected


def test_restart_while_firing_says_nothing_new(timeline: Timeline) -> None:
    """Scenario 5: the state is in the warehouse, so a new process does not report again."""
    timeline.play("nn mm")
    again = Timeline(timeline.settings)
    again.wait(4)
    assert again.play("mmm") == []


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param("nn mm", "nnn", ["103 resolved TRX"], id="6: recovered meanwhile"),
        pytest.param("nn", "mm", ["102 opened TRX"], id="7: broke meanwhile"),
    ],
)
def test_what_happened_while_nothing_ran(
    timeline: Timeline, before: str, after: str, expected: list[str]
) -> None:
    """A change during a standstill is reported after it, with bounds that span it."""
    timeline.play(before)
    again = Timeline(timeline.settings)
    again.wait(100)
    assert again.play(after) == expected


def test_bounds_of_an_episode(timeline: Timeline) -> None:
    """Scenario 4: it began after the last good poll and ended after the last bad one."""
    timeline.play("nn mmm nnn")
    (bounds,) = timeline.rows(
        "SELECT started_after, started_by, ended_after, ended_by FROM store.alert_episode"
    )
    assert bounds == tuple(timeline.seen_at(tick) for tick in (2, 3, 5, 6))


def test_end_bounds_span_an_outage(timeline: Timeline) -> None:
    """Scenario 10: a recovery that nobody could see lies between the polls around the outage."""
    timeline.play("nn mm xx nnn")
    (bounds,) = timeline.rows(
        "SELECT ended_after, ended_by FROM store.alert_episode WHERE kind = 'chain_status'"
    )
    assert bounds == (timeline.seen_at(4), timeline.seen_at(7))


def test_start_bounds_span_an_outage(timeline: Timeline) -> None:
    """Scenario 11: what broke during an outage is opened after it, once, with its true start."""
    assert timeline.play("nn xxx mmmmm") == [f"4 opened {API}", f"8 digest {API}, TRX"]
    (bounds,) = timeline.rows(
        "SELECT started_after, started_by FROM store.alert_episode WHERE kind = 'chain_status'"
    )
    assert bounds == (timeline.seen_at(2), timeline.seen_at(6))


@pytest.mark.parametrize("hidden", [".", "u x u"])
def test_start_bounds_span_what_hid_the_status(timeline: Timeline, hidden: str) -> None:
    """An unseen word or a missing row is no proof of Normal: the start may lie behind it."""
    timeline.play(f"nn {hidden} mm")
    (after,) = timeline.rows(
        "SELECT started_after FROM store.alert_episode WHERE kind = 'chain_status'"
    )
    assert after == (timeline.seen_at(2),)


def test_bad_at_the_first_poll_has_no_start(timeline: Timeline) -> None:
    """A chain that was in maintenance when monitoring began is marked as such."""
    timeline.play("mm")
    ((after, title, body),) = timeline.rows(
        "SELECT e.started_after, o.title, o.body FROM store.alert_episode AS e"
        " JOIN store.alert_outbox AS o ON list_contains(o.alert_ids, e.alert_id)"
    )
    assert after is None
    assert title == "TRX is in maintenance"
    assert "when monitoring began" in body


def test_first_poll_with_many_bad_is_one_digest(timeline: Timeline) -> None:
    """What is bad at the start is one notice, called the state at start."""
    timeline.play_lists([dict.fromkeys([f"C{i:02}" for i in range(6)], "Maintenance")] * 2)
    ((title, ids),) = timeline.rows("SELECT title, len(alert_ids) FROM store.alert_outbox")
    assert (title, ids) == ("State at start: 6 chains", 6)


def test_forty_of_forty_chains_are_one_notice(timeline: Timeline) -> None:
    """Scenario 12: a mass event is asked again and then one notice each way, naming every chain."""
    chains = [f"C{i:02}" for i in range(40)]
    good, bad = dict.fromkeys(chains, "Normal"), dict.fromkeys(chains, "Maintenance")
    confirms = timeline.play_lists([good, bad, bad, good, good, good])
    assert confirms == [False, True, False, True, True, False]
    opened, resolved = timeline.rows(
        "SELECT transition, len(alert_ids), body FROM store.alert_outbox ORDER BY poll_id"
    )
    assert opened[:2] == ("opened", 40)
    assert resolved[:2] == ("resolved", 40)
    assert all(chain in opened[2] for chain in chains)


def test_every_status_unseen_is_one_contract_alert(timeline: Timeline) -> None:
    """Scenario 13: a new word for everything says nothing about any chain."""
    chains = [f"C{i:02}" for i in range(40)]
    good, new = dict.fromkeys(chains, "Normal"), dict.fromkeys(chains, "ACTIVE")
    timeline.play_lists([good, new, new, new])
    ((title, body),) = timeline.rows("SELECT title, body FROM store.alert_outbox")
    assert title.startswith(STATUS)
    assert "ACTIVE" in body


def test_spellings_of_maintenance_are_one_state(timeline: Timeline) -> None:
    """Case and blanks do not make a new status."""
    words = ["Normal", "MAINTENANCE", "maintain", " Maintenance ", "normal", "NORMAL", "Normal"]
    timeline.play_lists([{"TRX": word} for word in words])
    assert timeline.notices() == [(3, "3 opened TRX"), (7, "7 resolved TRX")]


def test_chains_that_open_and_chains_that_resolve_are_two_notices(timeline: Timeline) -> None:
    """An opening and a resolving in one poll are told apart."""
    first, second = ("Maintenance", "Normal"), ("Normal", "Maintenance")
    ticks = [first, first, ("Normal", "Normal"), second, second]
    timeline.play_lists([dict(zip(("A", "B"), words, strict=True)) for words in ticks])
    assert timeline.notices() == [(2, "2 opened A"), (5, "5 opened B"), (5, "5 resolved A")]


@pytest.mark.parametrize(
    ("script", "confirms"),
    [
        pytest.param("n", False, id="all is well"),
        pytest.param("nm", True, id="first bad"),
        pytest.param("nmm", False, id="confirmed bad"),
        pytest.param("nmmn", True, id="first good"),
        pytest.param("nmmnn", True, id="second good"),
        pytest.param("nmmnnn", False, id="confirmed good"),
        pytest.param("nmx", True, id="first failure of the source"),
        pytest.param("nb", False, id="a ban is never answered with another request"),
        pytest.param("na", False, id="nor is a bad signature"),
        pytest.param("nq", False, id="nor a used-up quota"),
    ],
)
def test_confirmation_is_wanted_for_a_first_change(
    timeline: Timeline, script: str, confirms: bool
) -> None:
    """The caller is told to ask again only while that would settle something."""
    timeline.play(script[:-1])
    assert timeline.confirms(script[-1]) is confirms


def test_thresholds_of_the_settings_count(root: Path) -> None:
    """raise_after and clear_after come from ccpay.toml."""
    settings = live_settings(root, alerts=AlertSettings(raise_after=3, clear_after=1))
    assert Timeline(settings).play("n mm n mmm n") == ["7 opened TRX", "8 resolved TRX"]


def test_new_thresholds_while_firing_keep_the_episode(timeline: Timeline) -> None:
    """Scenario 26: identity holds no thresholds, so an edit neither reopens nor closes."""
    timeline.play("nn mm")
    edited = live_settings(timeline.settings.warehouse, alerts=AlertSettings(raise_after=5))
    again = Timeline(edited)
    again.wait(4)
    assert again.play("mmm nnn") == ["10 resolved TRX"]
    assert timeline.rows("SELECT count(*) FROM store.alert_episode") == [(1,)]


def test_state_is_as_small_as_the_trouble(timeline: Timeline) -> None:
    """When all has been well for as long as anything could still flap, no state is left."""
    timeline.play("nn mm xx uu ee nnnn")
    timeline.wait(120)
    timeline.play("n" * 21)
    assert timeline.rows("SELECT count(*) FROM store.alert_state") == [(0,)]


def test_a_failed_poll_of_another_feed_says_nothing_about_chains(timeline: Timeline) -> None:
    """Chain alerts come from the chain list alone."""
    timeline.play("nn mm")
    poll = chain_poll({}, timeline.at(5))
    fiats = type(poll)(
        poll.poll_id, "fiats", "failed", poll.started_at, poll.observed_at, 1,
        error_name="TimedOut", cadence_s=900,
    )  # fmt: skip
    timeline.commit([fiats])
    rows = timeline.rows("SELECT subject, phase FROM store.alert_state WHERE kind = 'chain_status'")
    assert rows == [("TRX", "firing")]


@pytest.mark.parametrize(
    ("watch", "told"),
    [
        pytest.param(WatchSettings(), True, id="nothing listed and no coins known: all chains"),
        pytest.param(WatchSettings(chains=("TRX",)), True, id="watched by name"),
        pytest.param(WatchSettings(chains=("ETH",)), False, id="another one is watched"),
    ],
)
def test_channels_hear_of_watched_chains(root: Path, watch: WatchSettings, told: bool) -> None:
    """A watched chain is critical and told to every channel; any other goes to the log only."""
    settings = live_settings(root, watch=watch, alert_urls=(Secret("https://hooks.test/a-token"),))
    timeline = Timeline(settings)
    assert timeline.play("nn mm nnn") == ["4 opened TRX", "7 resolved TRX"]
    rows = timeline.rows(
        "SELECT transition, severity FROM store.alert_outbox"
        " WHERE channel <> 'log' ORDER BY poll_id"
    )
    assert rows == ([("opened", "critical"), ("resolved", "critical")] if told else [])


def test_no_longer_watched_while_firing_is_still_resolved(root: Path) -> None:
    """Who was told that it opened is told that it ended, whatever the settings say by then."""
    urls = (Secret("https://hooks.test/a-token"),)
    first = Timeline(live_settings(root, alert_urls=urls))
    first.play("nn mm")
    watch = WatchSettings(chains=OTHERS)
    second = Timeline(live_settings(root, alert_urls=urls, watch=watch))
    second.wait(4)
    second.play("nnn")
    rows = second.rows("SELECT transition FROM store.alert_outbox WHERE channel <> 'log'")
    assert sorted(rows) == [("opened",), ("resolved",)]


def test_stopped_clock_keeps_durations_in_order(timeline: Timeline) -> None:
    """Scenario 29: a clock set back by three minutes never makes an episode end before it began."""
    timeline.play("nn mm")
    behind = timeline.at(5) - timedelta(minutes=3)
    timeline.commit(
        [
            chain_poll({**dict.fromkeys(OTHERS, "Normal"), "TRX": "Normal"}, behind + offset)
            for offset in (timedelta(0), timedelta(seconds=9), timedelta(seconds=18))
        ]
    )
    ((begun, after, by),) = timeline.rows(
        "SELECT started_by, ended_after, ended_by FROM store.alert_episode"
    )
    assert begun <= after <= by


def test_an_outage_lowers_the_coverage_and_not_the_availability(root: Path) -> None:
    """Scenario 8: what was not known counts as neither normal nor maintenance."""
    timeline = Timeline(live_settings(root))
    told = timeline.play("nn" + "x" * 10 + "nnn")
    assert told == [f"4 opened {API}", f"15 resolved {API}"]
    sql = "SELECT DISTINCT availability_pct, unknown_s > 300 FROM chain_availability_daily"
    assert timeline.rows(f"{sql} WHERE chain = 'TRX' AND day = '2026-03-02'") == [(100.0, True)]
    failed = "SELECT sum(failed) FROM poll_coverage WHERE feed = 'chains'"
    assert timeline.rows(failed) == [(10,)]


def test_a_duration_across_a_change_of_the_clocks_is_the_time_that_passed(root: Path) -> None:
    """Scenario 29: on 29 March 2026 the clocks of Berlin skip an hour; nothing else does."""
    board = BoardSettings(timezone="Europe/Berlin")
    timeline = Timeline(live_settings(root, board=board))
    begun = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)
    words = ["Normal", *["Maintenance"] * 5, *["Normal"] * 3]
    timeline.commit(
        [
            chain_poll(dict.fromkeys((*OTHERS, "TRX"), "Normal") | {"TRX": word}, begun + n * HALF)
            for n, word in enumerate(words)
        ]
    )
    ((title,),) = timeline.rows(
        "SELECT title FROM store.alert_outbox WHERE transition = 'resolved'"
    )
    assert title == "TRX is back to normal after 2 h 0 min to 3 h 0 min"


def test_two_evaluators_that_race_make_one_episode(timeline: Timeline) -> None:
    """Scenario 30: two processes that poll at the same time tell it once."""
    timeline.play("nnm")
    racers = [Timeline(timeline.settings, on_step=lambda name: None) for _ in range(2)]
    polls = []
    for number, racer in enumerate(racers):
        racer.wait(3)
        poll = racer.tick("m")
        polls.append(replace(poll, writer=f"process {number}"))
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda racer, poll: racer.commit([poll]), racers, polls))
    assert timeline.rows("SELECT count(*) FROM store.poll") == [(5,)]
    assert timeline.rows("SELECT count(*) FROM store.alert_episode") == [(1,)]
    assert [word for _, word in timeline.notices()] == ["4 opened TRX"]


def test_each_chain_that_vanishes_is_a_notice_of_its_own(timeline: Timeline) -> None:
    """Two removals of chains that were never in trouble are two ids: receivers drop repetitions."""
    everything, without = dict.fromkeys("ABC", "Normal"), dict.fromkeys("BC", "Normal")
    timeline.play_lists([everything, *[without] * 3, *[{"C": "Normal"}] * 3])
    rows = timeline.rows("SELECT notice_id, alert_ids, transition FROM store.alert_outbox")
    assert [word for _, _, word in rows] == ["delisted"] * 2
    assert len({notice_id for notice_id, _, _ in rows}) == 2
    assert all(alert_id for _, ids, _ in rows for alert_id in ids)
