from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from alert_timeline import TICK, Timeline, chain_poll, live_settings

from ccpay_io.feeds.poll import Answers
from ccpay_io.store.datasets import DATASETS


def latest(timeline: Timeline) -> tuple[str, str]:
    """Title and body of the last notice."""
    (row,) = timeline.rows(
        "SELECT title, body FROM store.alert_outbox WHERE channel = 'log'"
        " ORDER BY poll_id DESC, transition DESC LIMIT 1"
    )
    return row[0], row[1]


@pytest.mark.parametrize(
    ("script", "title"),
    [
        ("nn mm", "TRX is in maintenance"),
        ("nn mm nnn", "TRX is back to normal after 30 s to 90 s"),
        ("mm nnn", "TRX is back to normal after at least 30 s"),
        ("nn xx", "CCPayment API gives no answers"),
        ("nn xx nnn", "CCPayment API answers again after 30 s to 90 s"),
        ("nn a", "CCPayment API does not let us in"),
        ("nn rr", "CCPayment API asks us to slow down"),
        ("nn q", "CCPayment API gives no more answers today"),
        ("nn b", "CCPayment API has banned this IP"),
        ("nn ee", "getChainList list is not as documented"),
        ("nn ee nnn", "getChainList list is as documented again"),
        ("nn uu", "getChainList status is not as documented"),
    ],
)
def test_title_says_subject_and_state(timeline: Timeline, script: str, title: str) -> None:
    """The title alone tells what happened to what."""
    timeline.play(script)
    assert latest(timeline)[0] == title


def test_opened_says_what_was_seen_and_since_when(timeline: Timeline) -> None:
    """The body has the API's own word, how many polls say so, both bounds and the alert's id."""
    timeline.play("nn tt")
    _, body = latest(timeline)
    ((alert_id,),) = timeline.rows("SELECT alert_id FROM store.alert_episode")
    assert "Maintain" in body
    assert "2 polls" in body
    assert "2026-03-02 10:00:31 UTC to 2026-03-02 10:01:01 UTC" in body
    assert alert_id in body


def test_resolved_says_when_it_ended(timeline: Timeline) -> None:
    """The body has both bounds of the end."""
    timeline.play("nn mm nnn")
    _, body = latest(timeline)
    assert "between 2026-03-02 10:01:31 UTC and 2026-03-02 10:02:01 UTC" in body


def test_failure_is_quoted_and_clears_the_chains(timeline: Timeline) -> None:
    """A source alert quotes the failure and says that it is no news about chains."""
    timeline.play("nn xx")
    _, body = latest(timeline)
    assert "ConnectFailed" in body
    assert "nothing about any chain" in body


@pytest.mark.parametrize(
    "script", ["mm", "mm nnn", "xx", "xx nnn", "ee", "ee nnn", "uu", "uu nnn", "b"]
)
def test_nothing_is_called_down(timeline: Timeline, script: str) -> None:
    """The API says that payouts may be delayed, not that a chain is down."""
    timeline.play(f"n {script}")
    for title, body in timeline.rows("SELECT title, body FROM store.alert_outbox"):
        assert not re.search(r"\bdown\b", f"{title} {body}", re.IGNORECASE)


def test_query_in_the_message_runs(timeline: Timeline) -> None:
    """What is offered to copy and paste works on the warehouse."""
    timeline.play("n mm nnn xx nnn ee nnn uu nnn")
    for (body,) in timeline.rows("SELECT body FROM store.alert_outbox"):
        found = re.search(r"^Look closer: (SELECT .+)$", body, re.MULTILINE)
        assert found
        timeline.rows(found[1])


def test_query_survives_a_quote_in_a_name(timeline: Timeline) -> None:
    """A chain's name is foreign text, in SQL as anywhere."""
    timeline.play_lists([{"O'CHAIN": "Maintenance"}] * 2)
    _, body = latest(timeline)
    found = re.search(r"^Look closer: (SELECT .+)$", body, re.MULTILINE)
    assert found
    assert len(timeline.rows(found[1])) == 1


def test_impact_names_the_coins_of_the_chain(timeline: Timeline) -> None:
    """Which coins an alert concerns comes from the merchant's own list: a count and a few names."""
    coins = [f"COIN{i}" for i in range(8)]
    networks = chain_poll({}, timeline.at(0))
    frames = {
        "coin": [
            {"coin_id": i, "state": "ok", "coin": coin, "status": "Normal"}
            for i, coin in enumerate(coins)
        ],
        "coin_network": [
            {"coin_id": i, "chain": "TRX", "state": "ok"} for i, _ in enumerate(coins)
        ],
    }
    answers = {name: Answers(DATASETS[name].frame(rows)) for name, rows in frames.items()}
    timeline.commit([replace(networks, feed="networks", answers=answers)])
    timeline.play("nn mm")
    _, body = latest(timeline)
    assert "8 (COIN0, COIN1, COIN2, COIN3, COIN4, ...)" in body


def test_sandbox_is_named_in_every_title(tmp_path: Path) -> None:
    """Nobody mistakes made-up data for real."""
    made_up = replace(live_settings(tmp_path), environment="sandbox", base_url="")
    timeline = Timeline(made_up)
    timeline.play("mm nnn xx nnn ee nnn")
    titles = timeline.rows("SELECT title FROM store.alert_outbox")
    assert len(titles) == 6
    assert all(title.startswith("[sandbox] ") for (title,) in titles)


def test_long_outage_reads_in_hours(timeline: Timeline) -> None:
    """Durations are given in units that people think in."""
    timeline.play("nn mm")
    again = Timeline(timeline.settings)
    again.wait(round(3 * 3600 / TICK.total_seconds()))
    again.play("nnn")
    assert latest(timeline)[0].endswith("after 30 s to 3 h 0 min")


def test_a_group_says_once_how_old_it_is_and_when_it_is_said_again(timeline: Timeline) -> None:
    """Ten chains in one message are ten times what differs, and once what does not."""
    chains = [f"C{i}" for i in range(6)]
    timeline.play_lists([dict.fromkeys(chains, word) for word in ("Normal", *["Maintenance"] * 2)])
    _, body = latest(timeline)
    assert body.count("Last answer 0 s ago.") == 1
    assert body.count("Next reminder at 2026-03-02 11:01:01 UTC") == 1
    assert all(f"{chain} is in maintenance." in body for chain in chains)
