from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from alert_timeline import START, Timeline, chain_poll, failed_poll, live_settings
from hostile_days import Days, episodes, expected, make_days
from story import Story

from ccpay_io.feeds.poll import Poll

QUARTER = timedelta(minutes=15)
POLLS = 90 * 24 * 4


def told_by_the_engine(days: Days, tick: timedelta) -> tuple[list[tuple[int, str, str]], int]:
    """(poll, word, subject) of what the pure engine tells, and the most rows of state it kept."""
    story = Story(tick=tick)
    most = 0
    for row in zip(days.api, *days.chains.values(), strict=True):
        story.poll(dict(zip(("API", *days.chains), row, strict=True)))
        most = max(most, len(story.state))
    told = [(poll - 1, t.word, t.alert.subject) for poll, t in story.told]
    return sorted(each for each in told if each[1] != "reminder"), most


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(seed, marks=pytest.mark.torture) for seed in range(1, 20))]
)
def test_ninety_hostile_days_are_told_without_a_miss_or_a_false_alarm(seed: int) -> None:
    """Recall and precision of opened and resolved are 100 %, and the state stays small."""
    days = make_days(seed, POLLS)
    told, most = told_by_the_engine(days, QUARTER)
    assert told == expected(days)
    assert len(told) > 300
    assert most <= len(days.chains) + 1


def poll_of(days: Days, number: int) -> Poll:
    """One poll of the chain list as the API would have answered it."""
    at = START + number * QUARTER
    if days.api[number] == "b":
        return failed_poll("x", at)
    words = {"g": "Normal", "b": "Maintenance", "?": "Paused"}
    said = {chain: text[number] for chain, text in days.chains.items()}
    return chain_poll({chain: words[c] for chain, c in said.items() if c in words}, at)


@pytest.mark.torture
@pytest.mark.timeout(3600)
def test_ninety_hostile_days_in_a_real_warehouse(root: Path) -> None:
    """Through the store the same is told as by the rule; the tables of state stay small."""
    days = make_days(7, POLLS)
    timeline = Timeline(live_settings(root))
    most = 0
    for begun in range(0, POLLS, 96):
        timeline.commit([poll_of(days, number) for number in range(begun, begun + 96)])
        ((rows,),) = timeline.rows("SELECT count(*) FROM store.alert_state")
        most = max(most, rows)
    polls = {poll.poll_id: number for number, poll in enumerate(timeline.polls)}
    rows = timeline.rows(
        "SELECT poll_id, a ->> 'transition', a ->> 'subject' FROM ("
        " SELECT poll_id, unnest((payload::JSON -> 'alerts')::JSON[]) AS a"
        " FROM store.alert_outbox WHERE channel = 'log')"
    )
    told = sorted((polls[poll_id], word, subject) for poll_id, word, subject in rows
                  if word != "reminder" and not subject.startswith("getChainList"))  # fmt: skip
    assert told == expected(days)
    # Chains, the API, and what the unseen words open of the contract.
    assert most <= len(days.chains) + 3


def test_the_rule_is_found_by_searching() -> None:
    """The other way to say the rule is right about a history that can be read at a glance."""
    assert episodes("gbg?bb?gbggg bb".replace(" ", "")) == [(5, 11), (13, None)]
