"""A warehouse moves to a lake and back: row for row, whole or not at all, also after a kill."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from killing import Step, kill_at
from lakes import Lakes

from ccpay_io.care.migrate import migrate
from ccpay_io.demo import run_demo
from ccpay_io.errors import ConfigError, NothingPublished, WrongEnvironment
from ccpay_io.feeds.poll import utc_now
from ccpay_io.feeds.session import open_warehouse
from ccpay_io.settings import Settings, load_settings
from ccpay_io.store.lake.address import Lake
from ccpay_io.store.lake.connection import forget
from ccpay_io.store.reading import connect_published, fetch_frame
from ccpay_io.store.schema import view_docs
from ccpay_io.store.sealing import seal
from ccpay_io.store.verify import verify
from ccpay_io.store.writer import Warehouse

# The first test of a process also makes the polled warehouse: half a minute of polls.
pytestmark = pytest.mark.timeout(300)

# What a view counts from the moment of asking, or up to it.
BY_NOW = ("data_age_s", "is_stale", "price_age_s", "age_s",
          "planned", "missed", "longest_gap_s", "coverage_pct")  # fmt: skip
STEPS = ("migrate:raw", "migrate:stamp", "migrate:publish")
DEMO_DAYS = 30


def _migrate(source: Path, root: Path, stamp: str, lake: Lake, *, on_step: Step) -> None:
    migrate(Warehouse(source, stamp), Warehouse(root, stamp, lake=lake), on_step=on_step)


@pytest.fixture
def on_lake(lakes: Lakes, polled: Warehouse, tmp_path: Path) -> Iterator[Warehouse]:
    """A database and a folder with nothing in them."""
    lake = lakes.none_yet(str(tmp_path / "shared"))
    yield Warehouse(tmp_path / "machine", polled.stamp, lake=lake)
    forget(lake, read_only=True)
    forget(lake, read_only=False)


def rows_of(warehouse: Warehouse) -> dict[str, pl.DataFrame]:
    """What every public view shows, in one order, without what depends on the time of asking."""
    shown = {}
    with connect_published(warehouse.place) as con:
        for doc, _ in view_docs():
            if doc.kind != "view" or doc.name == "data_dictionary":
                continue
            columns = [c for c, *_ in con.execute(f'FROM "{doc.name}" LIMIT 0').description or ()]
            kept = ", ".join(f'"{name}"' for name in columns if name not in BY_NOW)
            shown[doc.name] = fetch_frame(con, f'SELECT {kept} FROM "{doc.name}" ORDER BY ALL')
    return shown


def unlike(one: Warehouse, two: Warehouse) -> list[str]:
    """The views that do not show the same in both."""
    first, second = rows_of(one), rows_of(two)
    assert len(first) > 20
    return [name for name, rows in first.items() if not rows.equals(second[name])]


def wrong(warehouse: Warehouse) -> list[Any]:
    """The promises that do not hold."""
    return [finding for finding in verify(warehouse) if not finding.ok]


@pytest.mark.torture
def test_to_a_lake_and_back(polled: Warehouse, on_lake: Warehouse, tmp_path: Path) -> None:
    """Killed on the way, nobody takes it for a warehouse; completed, all rows and views are equal.

    With a sealed month and every kind of poll; what was copied before is not copied again.
    """
    seal(polled, utc_now() + timedelta(days=62))
    assert isinstance(on_lake.place, Lake)
    arguments = (polled.root, on_lake.root, polled.stamp, on_lake.place)
    kill_at("migrate:withdraw_fee", _migrate, *arguments)
    with pytest.raises(WrongEnvironment, match="half migrated"):
        on_lake.commit([])

    there = migrate(polled, on_lake)
    back = Warehouse(tmp_path / "back", polled.stamp)
    returned = migrate(on_lake, back)

    assert there.rows == returned.rows > there.kept > 0
    assert there.raw_files == returned.raw_files > 0
    assert [f for f in (*there.findings, *returned.findings) if not f.ok] == []
    assert unlike(polled, on_lake) == unlike(polled, back) == []


@pytest.mark.torture
@pytest.mark.parametrize("step", STEPS)
def test_a_migration_killed_at_any_step_is_completed(
    polled: Warehouse, on_lake: Warehouse, step: str
) -> None:
    """The same command again makes it whole, or says that it is."""
    assert isinstance(on_lake.place, Lake)
    kill_at(step, _migrate, polled.root, on_lake.root, polled.stamp, on_lake.place)
    if step == "migrate:publish":
        with pytest.raises(ConfigError, match="has a warehouse already"):
            migrate(polled, on_lake)
    else:
        migrate(polled, on_lake)
    assert wrong(on_lake) == []
    assert unlike(polled, on_lake) == []


def test_what_cannot_be_moved_stays_as_it_is(
    polled: Warehouse, on_lake: Warehouse, tmp_path: Path
) -> None:
    """No source, a target with data, another environment's source."""
    with pytest.raises(NothingPublished, match="there is no warehouse in"):
        migrate(Warehouse(tmp_path / "none", polled.stamp), on_lake)
    with pytest.raises(ConfigError, match="has a warehouse already"):
        migrate(polled, Warehouse(polled.root, polled.stamp))
    with pytest.raises(WrongEnvironment):
        migrate(Warehouse(polled.root, "sandbox"), Warehouse(tmp_path / "new", "sandbox"))
    assert wrong(polled) == []


@pytest.mark.torture
@pytest.mark.timeout(3000)
def test_the_history_of_the_demo_moves_to_a_lake_and_back(lakes: Lakes, tmp_path: Path) -> None:
    """Thirty days of all feeds, with their months sealed in the folders."""
    settings: Settings = load_settings({}, cwd=tmp_path)
    source = open_warehouse(settings)
    until = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    run_demo(settings, source, since=until - timedelta(days=DEMO_DAYS), until=until)
    lake = lakes.none_yet(str(tmp_path / "shared"))
    on_lake = Warehouse(tmp_path / "machine", source.stamp, lake=lake)
    back = Warehouse(tmp_path / "back", source.stamp)

    assert [f for f in migrate(source, on_lake).findings if not f.ok] == []
    assert [f for f in migrate(on_lake, back).findings if not f.ok] == []

    assert unlike(source, on_lake) == unlike(source, back) == []
    forget(lake, read_only=True)
    forget(lake, read_only=False)
