"""The demo: a history through the ordinary write path, into an empty sandbox warehouse only."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

import ccpay_io
from ccpay_io.demo import run_demo
from ccpay_io.errors import ConfigError
from ccpay_io.feeds.session import open_warehouse
from ccpay_io.sandbox.world import World
from ccpay_io.settings import load_settings
from ccpay_io.store.verify import verify

UNTIL = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.mark.slow
def test_a_history_is_written_as_polls_that_show_the_world_of_their_moment(tmp_path: Path) -> None:
    """Half an hour: every pair in every snapshot, as the world was then; verify is clean; a second
    history is refused.
    """
    settings = load_settings({"CCPAY_WAREHOUSE": str(tmp_path)}, cwd=tmp_path)
    warehouse = open_warehouse(settings)
    span = {"since": UNTIL - timedelta(minutes=30), "until": UNTIL}
    seen: list[tuple[int, int]] = []
    polls = run_demo(settings, warehouse, **span, on_progress=lambda *done: seen.append(done))

    snapshot = ccpay_io.read("withdraw_fee_snapshot", settings.warehouse)
    assert seen[-1] == (polls, polls)
    assert snapshot.height == 6 * 1798
    world = World(lively=False)
    for row in snapshot.sample(50, seed=1).iter_rows(named=True):
        at = row["observed_at"].timestamp() - 1
        fee = world.fee(row["coin_id"], row["chain"], at)
        served = Decimal(fee["amount"]) if isinstance(fee, dict) else None
        assert row["fee_amount"] == served
    assert [finding for finding in verify(warehouse) if not finding.ok] == []
    with pytest.raises(ConfigError, match="has data already"):
        run_demo(settings, warehouse, **span)


def test_invented_data_never_goes_into_a_live_warehouse(tmp_path: Path) -> None:
    """Whoever has credentials set gets a clear refusal."""
    environ = {"CCPAY_APP_ID": "an-app-id", "CCPAY_APP_SECRET": "an-app-secret"}
    settings = load_settings({**environ, "CCPAY_WAREHOUSE": str(tmp_path)}, cwd=tmp_path)

    with pytest.raises(ConfigError, match="invented data"):
        run_demo(settings, open_warehouse(settings), since=UNTIL, until=UNTIL)
    assert list(tmp_path.iterdir()) == []
