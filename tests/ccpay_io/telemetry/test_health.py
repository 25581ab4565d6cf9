"""When the verdict is that something is wrong."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ccpay_io.settings import Settings, load_settings
from ccpay_io.telemetry.figures import Budget, Figures
from ccpay_io.telemetry.health import complaints

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
CALM = Budget(100, 900, 1000, False, 10.0, None)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """The defaults."""
    return load_settings({}, cwd=tmp_path)


def figures(
    *, published_s: int = 60, fees_s: int | None = 60, budget: Budget | None = CALM
) -> Figures:
    """A publication of this age, whose fees are this old; everything else was answered just now."""
    answered = dict.fromkeys(("chains", "fiats", "coins", "networks", "prices"), NOW)
    if fees_s is not None:
        answered["fees"] = NOW - timedelta(seconds=fees_s)
    return Figures(
        published_at=NOW - timedelta(seconds=published_s),
        size=1,
        polls=[],
        answered_at=answered,
        alerts=[],
        notices=[],
        budget=budget,
    )


@pytest.mark.parametrize(
    ("found", "told"),
    [
        pytest.param(figures(), [], id="all is well"),
        pytest.param(figures(fees_s=900, published_s=900), [], id="three cadences old"),
        pytest.param(None, ["nothing has been published yet"], id="new"),
        pytest.param(figures(fees_s=901), ["fees: the last answer is 901 s old"], id="late"),
        pytest.param(figures(fees_s=None), ["fees: no poll has been answered yet"], id="never"),
        pytest.param(
            figures(published_s=901), ["the last publication is 901 s old"], id="unpublished"
        ),
        pytest.param(
            figures(budget=Budget(1, 1, 2, False, 1.0, NOW)),
            ["the API has banned this address since 12:00 UTC"],
            id="banned",
        ),
        pytest.param(
            figures(budget=Budget(1, 0, 1, True, 1.0, None)),
            ["the account's quota for the day is used up"],
            id="no quota",
        ),
        pytest.param(figures(budget=None), [], id="before the first note of the budget"),
    ],
)
def test_complaints(settings: Settings, found: Figures | None, told: list[str]) -> None:
    """Each thing that stops the data is one line, and nothing else is."""
    assert complaints(found, settings, NOW) == told


def test_an_empty_watchlist_is_not_late(settings: Settings, tmp_path: Path) -> None:
    """A watchlist is expected to be polled only when somebody is on it."""
    (tmp_path / "ccpay.toml").write_text(
        '[[watch.cwallet_ids]]\nlabel = "partner"\ncwallet_user_id = "35255142"\n'
    )
    told = ["watchlist: no poll has been answered yet"]
    assert complaints(figures(), load_settings({}, cwd=tmp_path), NOW) == told
    assert complaints(figures(), settings, NOW) == []
