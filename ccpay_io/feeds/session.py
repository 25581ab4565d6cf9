"""Opens everything a poll needs, from the settings, and closes it.

Owns the wiring: limits file, client, warehouse, and in sandbox mode a sandbox to talk to. Called by
`ccpay watch`, the Dagster resource and notebooks.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime

from ccpay_io.budget import reserves
from ccpay_io.client import CcpayClient
from ccpay_io.feeds.collector import Collector
from ccpay_io.feeds.poll import utc_now
from ccpay_io.pacing import CEILING_RPS, START_RPS, Pacer
from ccpay_io.settings import Settings
from ccpay_io.store.writer import Warehouse


@asynccontextmanager
async def open_collector(
    settings: Settings, *, now: Callable[[], datetime] = utc_now
) -> AsyncIterator[Collector]:
    """A collector on these settings, for the running event loop."""
    async with open_client(settings) as client:
        yield Collector(client, open_warehouse(settings), settings, now=now)


@asynccontextmanager
async def open_client(settings: Settings) -> AsyncIterator[CcpayClient]:
    """The signed client of these settings, for the running event loop."""
    with _base_url(settings) as base_url:
        async with CcpayClient(
            settings.credentials,
            base_url=base_url,
            pacer=open_pacer(settings),
            max_connections=settings.max_connections,
        ) as client:
            yield client


def open_warehouse(settings: Settings) -> Warehouse:
    """The warehouse of these settings, for writing; touches nothing yet."""
    return Warehouse(
        settings.warehouse,
        settings.stamp,
        lake=settings.lake,
        keep_versions=settings.retention.versions,
    )


def open_pacer(settings: Settings) -> Pacer:
    """The pace, budget and breaker that all processes with these credentials share."""
    told = settings.max_rps
    return Pacer(
        settings.warehouse / "limits.sqlite",
        credentials_key=settings.credentials.app_id.reveal(),
        daily_budget=settings.daily_budget,
        reserves=reserves(settings),
        start_rps=START_RPS if told is None else told,
        ceiling_rps=CEILING_RPS if told is None else told,
    )


@contextmanager
def _base_url(settings: Settings) -> Iterator[str]:
    """The API's address; in sandbox mode that of a running sandbox, or of one started for now."""
    if settings.environment == "live":
        yield settings.base_url
        return
    from ccpay_io import sandbox  # a live installation never loads the sandbox

    running = sandbox.locate(settings.warehouse)
    if running:
        yield running
        return
    with sandbox.serving() as base_url:
        yield base_url
