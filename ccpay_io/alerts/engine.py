"""The alert state machine: a pure function of (instance, observation, thresholds).

Owns when an alert opens and resolves, and the bounds of the episode. Does no IO, reads no clock and
knows no channels. Called by book.py for each subject of a poll.

    inactive -> pending -> firing -> recovering -> inactive

Only known observations count. An unknown one changes nothing at all: it neither counts towards an
opening or a resolving nor resets a count, because an outage says nothing about a chain.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

Verdict = Literal["good", "bad", "unknown"]
Phase = Literal["pending", "firing", "recovering"]


@dataclass(frozen=True)
class Observation:
    """What one poll says about one subject.

    Attributes:
        kind: "chain_status", "source_health", "contract".
        subject: the chain, the endpoint.
        verdict: good, bad or unknown.
        value: what was seen, in the API's words where there are any.
        severity: "critical", "warning" or "info"; of the alert if it opens now.
        after: this verdict began after this moment (None: it was so at the first poll ever).
        by: and at the latest at this moment.
        at_once: a first bad one opens without confirmation (an auth failure does not flicker).
    """

    kind: str
    subject: str
    verdict: Verdict
    value: str
    severity: str
    after: datetime | None
    by: datetime
    at_once: bool = False


@dataclass(frozen=True)
class Instance:
    """One subject that is not quiet. `streak` counts known observations in a row in this phase."""

    kind: str
    subject: str
    phase: Phase
    streak: int
    value: str
    severity: str
    alert_id: str
    started_after: datetime | None
    started_by: datetime
    last_bad_at: datetime
    ended_after: datetime | None = None
    ended_by: datetime | None = None


@dataclass(frozen=True)
class Step:
    """What an observation led to.

    Attributes:
        instance: the new state; None when the subject is quiet.
        transition: "opened" or "resolved", or None.
        closed: the instance as it was resolved.
        confirm: whether asking again soon would settle something.
    """

    instance: Instance | None
    transition: Literal["opened", "resolved"] | None = None
    closed: Instance | None = None
    confirm: bool = False


def fingerprint(environment: str, kind: str, subject: str) -> str:
    """Identity of a subject: no thresholds, texts or values in it, so edits keep it."""
    text = f"{environment}\0{kind}\0{subject}"
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def advance(
    instance: Instance | None,
    seen: Observation,
    *,
    alert_id: str,
    raise_after: int,
    clear_after: int,
) -> Step:
    """The next state of a subject.

    Args:
        instance: its state; None when it was quiet.
        seen: what this poll says.
        alert_id: the id of an episode that would begin with this poll.
        raise_after: known bad observations in a row that open.
        clear_after: known good ones in a row that resolve.
    """
    if seen.verdict == "unknown":
        return Step(instance)
    if instance is None:
        return Step(None) if seen.verdict == "good" else _first_bad(seen, alert_id, raise_after)
    if seen.verdict == "bad":
        return _bad_again(instance, seen, raise_after)
    return _good(instance, seen, clear_after)


def _first_bad(seen: Observation, alert_id: str, raise_after: int) -> Step:
    pending = Instance(
        seen.kind,
        seen.subject,
        "pending",
        0,
        seen.value,
        seen.severity,
        alert_id,
        started_after=seen.after,
        started_by=seen.by,
        last_bad_at=seen.by,
    )
    return _bad_again(pending, seen, 1 if seen.at_once else raise_after)


def _bad_again(instance: Instance, seen: Observation, raise_after: int) -> Step:
    bad = replace(instance, value=seen.value, last_bad_at=max(seen.by, instance.last_bad_at))
    if instance.phase == "pending":
        bad = replace(bad, streak=instance.streak + 1, severity=seen.severity)
        if bad.streak < raise_after:
            return Step(bad, confirm=True)
        return Step(replace(bad, phase="firing"), "opened")
    # Recovering and bad again: the same episode goes on, and nobody is told anything new.
    return Step(replace(bad, phase="firing", streak=0, ended_after=None, ended_by=None))


def _good(instance: Instance, seen: Observation, clear_after: int) -> Step:
    if instance.phase == "pending":
        return Step(None)
    if instance.phase == "firing":
        instance = replace(
            instance,
            phase="recovering",
            streak=0,
            ended_after=instance.last_bad_at,
            ended_by=seen.by,
        )
    good = replace(instance, streak=instance.streak + 1)
    if good.streak < clear_after:
        return Step(good, confirm=True)
    return Step(None, "resolved", closed=good)
