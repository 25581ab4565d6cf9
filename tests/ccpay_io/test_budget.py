"""The arithmetic of requests per day."""

from __future__ import annotations

from pathlib import Path

import pytest

from ccpay_io.budget import plan_of
from ccpay_io.settings import load_settings


def test_defaults_fit_the_default_budget(tmp_path: Path) -> None:
    """Before anything is known, a full account's pairs are assumed, and the budget holds them."""
    settings = load_settings({}, cwd=tmp_path)
    plan = plan_of(settings)
    assert plan.estimated
    assert plan.per_feed["watch"] == 2880
    assert plan.per_feed["fees"] == 288 * plan.pairs
    assert plan.total == sum(plan.per_feed.values())
    assert plan.total < settings.daily_budget


@pytest.mark.parametrize(("cadence_s", "polls"), [(60, 1440), (300, 288), (3600, 24), (86400, 1)])
def test_a_slower_feed_asks_less(tmp_path: Path, cadence_s: int, polls: int) -> None:
    """Requests per day follow the cadence."""
    (tmp_path / "ccpay.toml").write_text(f"[feeds]\nfees = {cadence_s}\n", "utf-8")
    plan = plan_of(load_settings({}, cwd=tmp_path))
    assert plan.per_feed["fees"] == polls * plan.pairs
