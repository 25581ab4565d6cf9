from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from alert_timeline import OTHERS, Timeline, chain_poll, live_settings

from ccpay_io.config import AlertSettings, WatchSettings
from ccpay_io.settings import Secret

STATUS = "getChainList status"
LIST = "getChainList list"
API = "CCPayment API"


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        pytest.param("nn m nn", [], id="1: one bad poll is nothing"),
        pytest.param("nn mm", ["4 opened TRX"], id="2: two bad polls open"),
        pytest.param("nn m n m n m", [], id="single bad polls do not add up"),
        pytest.param("nn mm nn m nn", ["4 opened TRX"], id="3: almost resolved is not resolved"),
        pytest.param("nn mm nnn", ["4 opened TRX", "7 resolved TRX"], id="4: three good resolve"),
        pytest.param("nn mm nn m nnn", ["4 opened TRX", "10 resolved TRX"], id="one episode"),
        pytest.param("mm nnn", ["2 opened TRX", "5 resolved TRX"], id="bad from the first poll"),
        pytest.param(
            "nn xxxxxxxxxx nnn",
            [f"4 opened {API}", f"15 resolved {API}"],
            id="8: an API outage is one source alert and no chain alert",
        ),
        pytest.param(
            "nn mm xxx mm",
            ["4 opened TRX", f"6 opened {API}"],
            id="9: an outage neither resolves nor reopens a chain",
        ),
        pytest.param(
            "nn mm xx nnn",
            ["4 opened TRX", f"6 opened {API}", f"9 resolved {API}, TRX"],
            id="10: recovered during the outage",
        ),
        pytest.param("nn m x m", ["5 opened TRX"], id="an unknown poll keeps the count of bad"),
        pytest.param("nn mm n x n x n", ["4 opened TRX", "9 resolved TRX"], id="and of good"),
        pytest.param(
            "nn mtmt nnn", ["4 opened TRX", "9 resolved TRX"], id="14: two spellings, one episode"
        ),
        pytest.param("nn ee nnn", [f"4 opened {LIST}", f"7 resolved {LIST}"], id="15: empty list"),
        pytest.param("nn hh nnn", [f"4 opened {LIST}", f"7 resolved {LIST}"], id="15: half list"),
        pytest.param("nn mm eeee m", ["4 opened TRX", f"6 opened {LIST}"], id="15: resolves none"),
        pytest.param("nn mm ...", ["4 opened TRX"], id="16: vanishing is no verdict"),
        pytest.param(
            "nn xx eee n",
            [f"4 opened {API}", f"6 opened {LIST}"],
            id="15: nor does it prove the source well",
        ),
        pytest.param("nn uu", [f"4 opened {STATUS}"], id="an unseen word is a contract alert"),
        pytest.param(
            "nn mm uu nnn",
            ["4 opened TRX", f"6 opened {STATUS}", f"9 resolved TRX, {STATUS}"],
            id="an unseen word neither resolves nor opens",
        ),
        pytest.param("nn a", [f"3 opened {API}"], id="a bad signature is reported at once"),
        pytest.param("nn q ssss", [f"3 opened {API}"], id="27: a used-up quota too"),
        pytest.param("nn b kkkk", [f"3 opened {API}"], id="28: a ban, once"),
        pytest.param("nn k", [f"3 opened {API}"], id="28: also when another feed was banned"),
        pytest.param("nn x nn x nn", [], id="single failures are nothing"),
        pytest.param("nn mm ssss nnn", ["4 opened TRX", "11 resolved TRX"], id="not polled"),
    ],
)  # fmt: skip
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
    notices = timeline.play("nn xxx mmmmm")
    assert [n for n in notices if "TRX" in n and "opened" in n] == ["7 opened TRX"]
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
    """When all is well again no state is left."""
    timeline.play("nn mm xx uu ee nnnn")
    assert timeline.rows("SELECT count(*) FROM store.alert_state") == [(0,)]


def test_a_failed_poll_of_another_feed_says_nothing_about_chains(timeline: Timeline) -> None:
    """Chain alerts come from the chain list alone."""
    timeline.play("nn mm")
    poll = chain_poll({}, timeline.at(5))
    fiats = type(poll)(
        poll.poll_id, "fiats", "failed", poll.started_at, poll.observed_at, 1,
        error_name="TimedOut", cadence_s=900,
    )  # fmt: skip
    timeline.commit([fiats] * 1)
    assert timeline.rows("SELECT subject, phase FROM store.alert_state") == [("TRX", "firing")]


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
    ((body,),) = timeline.rows("SELECT body FROM store.alert_outbox WHERE transition = 'resolved'")
    assert "-" not in body.split("after", 1)[1].split(".", 1)[0]
