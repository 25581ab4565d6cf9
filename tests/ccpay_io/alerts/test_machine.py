from __future__ import annotations

import re
from dataclasses import dataclass, field

import pytest
from alert_timeline import START, TICK
from hypothesis import given
from hypothesis import strategies as st
from story import VERDICTS

from ccpay_io.alerts.instance import Instance
from ccpay_io.alerts.machine import advance
from ccpay_io.alerts.subject import Observation, fingerprint

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


def observed(character: str, tick: int, severity: str = "critical") -> Observation:
    """What a character of a history says about the chain TRX."""
    at = START + tick * TICK
    verdict = VERDICTS[character]
    return Observation("chain_status", "TRX", "TRX", verdict, character, severity, None, at)


def tell(history: str, raise_after: int = 2, clear_after: int = 3) -> Told:
    """Feeds a history to the state machine, one observation per tick."""
    told = Told()
    for tick, character in enumerate(history):
        seen = observed(character, tick)
        step = advance(
            told.instance or Instance.unseen(seen),
            seen,
            alert_id=f"a-{tick}",
            raise_after=raise_after,
            clear_after=clear_after,
        )
        told.instance = step.instance
        if step.event:
            told.transitions.append((tick, step.event))
        if step.event == "resolved":
            told.closed.append(step.instance)
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
    still_open = told.instance is not None and told.instance.is_open
    assert told.order.count("opened") == told.order.count("resolved") + still_open


@given(histories)
def test_unknown_never_changes_a_verdict(history: str) -> None:
    """With all unknown polls left out, the same things are told."""
    assert tell(history).order == tell(history.replace("?", "")).order


@given(histories)
def test_bounds_hold_the_truth(history: str) -> None:
    """An episode began after a good poll by a bad one, and ended after a bad one by a good one."""
    for episode in tell(history).closed:
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


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        pytest.param("bbaaa", ["opened", "delisted"], id="three whole lists without it end it"),
        pytest.param("bbaagaa", ["opened"], id="back after two it goes on"),
        pytest.param("bbaa?a", ["opened", "delisted"], id="an unknown poll keeps the count"),
        pytest.param("gaaaaaaa", ["delisted"], id="a quiet one is told once"),
        pytest.param("bbaaabb", ["opened", "delisted", "opened"], id="then it begins anew"),
        pytest.param("bbx", ["opened", "closed"], id="no longer asked for ends it at once"),
        pytest.param("bxggx", [], id="what never opened is not closed"),
    ],
)
def test_what_vanishes_is_ended_and_not_resolved(history: str, expected: list[str]) -> None:
    """Removed from the list, or from what is asked: the episode ends, as what it is."""
    assert tell(history).order == expected


def test_a_higher_severity_escalates_and_a_lower_one_changes_nothing() -> None:
    """Severity only rises while an episode lasts."""
    seen = [
        observed("b", tick, severity)
        for tick, severity in enumerate(["info", "info", "warning", "info", "critical"])
    ]
    instance, events = Instance.unseen(seen[0]), []
    for each in seen:
        step = advance(instance, each, alert_id="a", raise_after=2, clear_after=3)
        instance = step.instance
        events.append(step.event)
    assert events == [None, "opened", "escalated", None, "escalated"]
    assert instance.severity == "critical"
