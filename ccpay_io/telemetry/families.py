"""The figures as metrics of Prometheus.

Owns their names, types and help texts; a dashboard and rules are built on them, so a name that
changes is a breaking change. Called by server.py.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from ccpay_io.settings import Settings
from ccpay_io.telemetry.figures import Budget, Figures, Source

# Metric -> field of Polls, and what it says.
_POLL_COUNTERS = {
    "polls": ("polls", "Polls in the ledger, by how they ended"),
    "poll_requests": ("requests", "HTTP requests that polls made"),
    "poll_answers": ("answered", "Entities that were asked for and answered"),
    "poll_changes": ("changed", "Answers that differed from the one before"),
    "poll_refusals": ("refused", "Answers that were refusals (13xxx, 14xxx)"),
    "poll_unknowns": ("unknown", "Entities that were asked for without an answer"),
    "poll_duration_seconds": ("seconds", "Seconds that polls took"),
}


class Families(Collector):
    """Collects all metrics of a warehouse anew at each scrape.

    Args:
        settings: whose warehouse, and the planned cadences.
        source: of the figures.
        version: of this package.
    """

    def __init__(self, settings: Settings, source: Source, version: str) -> None:
        self._settings = settings
        self._source = source
        self._version = version

    def collect(self) -> Iterator[Metric]:
        """What is so without a publication, then what the newest one says."""
        yield InfoMetricFamily(
            "ccpay_build",
            "Release, and whose data it is",
            value={"version": self._version, "environment": self._settings.environment},
        )
        yield self._cadences()
        yield self._disk()
        figures = self._source.newest()
        yield _gauge("ccpay_published", "1 when there is a publication", figures is not None)
        if figures:
            yield from _of_publication(figures)
            yield from _of_polls(figures)
            yield from _of_alerts(figures)
            if figures.budget:
                yield from _of_budget(figures.budget)

    def _cadences(self) -> Metric:
        family = GaugeMetricFamily(
            "ccpay_feed_cadence_seconds", "Planned seconds between two polls", labels=["feed"]
        )
        for feed, cadence_s in planned(self._settings).items():
            family.add_metric([feed], cadence_s)
        return family

    def _disk(self) -> Metric:
        root = self._settings.warehouse
        free = shutil.disk_usage(next(path for path in (root, *root.parents) if path.exists())).free
        return _gauge("ccpay_disk_free_bytes", "Free bytes of the warehouse's disk", free)


def planned(settings: Settings) -> dict[str, int]:
    """Feed -> seconds between two polls; without the watchlist where nothing is on it."""
    cadences: dict[str, int] = settings.feeds.model_dump(exclude={"watch_s"})
    if not settings.watch.addresses and not settings.watch.cwallet_ids:
        del cadences["watchlist"]
    return cadences


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=value)


def _of_publication(figures: Figures) -> Iterator[Metric]:
    yield _gauge(
        "ccpay_publication_timestamp_seconds",
        "When the newest publication was made; everything below is as of then",
        figures.published_at.timestamp(),
    )
    if figures.size is not None:
        yield _gauge("ccpay_publication_size_bytes", "Bytes of the published file", figures.size)


def _of_polls(figures: Figures) -> Iterator[Metric]:
    for name, (field, text) in _POLL_COUNTERS.items():
        family = CounterMetricFamily(f"ccpay_{name}", text, labels=["feed", "outcome"])
        for polls in figures.polls:
            family.add_metric([polls.feed, polls.outcome], getattr(polls, field))
        yield family
    answered = GaugeMetricFamily(
        "ccpay_feed_answered_timestamp_seconds",
        "When a poll of the feed was last answered; time() less this is its lag",
        labels=["feed"],
    )
    for feed, moment in figures.answered_at.items():
        answered.add_metric([feed], moment.timestamp())
    yield answered


def _of_alerts(figures: Figures) -> Iterator[Metric]:
    labels = ["kind", "severity"]
    opened = CounterMetricFamily("ccpay_alerts_opened", "Alerts that opened", labels=labels)
    open_now = GaugeMetricFamily("ccpay_alerts_open", "Alerts that are open", labels=labels)
    for alerts in figures.alerts:
        opened.add_metric([alerts.kind, alerts.severity], alerts.opened)
        open_now.add_metric([alerts.kind, alerts.severity], alerts.open)
    yield from (opened, open_now)
    taken = CounterMetricFamily(
        "ccpay_notices_delivered", "Notices that the channel took", labels=["channel"]
    )
    waiting = GaugeMetricFamily(
        "ccpay_notices_waiting", "Notices that the channel has not taken", labels=["channel"]
    )
    for notices in figures.notices:
        taken.add_metric([notices.channel], notices.delivered)
        waiting.add_metric([notices.channel], notices.waiting)
    yield from (taken, waiting)


def _of_budget(budget: Budget) -> Iterator[Metric]:
    yield _gauge("ccpay_api_requests_allowed", "Requests that a day may have", budget.allowed)
    if budget.used is not None and budget.left is not None:
        yield _gauge("ccpay_api_requests_used", "Requests of the day so far", budget.used)
        yield _gauge("ccpay_api_requests_left", "Requests left of the day", budget.left)
    yield _gauge("ccpay_api_pace_rps", "Requests a second", budget.pace_rps)
    yield _gauge(
        "ccpay_api_quota_exhausted",
        "1 when the API said that the day's quota is used up (11009)",
        budget.is_quota_exhausted,
    )
    yield _gauge(
        "ccpay_api_banned",
        "1 while nothing is asked because the API banned this address (11014)",
        budget.banned_since is not None,
    )
