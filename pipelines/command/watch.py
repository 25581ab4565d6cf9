"""`ccpay watch`: the chain watch and alert delivery, as the sensors do them, without Dagster."""

import asyncio
import contextlib
import signal
import time

import click

from ccpay_io.alerts import deliver
from ccpay_io.alerts.heartbeat import beat
from ccpay_io.errors import WarehouseLocked
from ccpay_io.feeds.collector import Collector
from ccpay_io.feeds.poll import utc_now
from ccpay_io.feeds.result import PollResult
from ccpay_io.feeds.session import open_collector, open_warehouse
from ccpay_io.redaction import Redactor
from ccpay_io.settings import Settings, load_settings
from ccpay_io.store.engine import stop_idle
from pipelines.command.output import name_environment

# The retry ladder of deliveries has steps of 30 s and more.
DELIVER_EVERY_S = 15.0


@click.command("watch")
@click.option("--once", is_flag=True, help="One look, one delivery, then exit.")
def command(once: bool) -> int:
    """Watches chain statuses and delivers alerts until Ctrl-C; Dagster is not needed.

    With --once it exits with 1 if the API gave no answer.
    """
    settings = load_settings()
    name_environment(settings)
    return asyncio.run(_once(settings) if once else _for_ever(settings))


async def _once(settings: Settings) -> int:
    async with open_collector(settings) as collector:
        last = await _look(collector, settings)
    await asyncio.to_thread(_deliver, settings)
    return 0 if last.outcome in ("ok", "partial") else 1


async def _for_ever(settings: Settings) -> int:
    """Looks and delivers side by side: a receiver that hangs must not stop the watch."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with open_collector(settings) as collector:
        tasks = [
            asyncio.create_task(_keep_looking(collector, settings)),
            asyncio.create_task(_keep_delivering(settings)),
        ]
        stopped = asyncio.create_task(stop.wait())
        done, _ = await asyncio.wait([*tasks, stopped], return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for task in done - {stopped}:
            task.result()
    return 0


async def _keep_looking(collector: Collector, settings: Settings) -> None:
    while True:
        begun = time.monotonic()
        try:
            await _look(collector, settings)
        except WarehouseLocked as error:
            # Another writer is slow; the next look may be luckier.
            click.echo(f"{utc_now():%Y-%m-%dT%H:%M:%SZ} {error}; the next look is due as always")
        stop_idle()
        await asyncio.sleep(max(0.0, begun + settings.feeds.watch_s - time.monotonic()))


async def _keep_delivering(settings: Settings) -> None:
    while True:
        with contextlib.suppress(WarehouseLocked):
            await asyncio.to_thread(_deliver, settings)
        stop_idle()
        await asyncio.sleep(DELIVER_EVERY_S)


async def _look(collector: Collector, settings: Settings) -> PollResult:
    """One evaluation of the watch; says what it saw."""
    watched = await collector.watch_chains()
    await asyncio.to_thread(beat, settings, watched)
    last = watched.polls[-1]
    if last.outcome in ("ok", "partial"):
        seen = f"{last.rows} chains, {last.changed} changed, {last.unknown} unknown"
    else:
        seen = f"{last.outcome}: {last.error} - {last.error.hint}" if last.error else last.outcome
    seen = Redactor.of(settings).text(seen)
    click.echo(f"{last.observed_at:%Y-%m-%dT%H:%M:%SZ} {seen}")
    return last


def _deliver(settings: Settings) -> None:
    warehouse = open_warehouse(settings)
    report = deliver(warehouse, settings)
    if report.sent or report.failed or report.dead:
        warehouse.publish(force=True)
        click.echo(f"alerts: {report.sent} sent, {report.failed} failed, {report.dead} given up")
