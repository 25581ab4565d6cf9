"""What is told of an alert: nothing while it is muted, everything once, the end of what was told.

Owns the words of transitions and when each is due: openings (also late ones), reminders,
escalations, flapping, and the taking back of what was said. Pure; called by engine.py for every
subject of every poll, because reminders and the ends of silences need no observation.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from ccpay_io.alerts import flapping
from ccpay_io.alerts.instance import Instance
from ccpay_io.alerts.machine import Event

Word = Literal["opened", "escalated", "flapping", "delisted", "reminder", "resolved", "closed"]

# What takes back what was told.
ENDING = ("resolved", "closed")
# After the opening, then after each reminder; the last one repeats.
REMINDERS = (timedelta(hours=1), timedelta(hours=4), timedelta(hours=24))


@dataclass(frozen=True)
class Transition:
    """Something to tell about one alert.

    Attributes:
        word: what became of it.
        alert: as it is now.
        incident: the alert_id under which it was first told: what paging services go by.
    """

    word: Word
    alert: Instance
    incident: str


@dataclass(frozen=True)
class Now:
    """What a poll brings for one subject.

    Attributes:
        at: when the poll was made.
        event: what happened to its episode.
        is_known: whether the poll says anything about it.
        muted_by: what keeps it from being told.
        is_acked: whether somebody works on it, which ends reminders.
    """

    at: datetime
    event: Event | None
    is_known: bool
    muted_by: str | None
    is_acked: bool


def tell(was: Instance, now: Now) -> tuple[Instance, Transition | None]:
    """The instance as it is after this poll, and what to tell of it.

    Args:
        was: the instance as the state machine left it.
        now: what else this poll brings.
    """
    alert = replace(was, muted_by=now.muted_by if was.is_open else None)
    if alert.flapping_since:
        return _while_flapping(alert, now)
    if now.event in ("closed", "delisted"):
        return _ended(alert, now)
    if now.is_known and flapping.is_unstable(alert):
        return _begins_to_flap(alert, now)
    if now.event == "resolved":
        return _taken_back(alert, "resolved")
    if alert.phase != "firing":
        return alert, None
    return _news(was, alert, now)


def _while_flapping(alert: Instance, now: Now) -> tuple[Instance, Transition | None]:
    if now.event == "escalated" and alert.told:
        return _said(alert, "escalated", now.at)
    if now.event in ("closed", "delisted"):
        return _ended(flapping.settled(alert), now)
    if not (now.is_known and flapping.has_settled(alert, now.at)):
        return alert, None
    calm = flapping.settled(alert)
    if calm.phase == "quiet":
        return _taken_back(calm, "resolved")
    if calm.told == "opened" or calm.muted_by:
        return calm, None
    return _said(calm, "opened", now.at)


def _begins_to_flap(alert: Instance, now: Now) -> tuple[Instance, Transition | None]:
    unsteady = replace(alert, flapping_since=now.at)
    return (unsteady, None) if now.muted_by else _said(unsteady, "flapping", now.at)


def _ended(alert: Instance, now: Now) -> tuple[Instance, Transition | None]:
    if alert.told or now.event == "closed":
        return _taken_back(alert, "closed")
    if now.muted_by:
        return alert, None
    # That a chain is no longer listed is news in itself.
    return alert, Transition("delisted", alert, alert.alert_id)


def _news(was: Instance, alert: Instance, now: Now) -> tuple[Instance, Transition | None]:
    """An open alert: is there anything to say about it?"""
    if alert.told is None:
        # Late or not, only what was just seen again is told as being so.
        return (alert, None) if now.muted_by or not now.is_known else _said(alert, "opened", now.at)
    if now.event == "escalated":
        return _said(alert, "escalated", now.at)
    if now.muted_by or now.is_acked:
        return alert, None
    silence_ended = bool(was.muted_by and was.muted_by.startswith("silence"))
    if silence_ended or (alert.remind_at and alert.remind_at <= now.at):
        return _said(replace(alert, reminders=alert.reminders + 1), "reminder", now.at)
    return alert, None


def _said(alert: Instance, word: Word, at: datetime) -> tuple[Instance, Transition | None]:
    told = replace(
        alert,
        told="flapping" if word == "flapping" else "opened",
        told_id=alert.told_id or alert.alert_id,
        sequence=alert.sequence + 1,
        remind_at=at + REMINDERS[min(alert.reminders, len(REMINDERS) - 1)],
    )
    return told, Transition(word, told, told.told_id or told.alert_id)


def _taken_back(
    alert: Instance, word: Literal["resolved", "closed"]
) -> tuple[Instance, Transition | None]:
    """The end of what was told; of what was not, nothing is said."""
    if alert.told is None:
        return alert, None
    over = replace(alert, sequence=alert.sequence + 1)
    said = Transition(word, over, over.told_id or over.alert_id)
    return replace(over, told=None, told_id=None, remind_at=None), said
