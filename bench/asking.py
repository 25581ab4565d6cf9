"""How fast fees are asked for: this client beside bare aiohttp, a sequential client and dlt's.

Owns the sides and the stop watch. All ask the same server (slow_api.py) in the same run, in turns;
each side's figures are the medians of its turns. Called by __main__.py and the tests.

Bare aiohttp signs nothing and reads no JSON: it is what waiting alone costs. The sequential client
is built like the vendor's Python SDK: a `requests.Session`, one question after the other. It and
dlt's REST client are asked for fewer fees, as each takes as long as the one before.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import requests  # noqa: TID251  # the side that is compared with

from bench import by_dlt
from bench.history import Market
from ccpay_io.client import CcpayClient
from ccpay_io.feeds.collector import Collector
from ccpay_io.pacing import Pacer
from ccpay_io.settings import Credentials, Secret, Settings, load_settings
from ccpay_io.store.writer import Warehouse

CONNECTIONS = 32
DELAY_S = 0.05
NO_LIMIT_RPS = 1000.0
_APP_ID, _APP_SECRET = "bench", "bench-secret"
_BODY = b'{"coinId":1280,"chain":"POLYGON"}'

BARE, CLIENT = "aiohttp alone", "this client, to models"
COMMITTED = "this client, to committed rows"
SEQUENTIAL = "one after the other (requests)"

# Seconds: of the clock, of this process's CPU.
Moment = tuple[float, float]
# How many fees it asks for, and how; with the moment of the end when that is not the end of all.
Side = tuple[int, Callable[[], Moment | None]]


@dataclass(frozen=True)
class Asked:
    """One side's figures.

    Attributes:
        per_s: fees per second.
        cpu_ms: CPU of this process per fee, in milliseconds.
    """

    per_s: float
    cpu_ms: float


def measure_asking(
    folder: Path, *, fees: int, few: int, turns: int, progress: Callable[[str], None]
) -> dict[str, Asked]:
    """Asks all sides in turns.

    Args:
        folder: an empty one.
        fees: how many each concurrent side asks for in a turn; a multiple of five.
        few: how many the sequential sides ask for.
        turns: how often.
        progress: told each turn.

    Returns:
        Side -> figures; without dlt where it is not installed.
    """
    with _slow_api() as base_url:
        sides = _sides(folder, base_url, fees, few)
        found: dict[str, list[Asked]] = {name: [] for name in sides}
        # Certificates and modules are loaded once per process, and not what is compared.
        _timed(*sides[COMMITTED])
        for turn in range(turns):
            progress(f"  asking for fees, turn {turn + 1} of {turns}")
            for name, (count, run) in sides.items():
                found[name].append(_timed(count, run))
    return {
        name: Asked(
            statistics.median(each.per_s for each in turn),
            statistics.median(each.cpu_ms for each in turn),
        )
        for name, turn in found.items()
    }


def _sides(folder: Path, base_url: str, fees: int, few: int) -> dict[str, Side]:
    settings = load_settings(
        {
            "CCPAY_BASE_URL": base_url,
            "CCPAY_APP_ID": _APP_ID,
            "CCPAY_APP_SECRET": _APP_SECRET,
            "CCPAY_WAREHOUSE": str(folder / "warehouse"),
            "CCPAY_MAX_CONNECTIONS": str(CONNECTIONS),
            "CCPAY_DAILY_BUDGET": "1000000000",
        },
        cwd=folder,
    )
    _prepare(settings, fees)
    sides: dict[str, Side] = {
        BARE: (fees, lambda: asyncio.run(_bare(base_url, fees))),
        CLIENT: (fees, lambda: asyncio.run(_client(folder, base_url, fees))),
        COMMITTED: (fees, lambda: asyncio.run(_poll(folder, base_url, settings))),
        SEQUENTIAL: (few, lambda: _sequential(base_url, few)),
    }
    if by_dlt.installed():
        sides["dlt's REST client"] = (few, lambda: by_dlt.ask(base_url, few))
    return sides


def _timed(count: int, run: Callable[[], Moment | None]) -> Asked:
    started, cpu = _moment()
    ended, cpu_ended = run() or _moment()
    return Asked(count / (ended - started), 1000 * (cpu_ended - cpu) / count)


def _moment() -> Moment:
    return time.perf_counter(), time.process_time()


async def _at_once(count: int, ask: Callable[[], Awaitable[object]]) -> None:
    """Asks so many times, with all connections busy."""
    waiting = iter(range(count))

    async def work() -> None:
        for _ in waiting:
            await ask()

    await asyncio.gather(*(work() for _ in range(CONNECTIONS)))


async def _bare(base_url: str, count: int) -> None:
    connector = aiohttp.TCPConnector(limit=CONNECTIONS)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def ask() -> None:
            headers = {"Content-Type": "application/json"}
            async with session.post(
                f"{base_url}/getWithdrawFee", data=_BODY, headers=headers
            ) as answer:
                await answer.read()

        await _at_once(count, ask)


async def _client(folder: Path, base_url: str, count: int) -> None:
    async with _opened(folder, base_url) as client:
        await _at_once(count, lambda: client.get_withdraw_fee(1280, "POLYGON"))


async def _poll(folder: Path, base_url: str, settings: Settings) -> Moment:
    """A fee poll as the pipeline makes it: planned, asked, kept raw, judged; up to its commit."""
    steps: dict[str, Moment] = {}
    warehouse = Warehouse(
        settings.warehouse,
        settings.stamp,
        on_step=lambda name: steps.update({name: _moment()}),
    )
    async with _opened(folder, base_url) as client:
        result = await Collector(client, warehouse, settings).poll("fees")
    if result.outcome != "ok":
        raise RuntimeError(f"the poll is {result.outcome}: {result.error}")
    return steps["committed"]


def _opened(folder: Path, base_url: str) -> CcpayClient:
    return CcpayClient(
        Credentials(Secret(_APP_ID), Secret(_APP_SECRET)),
        base_url=base_url,
        pacer=Pacer(
            folder / "limits.sqlite",
            credentials_key=_APP_ID,
            daily_budget=10**9,
            start_rps=NO_LIMIT_RPS,
            ceiling_rps=NO_LIMIT_RPS,
        ),
        max_connections=CONNECTIONS,
    )


def _sequential(base_url: str, count: int) -> None:
    """As the vendor's SDK does it: sign, post, parse, one after the other."""
    with requests.Session() as session:
        for _ in range(count):
            stamp = str(int(time.time()))
            message = (_APP_ID + stamp).encode() + _BODY
            signature = hmac.new(_APP_SECRET.encode(), message, hashlib.sha256).hexdigest()
            headers = {"Appid": _APP_ID, "Timestamp": stamp, "Sign": signature}
            answer = session.post(f"{base_url}/getWithdrawFee", data=_BODY, headers=headers)
            json.loads(answer.content)


def _prepare(settings: Settings, fees: int) -> None:
    """A warehouse that knows the pairs, so that a poll has so many fees to ask for."""
    warehouse = Warehouse(settings.warehouse, settings.stamp)
    warehouse.commit(Market(fees, 0.05).lists(datetime.now(UTC)))


@contextmanager
def _slow_api() -> Iterator[str]:
    server = subprocess.Popen(  # noqa: S603  # this interpreter, with a module of this package
        [sys.executable, "-m", "bench.slow_api", str(DELAY_S)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None  # noqa: S101  # it is a pipe
        yield f"http://127.0.0.1:{int(server.stdout.readline())}/ccpayment/v2"
    finally:
        server.terminate()
        server.communicate()
