"""Is the data as fresh as it should be? A verdict with its reasons.

Owns the limits. A healthy process says nothing about old data, so the data is what is judged: who
asks hears the same from a machine whose daemon hangs as from one that the API has banned. Called by
server.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from ccpay_io.settings import Settings
from ccpay_io.telemetry.families import planned
from ccpay_io.telemetry.figures import Figures

# As the views and the checks have it: late after three cadences.
LATE_AFTER = 3


def complaints(figures: Figures | None, settings: Settings, now: datetime) -> list[str]:
    """What is wrong at this moment, a line each; empty when all is well.

    Args:
        figures: of the newest publication; None before the first.
        settings: the planned cadences.
        now: in UTC.
    """
    if figures is None:
        return ["nothing has been published yet"]
    return [*_late(figures, settings, now), *_stopped(figures)]


def _late(figures: Figures, settings: Settings, now: datetime) -> Iterator[str]:
    published_s = (now - figures.published_at).total_seconds()
    if published_s > LATE_AFTER * settings.feeds.fees:
        yield f"the last publication is {published_s:.0f} s old"
    for feed, cadence_s in planned(settings).items():
        answered = figures.answered_at.get(feed)
        if answered is None:
            yield f"{feed}: no poll has been answered yet"
        elif now - answered > timedelta(seconds=LATE_AFTER * cadence_s):
            yield f"{feed}: the last answer is {(now - answered).total_seconds():.0f} s old"


def _stopped(figures: Figures) -> Iterator[str]:
    if figures.budget and figures.budget.banned_since:
        yield f"the API has banned this address since {figures.budget.banned_since:%H:%M} UTC"
    if figures.budget and figures.budget.is_quota_exhausted:
        yield "the account's quota for the day is used up"
