"""A small API over real HTTP that the tested code does not know to be a sandbox; real storage."""

import dataclasses
import gc
import os
import shutil
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import dagster as dg
import pytest
import stamina

from ccpay_io.sandbox import SANDBOX_APP_ID, SANDBOX_APP_SECRET, serving
from ccpay_io.sandbox.faults import Faults
from ccpay_io.sandbox.server import build_app
from ccpay_io.sandbox.world import World
from ccpay_io.settings import Settings, load_settings
from pipelines.build import build_defs
from pipelines.instance import TEMPLATE, prepare_home
from pipelines.resources import CcpaymentResource, WarehouseResource, account_from_environment

COINS = ("BTC", "ETH", "TRX", "USDT")


class CalmWorld(World):
    """No chain has incidents of its own, which would come and go with the time of day."""

    def chain_status(self, chain: str, t: float) -> str:
        """Normal; tests pin what they want otherwise."""
        return "Normal"


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    """Retries are made, but without the pauses between them."""
    stamina.set_testing(True, attempts=3, cap=True)
    yield
    stamina.set_testing(False)


@pytest.fixture(autouse=True)
def _clean_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable, no .env and no ccpay.toml of this machine reaches a test."""
    for name in list(os.environ):
        if name.startswith(("CCPAY_", "DAGSTER_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster"))
    monkeypatch.setenv("CCPAY_WAREHOUSE", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def api() -> Iterator[tuple[str, Faults]]:
    """A running API with a few coins, their networks, and all chains and fiats; its faults."""
    world = CalmWorld(lively=False)
    coins = tuple(row for row in world.universe.coins if row["symbol"] in COINS)
    ids = {int(row["coin_id"]) for row in coins}
    networks = tuple(n for n in world.universe.networks if n.coin_id in ids)
    world.universe = dataclasses.replace(world.universe, coins=coins, networks=networks)
    faults = Faults()
    with serving(build_app(world, faults=faults)) as url:
        yield url, faults


@pytest.fixture
def base_url(api: tuple[str, Faults]) -> str:
    """Where the API is."""
    return api[0]


@pytest.fixture
def faults(api: tuple[str, Faults]) -> Faults:
    """What is wrong with the API: nothing, until a test says so."""
    found = api[1]
    found.clear()
    found.requests.clear()
    return found


@pytest.fixture
def settings(
    base_url: str, faults: Faults, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    """The settings of a live account on that API, in the environment too.

    With 20 s a confirmation has no room in an evaluation of the watch: each makes one poll.
    """
    (tmp_path / "ccpay.toml").write_text("[alerts]\nconfirm_after_s = 20\n", "utf-8")
    monkeypatch.setenv("CCPAY_BASE_URL", base_url)
    monkeypatch.setenv("CCPAY_APP_ID", SANDBOX_APP_ID)
    monkeypatch.setenv("CCPAY_APP_SECRET", SANDBOX_APP_SECRET)
    monkeypatch.setenv("CCPAY_MAX_RPS", "1000")
    return load_settings()


@pytest.fixture(scope="session")
def empty_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DAGSTER_HOME with its tables: making these is the slow part of a test."""
    home = tmp_path_factory.mktemp("dagster")
    (home / "dagster.yaml").write_text(TEMPLATE.read_text("utf-8"), "utf-8")
    with dg.DagsterInstance.from_config(str(home)) as made:
        made.get_runs(limit=1)
        made.all_asset_keys()
    return home


@pytest.fixture
def instance(settings: Settings, empty_home: Path) -> Iterator[dg.DagsterInstance]:
    """A real Dagster instance with the settings that `ccpay` gives it."""
    shutil.copytree(empty_home, settings.dagster_home)
    with dg.DagsterInstance.from_config(str(prepare_home(settings.dagster_home))) as real:
        yield real
        # A context that a test left behind holds connections; collected after the instance is
        # closed, it would print errors in the middle of some later test.
        gc.collect()


@pytest.fixture
def defs(settings: Settings) -> dg.Definitions:
    """The real definitions."""
    return build_defs()


@pytest.fixture
def ccpay(settings: Settings) -> CcpaymentResource:
    """The account, as a sensor gets it: with its secrets resolved."""
    return CcpaymentResource(**account_from_environment()).process_config_and_initialize()


@pytest.fixture
def warehouse(settings: Settings) -> WarehouseResource:
    """The warehouse of the account."""
    return WarehouseResource(**account_from_environment()).process_config_and_initialize()


@pytest.fixture
def life_signs(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The paths that were asked for at CCPAY_HEARTBEAT_URL; ask for it before `settings`."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Keeps the test's output clean."""

    with HTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        address = f"http://127.0.0.1:{running.server_port}/token-of-life"
        monkeypatch.setenv("CCPAY_HEARTBEAT_URL", address)
        yield asked
        running.shutdown()
        thread.join()
