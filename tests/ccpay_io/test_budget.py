"""The arithmetic of requests per day."""

from __future__ import annotations

from pathlib import Path

import pytest

from ccpay_io.budget import longest_age_s, plan_of, reserves
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


@pytest.mark.parametrize(
    ("budget", "minutes"), [(700_000, 5), (260_000, 40), (60_000, 95), (4_000, 18_000)]
)
def test_a_budget_that_does_not_reach_makes_a_promise(
    tmp_path: Path, budget: int, minutes: int
) -> None:
    """Every poll when it reaches; else within eight polls, or what half of the budget takes."""
    settings = load_settings({"CCPAY_DAILY_BUDGET": str(budget)}, cwd=tmp_path)
    promised = longest_age_s(settings, plan_of(settings), settings.daily_budget) / 60
    assert promised == pytest.approx(minutes, rel=0.02)


def test_what_the_chains_need_is_planned_with_a_margin(tmp_path: Path) -> None:
    """Ten percent more than one request per look, for repetitions and confirmations."""
    chains, others = reserves(load_settings({}, cwd=tmp_path))
    assert chains * 86_400 == pytest.approx(1.1 * 2880)
    assert others * 86_400 == pytest.approx(1.1 * (288 * 4 + 96 + 24 + 24))
