"""The state machine of one subject: a pure function of (instance, observation, thresholds).

Owns when an episode opens and ends, and its bounds. Knows nothing of what is told to whom
(telling.py, notices.py), reads no clock. Called by engine.py for each observation.

    quiet -> pending -> firing -> recovering -> quiet

Only known observations count. An unknown one changes nothing at all: it neither counts towards an
opening or a resolving nor resets a count, because an outage says nothing about a chain.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from ccpay_io.alerts.instance import Instance
from ccpay_io.alerts.subject import Observation, is_worse

Event = Literal["opened", "escalated", "resolved", "closed", "delisted"]

# A chain that three whole lists in a row do not name is removed, not down.
ABSENCES = 3


@dataclass(frozen=True)
class Step:
    """What an observation led to.

    Attributes:
        instance: the new state.
        event: what happened to the episode, if anything.
        confirm: whether asking again soon would settle something.
    """

    instance: Instance
    event: Event | None = None
    confirm: bool = False


def advance(
    was: Instance, seen: Observation, *, alert_id: str, raise_after: int, clear_after: int
) -> Step:
    """The next state of a subject.

    Args:
        was: its state.
        seen: what this poll says.
        alert_id: the id of an episode that would begin with this poll.
        raise_after: known bad observations in a row that open.
        clear_after: known good ones in a row that resolve.
    """
    match seen.verdict:
        case "unknown":
            return Step(was)
        case "absent":
            return _absent(was, alert_id)
        case "gone":
            return _ended(was, "closed")
    now = replace(
        was,
        subject=seen.subject,
        absences=0,
        last_known_at=max(seen.by, was.last_known_at),
    )
    if seen.verdict == "bad":
        return _bad(now, seen, alert_id, seen.raise_after or raise_after)
    return _good(now, seen, seen.clear_after or clear_after)


def _bad(was: Instance, seen: Observation, alert_id: str, raise_after: int) -> Step:
    bad = replace(was, value=seen.value, last_bad_at=max(seen.by, was.last_bad_at))
    if was.phase == "recovering":
        # The same episode goes on, and nobody is told anything new.
        bad = replace(bad, phase="firing", streak=0, ended_after=None, ended_by=None)
    if bad.phase == "firing":
        if is_worse(seen.severity, was.severity):
            return Step(replace(bad, severity=seen.severity), "escalated")
        return Step(bad)
    if was.phase == "quiet":
        bad = _begun(bad, seen, alert_id)
    bad = replace(bad, streak=bad.streak + 1, severity=seen.severity)
    if bad.streak < raise_after:
        return Step(bad, confirm=True)
    return Step(replace(bad, phase="firing"), "opened")


def _begun(was: Instance, seen: Observation, alert_id: str) -> Instance:
    return replace(
        was,
        phase="pending",
        streak=0,
        alert_id=alert_id,
        started_after=seen.after,
        started_by=seen.by,
        last_bad_at=seen.by,
        ended_after=None,
        ended_by=None,
        sequence=0,
        reminders=0,
        remind_at=None,
    )


def _good(was: Instance, seen: Observation, clear_after: int) -> Step:
    if not was.is_open:
        return Step(replace(was, phase="quiet", streak=0))
    if was.phase == "firing":
        was = replace(
            was,
            phase="recovering",
            streak=0,
            ended_after=was.last_bad_at,
            ended_by=max(seen.by, was.last_bad_at),
        )
    good = replace(was, streak=was.streak + 1)
    if good.streak < clear_after:
        return Step(good, confirm=True)
    return Step(replace(good, phase="quiet", streak=0), "resolved")


def _absent(was: Instance, alert_id: str) -> Step:
    if was.absences == ABSENCES:
        return Step(was)
    missing = replace(was, absences=was.absences + 1)
    if missing.absences < ABSENCES:
        return Step(missing)
    # Without an episode the removal is one of its own, and its notice needs a name of its own.
    named = missing if was.is_open else replace(missing, alert_id=alert_id, sequence=0)
    return _ended(named, "delisted")


def _ended(was: Instance, event: Literal["closed", "delisted"]) -> Step:
    """Over without having recovered; when exactly nobody knows, so the bounds stay open."""
    over = replace(was, phase="quiet", streak=0)
    ends = was.is_open or was.flapping_since is not None or event == "delisted"
    return Step(over, event if ends else None)
