"""A published market, its board, and a browser to look at it with."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from made_once import made_once
from playwright.sync_api import Browser, sync_playwright

from ccpay_io.board import build_board
from ccpay_io.feeds.poll import utc_now
from ccpay_io.settings import Settings, load_settings
from ccpay_io.store.watch import sync_watch_settings
from ccpay_io.store.writer import Warehouse

sys.path.insert(0, str(Path(__file__).parent))

from board_world import polls

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
TOML = """
[feeds]
watch_s = 300
fees = 3600
[watch]
default_routes = { USDT = "TRX" }
[board]
fiat = "EUR"
timezone = "Asia/Kolkata"
"""


def settings_of(folder: Path) -> Settings:
    """The settings of a live account whose warehouse is in this folder."""
    (folder / "ccpay.toml").write_text(TOML, "utf-8")
    given = {"CCPAY_APP_ID": "app", "CCPAY_APP_SECRET": "a-secret-that-no-page-shows"}
    return load_settings({**given, "CCPAY_WAREHOUSE": str(folder / "data")}, cwd=folder)


@pytest.fixture(scope="session")
def market(
    tmp_path_factory: pytest.TempPathFactory, with_library: Callable[[Path], None]
) -> Settings:
    """The market and its board, made once for all processes that test at the same time."""

    def make(folder: Path) -> None:
        settings = settings_of(folder)
        warehouse = Warehouse(settings.warehouse, settings.stamp)
        # What is "now" was answered a moment ago, whenever the tests run.
        warehouse.commit(list(polls(utc_now().replace(microsecond=0) - timedelta(seconds=20))))
        with warehouse.transaction() as con:
            sync_watch_settings(con, settings)
        warehouse.publish(force=True)
        with_library(settings.warehouse)
        build_board(settings)

    return settings_of(made_once(tmp_path_factory, "market", make))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's own Chromium; nothing is downloaded.

    Not for the whole session: as long as it runs, its event loop does, and no test of another
    module could run one of its own.
    """
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip("no Chromium on this machine: apt install chromium (or `.ci/run`, which does)")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=found, args=["--no-sandbox", "--disable-gpu"]
        )
        yield running
        running.close()
