"""Scenario 21: delivery with a real kill -9 at every point of it."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest
from alert_timeline import Clock, Timeline, live_settings
from dying import deliver_and_die
from receiver import Receiver

from ccpay_io.alerts import deliver, due_notices
from ccpay_io.settings import Secret

# Two notices, and then nothing is due: claim, send, record, claim, send, record, claim.
POINTS = range(1, 13)
CASES = [
    pytest.param("nn mm nnn", 200, id="told late, merged"),
    pytest.param("nn mm", 404, id="refused for good, told to the log"),
]


def tell(root: Path, url: str) -> Timeline:
    """A timeline whose notices go to this URL, beside the log."""
    return Timeline(live_settings(root, alert_urls=(Secret(url),)))


def finish(timeline: Timeline, clock: Clock) -> None:
    """Somebody else delivers, once the leases of the dead are over."""
    clock.pass_s(121)
    deliver(timeline.warehouse, timeline.settings, now=clock)
    with timeline.warehouse.transaction() as con:
        assert due_notices(con, clock()) == []


def outcome(timeline: Timeline) -> Counter[tuple[object, ...]]:
    """What became of each notice."""
    return Counter(
        timeline.rows(
            "SELECT channel, transition, title, delivered_at IS NOT NULL, dead_at IS NOT NULL,"
            " merged_into FROM store.alert_outbox"
        )
    )


def die_at(point: int, root: Path, receiver: Receiver, clock: Clock) -> Timeline:
    """A delivery is killed at this point, another one goes on; checks what was received."""
    receiver.received.clear()
    killed = tell(root, receiver.url)
    start = clock()
    assert deliver_and_die(root, receiver.url, start, point)
    finish(killed, clock)
    clock.moment = start
    received = Counter(request.notice_id for request in receiver.received)
    logged = Counter((root / "alerts.log").read_text("utf-8").splitlines())
    written = {
        notice_id
        for (notice_id,) in killed.rows(
            "SELECT notice_id FROM store.alert_outbox WHERE merged_into IS NULL"
        )
    }
    assert len(received) == 1
    assert received.keys() <= written
    assert {line.rpartition(" | notice ")[2] for line in logged} <= written
    assert received.total() + logged.total() <= len(written) + 1
    return killed


@pytest.mark.parametrize(("script", "status"), CASES)
@pytest.mark.parametrize(
    "point", [pytest.param(n, marks=() if n in (4, 10) else pytest.mark.torture) for n in POINTS]
)
def test_a_kill_at_any_point_of_a_delivery(
    root: Path, tmp_path: Path, receiver: Receiver, clock: Clock, script: str, status: int,
    point: int,
) -> None:  # fmt: skip
    """Nothing is lost, and at most the notice that was under way comes twice, with its id."""
    receiver.answers = [(status, {})] * 9
    whole = tell(root, receiver.url)
    whole.play(script)
    clock.moment = whole.seen_at(20)
    copy = Path(shutil.copytree(root, tmp_path / "killed"))
    deliver(whole.warehouse, whole.settings, now=clock)
    finish(whole, clock)
    assert outcome(die_at(point, copy, receiver, clock)) == outcome(whole)
