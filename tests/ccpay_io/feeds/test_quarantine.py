"""When an answer is not believed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ccpay_io.feeds.plan import ListMemory
from ccpay_io.feeds.quarantine import judge_list

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def _seen(*entries: tuple[str, int]) -> tuple[tuple[str, datetime], ...]:
    """Quarantined answers: (content hash, seconds ago)."""
    return tuple((name, NOW - timedelta(seconds=ago)) for name, ago in entries)


@pytest.mark.parametrize(
    ("feed", "listed", "memory", "believed"),
    [
        ("chains", 198, ListMemory(None, ()), True),
        ("chains", 198, ListMemory(198, ()), True),
        ("chains", 100, ListMemory(198, ()), True),
        ("chains", 99, ListMemory(198, ()), False),
        ("chains", 0, ListMemory(198, ()), False),
        ("chains", 0, ListMemory(None, ()), False),
        ("coins", 0, ListMemory(None, ()), True),
        ("coins", 0, ListMemory(0, ()), True),
        ("coins", 0, ListMemory(773, ()), False),
        ("coins", 0, ListMemory(773, _seen(("x", 900), ("x", 300))), False),
        ("chains", 50, ListMemory(198, _seen(("x", 100), ("x", 60))), True),
        ("chains", 50, ListMemory(198, _seen(("x", 80), ("x", 60))), False),
        ("chains", 50, ListMemory(198, _seen(("x", 100))), False),
        ("chains", 50, ListMemory(198, _seen(("x", 100), ("other", 60))), False),
        ("chains", 50, ListMemory(198, _seen(("x", 120), ("other", 90), ("x", 60))), False),
        ("chains", 50, ListMemory(198, _seen(("x", 300), ("y", 200), ("x", 90), ("x", 60))), True),
        ("chains", 50, ListMemory(198, _seen(("other", 999), ("x", 95), ("x", 30))), True),
    ],
)
def test_a_list_is_believed_or_quarantined(
    feed: str, listed: int, memory: ListMemory, believed: bool
) -> None:
    """Half or less of the last accepted length waits for three identical answers over three
    intervals; an empty list is only believed as an account's very first answer.
    """
    verdict = judge_list(feed, "getChainList", listed, "x", memory, now=NOW, cadence_s=30)

    assert (verdict is None) == believed
