"""Every scenario with kill -9 at the commit points of the polls that tell something."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from alert_timeline import Timeline, live_settings
from dying import STEPS, play_and_die
from scenarios import SCRIPTS

CASES = [(case.values[0].replace(" ", ""), case.values[1], case.id) for case in SCRIPTS]
TABLES = ("alert_state", "alert_episode", "alert_outbox", "alert_muting")


def ticks_of(told: list[str]) -> list[int]:
    """The polls that tell something."""
    return sorted({int(line.split()[0]) for line in told})


def all_rows(timeline: Timeline) -> dict[str, list[Any]]:
    """What alerts have left in the warehouse."""
    return {table: sorted(map(repr, timeline.rows(f"FROM store.{table}"))) for table in TABLES}


def killed_at(root: Path, script: str, tick: int, step: str) -> Timeline:
    """The script, with a kill at a step of this poll, after which somebody goes on."""
    plan = Timeline(live_settings(root))
    polls = [plan.tick(character) for character in script]
    play_and_die(root, polls[:tick], step)
    after = Timeline(live_settings(root))
    # Who polls again asks the API again: the same poll, or, once it was committed, the next.
    after.commit(polls[tick - 1 :])
    return after


@pytest.mark.parametrize(
    ("script", "told", "step"),
    [
        pytest.param(script, told, STEPS[number % len(STEPS)], id=str(name))
        for number, (script, told, name) in enumerate(CASES)
        if told
    ],
)
def test_a_kill_at_one_commit_point(root: Path, script: str, told: list[str], step: str) -> None:
    """After a kill the scenario ends as if there had been none: nothing lost, nothing doubled."""
    killed = killed_at(root, script, ticks_of(told)[-1], step)
    assert [text for _, text in killed.notices()] == told


@pytest.mark.torture
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("script", "told"), [pytest.param(s, told, id=str(name)) for s, told, name in CASES if told]
)
def test_a_kill_at_every_commit_point(
    empty_warehouse: Path, tmp_path: Path, script: str, told: list[str]
) -> None:
    """At each step of each poll that tells something: the same rows as without a kill."""
    whole = Timeline(live_settings(Path(shutil.copytree(empty_warehouse, tmp_path / "whole"))))
    whole.play(script)
    for tick in ticks_of(told):
        for step in STEPS:
            root = Path(shutil.copytree(empty_warehouse, tmp_path / f"{tick}-{step}"))
            assert all_rows(killed_at(root, script, tick, step)) == all_rows(whole)
