from datetime import UTC, datetime

import pytest

from ccpay_io.feeds.collector import PollResult
from pipelines.command.polling import exit_code

NOW = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("outcomes", "refused", "code"),
    [
        (["ok", "ok"], 0, 0),
        (["ok", "skipped"], 0, 0),
        (["skipped", "skipped"], 0, 0),
        (["ok"], 1, 3),
        (["ok", "partial"], 0, 3),
        (["ok", "failed"], 0, 3),
        (["partial"], 0, 3),
        (["failed", "failed"], 0, 1),
        (["failed", "skipped"], 0, 1),
        (["ok", None], 0, 3),
        ([None], 0, 1),
    ],
)
def test_exit_codes(outcomes: list[str | None], refused: int, code: int) -> None:
    """0 all ok or skipped, 1 every attempted feed failed, 3 otherwise; no result is a failure."""
    names = [f"feed{number}" for number in range(len(outcomes))]
    results = {
        name: PollResult(1, name, outcome, NOW, NOW, refused=refused)
        for name, outcome in zip(names, outcomes, strict=True)
        if outcome
    }
    assert exit_code(names, results) == code
