from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from alert_timeline import NO_ANSWER, KeptFile, Timeline, live_settings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_machine import oracle

TABLES = ("alert_state", "alert_episode", "alert_outbox")


@contextmanager
def _copy_of(empty: Path) -> Iterator[Timeline]:
    with tempfile.TemporaryDirectory() as folder:
        yield Timeline(live_settings(Path(shutil.copytree(empty, Path(folder) / "data"))))
        KeptFile.close_all()


def _all_rows(timeline: Timeline) -> dict[str, list[str]]:
    return {table: sorted(map(repr, timeline.rows(f"FROM store.{table}"))) for table in TABLES}


@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(alphabet="nnmmtu" + NO_ANSWER, min_size=6, max_size=10))
def test_replay_gives_the_same_episodes(empty_warehouse: Path, history: str) -> None:
    """Polls that come again change nothing, and elsewhere lead to the very same rows."""
    with _copy_of(empty_warehouse) as first, _copy_of(empty_warehouse) as second:
        first.play(history)
        once = _all_rows(first)
        first.warehouse.commit(first.polls, evaluate=first.judge)
        assert _all_rows(first) == once
        half = len(first.polls) // 2
        second.commit(first.polls[:half])
        second.commit(first.polls[half:])
        assert _all_rows(second) == once


@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(alphabet="nnmmtu" + NO_ANSWER, min_size=6, max_size=10))
def test_the_episodes_are_those_of_the_rule(empty_warehouse: Path, history: str) -> None:
    """Through the real tables a chain's episodes are those of the rule, whatever hides it."""
    known = "".join({"n": "g", "m": "b", "t": "b"}.get(c, "?") for c in history)
    with _copy_of(empty_warehouse) as timeline:
        timeline.play(history)
        rows = timeline.rows(
            "SELECT opened_poll_id, resolved_poll_id FROM store.alert_episode"
            " WHERE kind = 'chain_status' ORDER BY opened_poll_id"
        )
    polls = [poll.poll_id for poll in timeline.polls]
    told = [polls.index(poll_id) for row in rows for poll_id in row if poll_id]
    assert told == [tick for tick, _ in oracle(known, 2, 3)]


class Crash(Exception):
    """Stands for the process's death at a step."""


@pytest.mark.parametrize("step", ["begin", "alerts", "commit", "committed"])
@pytest.mark.parametrize(
    ("before", "poll", "expected"),
    [("nm", "m", ["3 opened TRX"]), ("mmnn", "n", ["2 opened TRX", "5 resolved TRX"])],
    ids=["opens", "resolves"],
)
def test_crash_at_every_step_of_a_poll(
    timeline: Timeline, step: str, before: str, poll: str, expected: list[str]
) -> None:
    """A poll that dies at any step and is stored again tells exactly what it would have told."""
    timeline.play(before)

    def die(name: str) -> None:
        if name == step:
            raise Crash

    dying = Timeline(timeline.settings, on_step=die)
    dying.wait(len(before))
    with pytest.raises(Crash):
        dying.play(poll)
    timeline.play(poll)
    assert [text for _, text in timeline.notices()] == expected


def test_an_episode_that_never_fired_leaves_no_row(timeline: Timeline) -> None:
    """Pending subjects have a state and no episode."""
    timeline.play("nm")
    assert timeline.rows("SELECT phase FROM store.alert_state") == [("pending",)]
    assert timeline.rows("FROM store.alert_episode") == []
