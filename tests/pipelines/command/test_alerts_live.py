"""Alerts through Dagster for real: daemon, sensors, delivery runs, and a webhook that receives."""

import itertools
import json
import random
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from receiver import Receiver, receiving
from running_up import Up, wait_for

from ccpay_io.sandbox.faults import Faults

pytestmark = [pytest.mark.torture, pytest.mark.timeout(1800)]

# The default interval of the watch, what confirming and delivering may add to it.
WATCH_S = 30
BESIDE_S = 15
CHAINS = [
    "ARBITRUM",
    "AVAX",
    "BASE",
    "BCH",
    "BSC",
    "BTC",
    "CRONOS",
    "DASH",
    "DOGE",
    "ETH",
    "FTM",
    "LTC",
    "OPTIMISM",
    "POLYGON",
    "SOL",
    "TON",
    "TRX",
    "XMR",
    "XRP",
    "ZEC",
]
# Everything that is a failure of the API, whatever it looks like.
FAILURES = (
    "status:500", "html", "not_json", "cut", "reset", "null", "code:10001", "code:11002",
    "status:503", "slow:20", "set:chains=7",
)  # fmt: skip


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """A webhook that the pipeline alerts."""
    with receiving() as running:
        monkeypatch.setenv("CCPAY_ALERT_URLS", f"{running.url}/hook")
        yield running


def heard(receiver: Receiver) -> list[tuple[str, str]]:
    """(word, subject) of everything that was received, in order."""
    return [
        (alert["transition"], alert["subject"])
        for request in list(receiver.received)
        for alert in request.data["alerts"]
    ]


def note(receiver: Receiver, flipped: dict[str, float], took: dict[str, float]) -> int:
    """Writes down how long each flip took to arrive; returns how many have."""
    for word, subject in heard(receiver):
        if word == "opened" and subject in flipped and subject not in took:
            took[subject] = time.monotonic() - flipped[subject]
    return len(took)


def started(running: Up) -> None:
    """Waits until the daemon has looked at the chains twice; looks without news publish nothing."""
    wait_for(lambda: "Dagster is up" in running.text, 120, lambda: running.text)
    wait_for(lambda: running.text.count("chains answered") > 1, 180, lambda: running.text)


def test_twenty_flips_reach_the_webhook_in_time(
    receiver: Receiver, up: Callable[[], Up], faults: Faults, tmp_path: Path
) -> None:
    """Half of them within an interval and 15 s, all within two intervals and 15 s."""
    (tmp_path / "ccpay.toml").write_text(f"[watch]\nchains = {json.dumps(CHAINS)}\n", "utf-8")
    running = up()
    started(running)
    rng = random.Random(4)  # noqa: S311
    flipped = dict[str, float]()
    took = dict[str, float]()
    for chain in CHAINS:
        faults.statuses[chain] = "Maintenance"
        flipped[chain] = time.monotonic()
        until = time.monotonic() + rng.uniform(5, 25)
        while time.monotonic() < until:
            note(receiver, flipped, took)
            time.sleep(0.2)
    wait_for(
        lambda: note(receiver, flipped, took) == len(flipped), 2 * WATCH_S + BESIDE_S + 30,
        lambda: str(sorted(flipped.keys() - took.keys())),
    )  # fmt: skip
    median, worst = statistics.median(took.values()), max(took.values())
    print(f"{len(took)} flips: median {median:.1f} s, worst {worst:.1f} s")  # noqa: T201
    assert sorted(took) == sorted(CHAINS)
    assert median <= WATCH_S + BESIDE_S
    assert worst <= 2 * WATCH_S + BESIDE_S


def test_ten_minutes_of_failures_of_every_kind_send_the_source_notice_and_nothing_else(
    receiver: Receiver, up: Callable[[], Up], faults: Faults
) -> None:
    """One notice when it begins and one when it is over; no chain, no route, no contract."""
    running = up()
    started(running)
    before = len(heard(receiver))
    end = time.monotonic() + 600
    for failure in itertools.cycle(FAILURES):
        if time.monotonic() > end:
            break
        faults.clear()
        faults.add(failure)
        time.sleep(20)
    faults.clear()
    wait_for(lambda: ("resolved", "CCPayment API") in heard(receiver), 120, lambda: running.text)
    time.sleep(BESIDE_S)
    said = heard(receiver)[before:]
    print(said)  # noqa: T201
    assert said == [("opened", "CCPayment API"), ("resolved", "CCPayment API")]
