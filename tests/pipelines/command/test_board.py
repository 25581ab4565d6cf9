"""`ccpay board`, and who builds it otherwise: the asset, when its sensor says so."""

import webbrowser
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest

from ccpay_io.board import is_behind, page_path
from ccpay_io.feeds.session import open_warehouse
from ccpay_io.settings import Settings
from ccpay_io.store.reading import newest
from pipelines.resources import WarehouseResource
from pipelines.sensors import board_refresh


@pytest.fixture
def ready(filled: Settings, with_library: Callable[[Path], None]) -> Settings:
    """A warehouse with data and, so that it need not be put together, the chart library."""
    with_library(filled.warehouse)
    return filled


def test_it_prints_where_the_page_is(ccpay_command, ready: Settings) -> None:
    """The path and nothing else on stdout, also for scripts; the page is of the newest version."""
    done = ccpay_command("board")
    assert (done.code, done.out) == (0, f"{page_path(ready.warehouse)}\n")
    assert page_path(ready.warehouse).read_text("utf-8").startswith("<!doctype html>")
    assert not is_behind(ready, newest(ready.place))


def test_it_opens_the_page(ccpay_command, ready: Settings, tmp_path: Path) -> None:
    """--open hands the file to the browser of the machine."""
    opened = tmp_path / "opened"
    script = tmp_path / "recorder"
    script.write_text(f'#!/bin/sh\nprintf %s "$1" > {opened}\n', "utf-8")
    script.chmod(0o755)
    browser = webbrowser.GenericBrowser([str(script), "%s"])
    webbrowser.register("recorder", None, browser, preferred=True)
    assert ccpay_command("board", "--open").code == 0
    assert opened.read_text("utf-8") == page_path(ready.warehouse).as_uri()


def test_the_sensor_asks_once_for_each_publication(
    instance: dg.DagsterInstance,
    warehouse: WarehouseResource,
    defs: dg.Definitions,
    ready: Settings,
) -> None:
    """A publication without a board is one run; a board that shows it needs none."""

    def look() -> dg.RunRequest | dg.SkipReason:
        return board_refresh(dg.build_sensor_context(instance=instance), warehouse=warehouse)

    first, second = look(), look()
    assert isinstance(first, dg.RunRequest)
    assert first.run_key == second.run_key
    run = defs.resolve_job_def("build_board").execute_in_process(instance=instance)
    assert run.success
    (event,) = run.get_asset_materialization_events()
    assert event.materialization.metadata["bytes"].value > 300_000
    assert "newest publication" in look().skip_message

    open_warehouse(ready).publish(force=True)
    assert look().run_key != first.run_key


def test_before_the_first_publication_the_sensor_waits(
    instance: dg.DagsterInstance, warehouse: WarehouseResource
) -> None:
    """There is nothing to show yet, and that is no failure."""
    context = dg.build_sensor_context(instance=instance)
    assert "nothing is published" in board_refresh(context, warehouse=warehouse).skip_message
