"""Pace, budget and ban: what may still be asked, and whether that is enough. Asks nothing."""

from __future__ import annotations

from collections.abc import Iterator

from ccpay_io.budget import longest_age_s, plan_of
from ccpay_io.doctor.finding import Finding
from ccpay_io.errors import SUPPORT
from ccpay_io.pacing import PacerStatus
from ccpay_io.settings import Settings


def look_at_limits(settings: Settings, status: PacerStatus) -> Iterator[Finding]:
    """The findings about pace, budget and ban."""
    if status.breaker_since:
        yield Finding(
            "wrong",
            "breaker",
            f"open since {status.breaker_since:%Y-%m-%d %H:%M} UTC: this IP was blocked (11014)",
            f"ask CCPayment to unblock it ({SUPPORT}), then run `ccpay doctor --rearm`",
        )
    learned = status.learned_ceiling_rps
    ceiling = f", refused above {learned:.1f}" if learned else ""
    yield Finding("ok", "pace", f"{status.rate_rps:.1f} requests a second{ceiling}")
    plan = plan_of(settings)
    used = (
        f"{status.used_today:,} of {status.daily_budget:,} used today, {plan.total:,} planned a day"
    )
    if status.quota_exhausted or status.used_today >= status.daily_budget:
        step = f"polling goes on at {status.resets_at:%H:%M} UTC"
        yield Finding("wrong", "budget", f"{used}: used up", step)
    elif plan.total > status.daily_budget:
        minutes = longest_age_s(settings, plan, status.daily_budget) / 60
        text = f"{used}: each fee is asked for every {minutes:,.0f} min at least"
        step = "poll less often ([feeds] in ccpay.toml)"
        if status.daily_budget == settings.daily_budget:
            step = f"raise CCPAY_DAILY_BUDGET, or {step}"
        yield Finding("warn", "budget", text, step)
    else:
        yield Finding("ok", "budget", used)
