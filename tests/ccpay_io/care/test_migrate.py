"""A warehouse moves to a lake and back: equal row for row, also after a kill on the way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from lakes import Lakes

import ccpay_io
from ccpay_io.care.migrate import migrate
from ccpay_io.demo import run_demo
from ccpay_io.errors import ConfigError, NothingPublished, WrongEnvironment
from ccpay_io.settings import load_settings
from ccpay_io.store.lake.address import Lake
from ccpay_io.store.lake.connection import forget
from ccpay_io.store.sealing import seal
from ccpay_io.store.writer import Warehouse

VIEWS = ("withdraw_fee_history", "chain_status_history", "fiat_rate_history", "coin_price_history")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """Three quarters of an hour around the end of a month, which is sealed, and a raw answer."""
    settings = load_settings({}, cwd=tmp_path_factory.mktemp("source"))
    warehouse = Warehouse(settings.warehouse, settings.stamp)
    end = datetime(2026, 3, 1, 0, 30, tzinfo=UTC)
    run_demo(settings, warehouse, since=end - timedelta(minutes=45), until=end)
    assert seal(warehouse, datetime(2026, 3, 4, tzinfo=UTC))
    (warehouse.root / "raw" / "2026-03-01").mkdir(parents=True)
    (warehouse.root / "raw" / "2026-03-01" / "x.jsonl.zst").write_bytes(b"raw")
    return warehouse


def seen(place: Path | Lake) -> list[object]:
    """What the views of histories say, in a fixed order."""
    reader = ccpay_io.Reader(place)
    return [reader.frame(f"SELECT * FROM {view} ORDER BY ALL").rows() for view in VIEWS]


@pytest.mark.torture
def test_a_folder_becomes_a_lake_and_a_folder_again(
    source: Warehouse, lakes: Lakes, tmp_path: Path
) -> None:
    """Sealed months included; a kill on the way costs what the killed transaction had done."""
    lake = lakes.none_yet(str(tmp_path / "lake"))
    moved = Warehouse(tmp_path / "machine", source.stamp, lake=lake)

    class Killed(Exception):
        pass

    def die(step: str) -> None:
        if step == "migrate:withdraw_fee":
            raise Killed

    with pytest.raises(Killed):
        migrate(source, moved, on_step=die)
    forget(lake, read_only=False)
    with pytest.raises(WrongEnvironment, match="half migrated"):
        moved.commit([])
    forget(lake, read_only=False)
    there = migrate(source, moved)
    assert there.kept > 0
    assert [finding for finding in there.findings if not finding.ok] == []
    assert (tmp_path / "machine" / "raw" / "2026-03-01" / "x.jsonl.zst").exists()
    assert seen(lake) == seen(source.root)

    again = Warehouse(tmp_path / "again", source.stamp)
    back = migrate(moved, again)
    assert back.rows == there.rows
    assert [finding for finding in back.findings if not finding.ok] == []
    assert seen(again.root) == seen(source.root)
    with pytest.raises(ConfigError, match="has a warehouse already"):
        migrate(moved, again)
    forget(lake, read_only=False)
    forget(lake, read_only=True)


def test_nothing_is_made_of_nothing(tmp_path: Path) -> None:
    """A wrong name of the source is told; the target is not touched."""
    target = Warehouse(tmp_path / "target", "test")
    with pytest.raises(NothingPublished, match="there is no warehouse"):
        migrate(Warehouse(tmp_path / "nothing", "test"), target)
    assert not target.root.exists()
