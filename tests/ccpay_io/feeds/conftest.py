"""A small sandbox over real HTTP and a collector on a real warehouse."""

from __future__ import annotations

import asyncio
import dataclasses
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import duckdb
import pytest
import stamina

from ccpay_io.feeds.result import PollResult
from ccpay_io.feeds.session import open_collector, open_warehouse
from ccpay_io.sandbox import SANDBOX_APP_ID, SANDBOX_APP_SECRET, serving
from ccpay_io.sandbox.faults import Faults
from ccpay_io.sandbox.server import build_app
from ccpay_io.sandbox.world import World
from ccpay_io.settings import Settings, load_settings

Collect = Callable[..., PollResult]

ALL = ("chains", "fiats", "coins", "networks", "prices", "fees")


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


class Stage:
    """What the one sandbox of all tests serves: the world of the test that runs."""

    def __init__(self) -> None:
        self.world = small_world()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.world, name)


def small_world() -> World:
    """Twelve coins with their networks; all chains and fiats."""
    found = CalmWorld(lively=False)
    coins = found.universe.coins[:12]
    ids = {int(row["coin_id"]) for row in coins}
    networks = tuple(n for n in found.universe.networks if n.coin_id in ids)
    found.universe = dataclasses.replace(found.universe, coins=coins, networks=networks)
    return found


def settings_of(folder: Path, base_url: str) -> Settings:
    """A live account whose API is the sandbox: nothing here knows that it is one."""
    return load_settings(
        {
            "CCPAY_BASE_URL": base_url,
            "CCPAY_APP_ID": SANDBOX_APP_ID,
            "CCPAY_APP_SECRET": SANDBOX_APP_SECRET,
            "CCPAY_WAREHOUSE": str(folder / "data"),
            "CCPAY_MAX_RPS": "1000",
        },
        cwd=folder,
    )


@pytest.fixture(scope="session")
def sandbox() -> Iterator[tuple[str, Stage, Faults]]:
    """A running sandbox; what it serves, and its faults."""
    stage, faults = Stage(), Faults()
    with serving(build_app(cast("World", stage), faults=faults)) as url:
        yield url, stage, faults


@pytest.fixture
def world(sandbox: tuple[str, Stage, Faults]) -> World:
    """What the sandbox serves in this test."""
    stage = sandbox[1]
    stage.world = small_world()
    return stage.world


@pytest.fixture
def faults(sandbox: tuple[str, Stage, Faults]) -> Faults:
    """What is wrong with the sandbox: nothing, until a test says so."""
    found = sandbox[2]
    found.clear()
    found.statuses.clear()
    found.requests.clear()
    return found


@pytest.fixture(scope="session")
def empty_folder(
    sandbox: tuple[str, Stage, Faults], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A data folder that nothing has been polled into: its tables are the slow part of a test."""
    settings = settings_of(tmp_path_factory.mktemp("empty"), sandbox[0])
    with open_warehouse(settings).transaction():
        return settings.warehouse


@pytest.fixture(scope="session")
def polled_folder(
    sandbox: tuple[str, Stage, Faults], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A data folder that each feed has been polled into, without trouble."""
    settings = settings_of(tmp_path_factory.mktemp("polled"), sandbox[0])

    async def polls() -> None:
        async with open_collector(settings) as collector:
            for feed in ALL:
                assert (await collector.poll(feed)).outcome == "ok"

    asyncio.run(polls())
    return settings.warehouse


@pytest.fixture
def settings(
    tmp_path: Path,
    sandbox: tuple[str, Stage, Faults],
    world: World,
    faults: Faults,
    empty_folder: Path,
) -> Settings:
    """An account that nothing has been polled for yet."""
    shutil.copytree(empty_folder, tmp_path / "data")
    return settings_of(tmp_path, sandbox[0])


@pytest.fixture
def polled(polled_folder: Path, settings: Settings) -> Settings:
    """The same after a poll of each feed."""
    shutil.rmtree(settings.warehouse)
    shutil.copytree(polled_folder, settings.warehouse)
    return settings


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
