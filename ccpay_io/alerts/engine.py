"""The alert engine: (state, observations of one poll, clock, rules) -> (state', transitions).

Owns the order of the pure parts: the state machine of each subject, flap damping, what explains
what, what is told. No IO, no clock of its own, no channels. Called by book.py inside the poll's
transaction, and by the tests.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from ccpay_io.alerts import flapping
from ccpay_io.alerts.instance import Instance
from ccpay_io.alerts.machine import Event, Step, advance
from ccpay_io.alerts.muting import EXPLAINING, Silence, muted_by
from ccpay_io.alerts.subject import Observation, fingerprint
from ccpay_io.alerts.telling import Now, Transition, tell

# So many chains that turn bad in one poll are asked again, whatever the settings say.
MASS_SHARE = 0.1
MASS_AT_LEAST = 5
_KNOWN = ("good", "bad")


@dataclass(frozen=True)
class Moment:
    """Which poll this is.

    Attributes:
        is_tick: False between polls: then nothing is said of what was not observed, as nobody knows
            whether it is still so.
    """

    at: datetime
    poll_id: int
    environment: str
    is_tick: bool = True


@dataclass(frozen=True)
class Rules:
    """Everything that decides beside the observations.

    Attributes:
        raise_after, clear_after: known observations in a row that open and resolve.
        silences: those that may be in force.
        acked: alert_ids that somebody works on.
        known_chains: how many chains there are, to tell a mass event.
    """

    raise_after: int = 2
    clear_after: int = 3
    silences: Sequence[Silence] = ()
    acked: frozenset[str] = frozenset()
    known_chains: int = 0


@dataclass(frozen=True)
class Judgement:
    """What one poll led to.

    Attributes:
        state: fingerprint -> instance, of every subject that has to be remembered.
        events: (event, instance) of episodes that opened, escalated or ended, told or not.
        transitions: what to tell.
        confirm: whether asking again within seconds would settle something.
    """

    state: Mapping[str, Instance]
    events: Sequence[tuple[Event, Instance]]
    transitions: Sequence[Transition]
    confirm: bool


def judge(
    state: Mapping[str, Instance], seen: Sequence[Observation], moment: Moment, rules: Rules
) -> Judgement:
    """Judges the observations of one poll.

    Args:
        state: as the last judgement left it.
        seen: at most one observation per subject.
        moment: of the poll.
        rules: thresholds, silences, acknowledgements.
    """
    steps = _steps(state, seen, moment, rules)
    known = {_key(moment, each) for each in seen if each.verdict in _KNOWN}
    gone = {_key(moment, each) for each in seen if each.verdict == "gone"}
    after = {**state, **{key: step.instance for key, step in steps.items()}}
    causes = [a for a in after.values() if a.is_open and a.kind in EXPLAINING]
    kept, transitions = dict[str, Instance](), list[Transition]()
    for key, alert in after.items():
        if key not in steps and not moment.is_tick:
            kept[key] = alert
            continue
        now = Now(
            moment.at,
            steps[key].event if key in steps else None,
            key in known,
            muted_by(alert, causes, rules.silences, moment.at),
            alert.alert_id in rules.acked,
        )
        told, transition = tell(alert, now)
        transitions += [transition] if transition else []
        if key not in gone and _is_worth_keeping(told):
            kept[key] = told
    return Judgement(
        kept,
        [(step.event, step.instance) for step in steps.values() if step.event],
        transitions,
        any(step.confirm for step in steps.values()),
    )


def _steps(
    state: Mapping[str, Instance], seen: Sequence[Observation], moment: Moment, rules: Rules
) -> dict[str, Step]:
    """Each observed subject one step further; those that are and stay quiet are left out."""
    raise_after = _raise_after(state, seen, moment, rules)
    steps = {}
    for each in seen:
        key = _key(moment, each)
        if key not in state and each.verdict not in ("bad", "absent"):
            continue
        was = state.get(key) or Instance.unseen(each)
        step = advance(
            was,
            each,
            alert_id=f"{key}-{moment.poll_id}",
            raise_after=raise_after,
            clear_after=rules.clear_after,
        )
        if each.verdict in _KNOWN:
            opened = step.event == "opened"
            past = flapping.observed(was, step.instance, moment.at, opened=opened)
            step = replace(step, instance=past)
        steps[key] = step
    return steps


def _raise_after(
    state: Mapping[str, Instance], seen: Sequence[Observation], moment: Moment, rules: Rules
) -> int:
    """A mass event is never believed at first sight."""
    turned_bad = [
        each
        for each in seen
        if each.kind == "chain_status"
        and each.verdict == "bad"
        and not ((was := state.get(_key(moment, each))) and was.is_bad)
    ]
    is_mass = len(turned_bad) >= max(MASS_AT_LEAST, MASS_SHARE * rules.known_chains)
    return max(rules.raise_after, 2) if is_mass else rules.raise_after


def _key(moment: Moment, seen: Observation) -> str:
    return fingerprint(moment.environment, seen.kind, seen.key)


def _is_worth_keeping(alert: Instance) -> bool:
    return (
        alert.phase != "quiet"
        or alert.told is not None
        or alert.absences > 0
        or flapping.has_past(alert)
    )
