"""Flap damping: a subject that changes too often is told once, and again when it has settled.

Owns the two measures (opens within an hour, changes among the last 21 known observations) and the
half hour of rest that ends it. Pure; called by engine.py.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from ccpay_io.alerts.instance import Instance

WINDOW = 21
MANY_CHANGES = 6
MANY_OPENS = 3
OPENS_WITHIN = timedelta(minutes=60)
STEADY_FOR = timedelta(minutes=30)


def observed(was: Instance, now: Instance, at: datetime, *, opened: bool) -> Instance:
    """The instance with one more known observation in its past.

    Args:
        was: before the observation.
        now: after it.
        at: when it was made.
        opened: whether an episode opened with it.
    """
    # What is bad when monitoring begins has not changed.
    changed = was.is_bad != now.is_bad and bool(was.alert_id or now.started_after)
    changes = (was.changes << 1 | changed) & ((1 << WINDOW) - 1)
    opens = tuple(moment for moment in was.opens if at - moment < OPENS_WITHIN)
    return replace(
        now,
        changes=changes,
        changed_at=at if changed else was.changed_at,
        opens=(*opens, at) if opened else opens,
    )


def is_unstable(instance: Instance) -> bool:
    """Whether it changes too often to be told each time."""
    return len(instance.opens) >= MANY_OPENS or instance.changes.bit_count() >= MANY_CHANGES


def has_settled(instance: Instance, at: datetime) -> bool:
    """Whether a flapping subject has been the same for so long that it counts again."""
    rests = instance.phase in ("quiet", "firing")
    return rests and instance.changed_at is not None and at - instance.changed_at >= STEADY_FOR


def settled(instance: Instance) -> Instance:
    """The instance with a clean slate."""
    return replace(instance, flapping_since=None, changes=0, opens=())


def has_past(instance: Instance) -> bool:
    """Whether a quiet instance has to be kept."""
    return bool(instance.changes or instance.opens or instance.flapping_since)
