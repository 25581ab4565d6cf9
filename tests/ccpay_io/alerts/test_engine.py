from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from alert_timeline import NO_ANSWER, START, TICK, Timeline, live_settings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ccpay_io.alerts.engine import Instance, Observation, Verdict, advance, fingerprint

VERDICTS: dict[str, Verdict] = {"g": "good", "b": "bad", "?": "unknown"}

histories = st.text(alphabet="gb?", max_size=40)
thresholds = st.integers(1, 4)


@dataclass
class Told:
    """What a subject's history led to: (tick, transition), and the episodes as they ended."""

    transitions: list[tuple[int, str]] = field(default_factory=list)
    closed: list[Instance] = field(default_factory=list)
    instance: Instance | None = None

    @property
    def order(self) -> list[str]:
        """The transitions without their times."""
        return [transition for _, transition in self.transitions]


def tell(history: str, raise_after: int = 2, clear_after: int = 3) -> Told:
    """Feeds a history to the engine, one observation per tick."""
    told = Told()
    good_at = None
    for tick, character in enumerate(history):
        now = START + tick * TICK
        seen = Observation(
            "chain_status", "TRX", VERDICTS[character], character, "critical", good_at, now
        )
        step = advance(
            told.instance,
            seen,
            alert_id=f"a-{tick}",
            raise_after=raise_after,
            clear_after=clear_after,
        )
        told.instance = step.instance
        if step.transition:
            told.transitions.append((tick, step.transition))
        if step.closed:
            told.closed.append(step.closed)
        good_at = now if character == "g" else good_at
    return told


def oracle(history: str, raise_after: int, clear_after: int) -> list[tuple[int, str]]:
    """The rule said another way: runs among the known observations, found by searching text."""
    known = [(tick, character) for tick, character in enumerate(history) if character != "?"]
    text = "".join(character for _, character in known)
    found = []
    position, wanted = 0, ("b" * raise_after, "opened")
    while (at := text.find(wanted[0], position)) >= 0:
        position = at + len(wanted[0])
        found.append((known[position - 1][0], wanted[1]))
        opened = wanted[1] == "opened"
        wanted = ("g" * clear_after, "resolved") if opened else ("b" * raise_after, "opened")
    return found


@given(histories, thresholds, thresholds)
def test_transitions_are_those_of_the_rule(history: str, raised: int, cleared: int) -> None:
    """Opened at the n-th bad in a row, resolved at the m-th good in a row, and at nothing else."""
    assert tell(history, raised, cleared).transitions == oracle(history, raised, cleared)


@given(histories)
def test_never_resolved_without_opened(history: str) -> None:
    """Openings and resolvings alternate, beginning with an opening."""
    words = "".join(f"{transition} " for transition in tell(history).order)
    assert re.fullmatch("(opened resolved )*(opened )?", words)


@given(histories)
def test_every_opened_is_resolved_or_still_open(history: str) -> None:
    """Nothing that was opened is forgotten."""
    told = tell(history)
    still_open = told.instance is not None and told.instance.phase != "pending"
    assert told.order.count("opened") == told.order.count("resolved") + still_open


@given(histories)
def test_unknown_never_changes_a_verdict(history: str) -> None:
    """With all unknown polls left out, the same things are told."""
    assert tell(history).order == tell(history.replace("?", "")).order


@given(histories)
def test_bounds_hold_the_truth(history: str) -> None:
    """An episode began after a good poll by a bad one, and ended after a bad one by a good one."""
    for episode in tell(history).closed:
        assert episode.started_after is None or episode.started_after < episode.started_by
        assert episode.ended_after is not None
        assert episode.ended_by is not None
        assert episode.started_by <= episode.ended_after < episode.ended_by
        first, last = (
            history[round((moment - START) / TICK)]
            for moment in (episode.started_by, episode.ended_after)
        )
        assert (first, last) == ("b", "b")


@given(histories)
def test_one_episode_keeps_its_id(history: str) -> None:
    """An id is that of the first bad poll, from pending to resolved."""
    for episode in tell(history).closed:
        begun = round((episode.started_by - START) / TICK)
        assert episode.alert_id == f"a-{begun}"


def test_fingerprint_tells_subjects_apart() -> None:
    """Environment, kind and subject make the identity, and cannot be shifted into each other."""
    keys = {
        fingerprint("live", "chain_status", "TRX"),
        fingerprint("sandbox", "chain_status", "TRX"),
        fingerprint("live", "contract", "TRX"),
        fingerprint("live", "chain_status", "TRX2"),
        fingerprint("livec", "hain_status", "TRX"),
    }
    assert len(keys) == 5


TABLES = ("alert_state", "alert_episode", "alert_outbox")


@contextmanager
def _copy_of(empty: Path) -> Iterator[Timeline]:
    with tempfile.TemporaryDirectory() as folder:
        yield Timeline(live_settings(Path(shutil.copytree(empty, Path(folder) / "data"))))


def _all_rows(timeline: Timeline) -> dict[str, list[str]]:
    return {table: sorted(map(repr, timeline.rows(f"FROM store.{table}"))) for table in TABLES}


@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(alphabet="nnmmtu." + NO_ANSWER, min_size=6, max_size=10))
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
@given(st.text(alphabet="nnmmtu." + NO_ANSWER, min_size=6, max_size=10))
def test_the_warehouse_tells_what_the_rule_says(empty_warehouse: Path, history: str) -> None:
    """Through the real tables a chain's notices are those of the rule, whatever hides it."""
    with _copy_of(empty_warehouse) as timeline:
        notices = timeline.play(history)
    known = "".join({"n": "g", "m": "b", "t": "b"}.get(c, "?") for c in history)
    told = [n.split()[:2] for n in notices if "TRX" in n.split(" ", 2)[2]]
    assert told == [[str(tick + 1), transition] for tick, transition in oracle(known, 2, 3)]


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
