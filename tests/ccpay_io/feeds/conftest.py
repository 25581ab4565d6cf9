"""A small sandbox over real HTTP and a collector on a real warehouse."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
import stamina

from ccpay_io.feeds.result import PollResult
from ccpay_io.feeds.session import open_collector
from ccpay_io.sandbox import SANDBOX_APP_ID, SANDBOX_APP_SECRET, serving
from ccpay_io.sandbox.faults import Faults
from ccpay_io.sandbox.server import build_app
from ccpay_io.sandbox.world import World
from ccpay_io.settings import Settings, load_settings

Collect = Callable[..., PollResult]


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    """Retries are made, but without the pauses between them."""
    stamina.set_testing(True, attempts=3, cap=True)
    yield
    stamina.set_testing(False)


class CalmWorld(World):
    """No chain is ever in maintenance by itself: tests say when one is."""

    def chain_status(self, chain: str, t: float) -> str:
        """Always the same."""
        return "Normal"


@pytest.fixture
def world() -> World:
    """Twelve coins with their networks; all chains and fiats."""
    found = CalmWorld(lively=False)
    coins = found.universe.coins[:12]
    ids = {int(row["coin_id"]) for row in coins}
    networks = tuple(n for n in found.universe.networks if n.coin_id in ids)
    found.universe = dataclasses.replace(found.universe, coins=coins, networks=networks)
    return found


@pytest.fixture
def faults() -> Faults:
    """What is wrong with the sandbox."""
    return Faults()


@pytest.fixture
def base_url(world: World, faults: Faults) -> Iterator[str]:
    """A running sandbox."""
    with serving(build_app(world, faults=faults)) as url:
        yield url


@pytest.fixture
def settings(tmp_path: Path, base_url: str) -> Settings:
    """A live account whose API is the sandbox: nothing here knows that it is one."""
    return load_settings(
        {
            "CCPAY_BASE_URL": base_url,
            "CCPAY_APP_ID": SANDBOX_APP_ID,
            "CCPAY_APP_SECRET": SANDBOX_APP_SECRET,
            "CCPAY_WAREHOUSE": str(tmp_path / "data"),
            "CCPAY_MAX_RPS": "1000",
        },
        cwd=tmp_path,
    )


@pytest.fixture
def collect(settings: Settings) -> Collect:
    """Polls feeds one after the other; returns the last result."""

    def run(*feeds: str, with_settings: Settings = settings, **options: Any) -> PollResult:
        async def polls() -> PollResult:
            async with open_collector(with_settings) as collector:
                for feed in feeds:
                    result = await collector.poll(feed, **options)
                return result

        return asyncio.run(polls())

    return run


@pytest.fixture
def query(settings: Settings) -> Callable[..., list[tuple[Any, ...]]]:
    """Runs SQL on the private file."""

    def run(sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        path = settings.warehouse / "private" / "warehouse.duckdb"
        con = duckdb.connect(str(path), read_only=True)
        try:
            con.execute("SET TimeZone = 'UTC'")
            return con.execute(sql, list(parameters)).fetchall()
        finally:
            con.close()

    return run
