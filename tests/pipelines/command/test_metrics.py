"""An hour of polls, and what monitoring is told of it."""

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from ccpay_io.alerts import deliver
from ccpay_io.feeds.session import open_collector, open_warehouse
from ccpay_io.sandbox import SANDBOX_APP_ID, SANDBOX_APP_SECRET, serving
from ccpay_io.sandbox.faults import Faults
from ccpay_io.settings import Settings, load_settings
from ccpay_io.telemetry.server import telemetry_app

DEPLOY = Path(__file__).parents[3] / "deploy"
CANARY = "canary-of-a-channel-6a1f"
WEBHOOK_SECRET = "whsec_Y2FuYXJ5LW9mLWEtd2ViaG9vaw=="

Samples = dict[tuple[str, ...], float]
Monitoring = Callable[[Settings], httpx.Client]


class Clock:
    """The hour's own time; it ends now, so that the published ages are those of a live system."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC) - timedelta(minutes=46)

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=100)
        return self.now


@pytest.fixture
def hour(settings: Settings, faults: Faults, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The settings after an hour with an outage, a refused coin, a broken one and an alert."""
    monkeypatch.setenv("CCPAY_ALERT_URLS", f"https://127.0.0.1:9/{CANARY}")
    monkeypatch.setenv("CCPAY_WEBHOOK_SECRET", WEBHOOK_SECRET)
    settings, clock = load_settings(), Clock()

    async def polls() -> None:
        async with open_collector(settings, now=clock) as collector:
            for feed in ("fiats", "coins", "networks"):
                await collector.poll(feed)
            for turn in range(4):
                faults.clear()
                clock.now += timedelta(minutes=15 * (turn > 0))
                if turn == 1:
                    faults.add("echo", "getChainList")
                else:
                    await collector.poll("prices")
                if turn >= 2:
                    faults.statuses["TRX"] = "Maintenance"
                if turn == 2:
                    faults.add("code:14004 closed", "getWithdrawFee", match={"chain": "TRX"})
                    faults.add("status:502", "getWithdrawFee", match={"chain": "ETH"})
                await collector.watch_chains()
                if turn in (0, 2):
                    await collector.poll("fees")

    asyncio.run(polls())
    deliver(open_warehouse(settings), settings)
    open_warehouse(settings).publish(force=True)
    return settings


@pytest.fixture
def monitoring() -> Iterator[Monitoring]:
    """Serves the metrics of a warehouse over HTTP; gives a client for them."""
    with ExitStack() as stack:

        def serve(settings: Settings) -> httpx.Client:
            url = stack.enter_context(serving(telemetry_app(settings)))
            address = httpx.URL(url).copy_with(path="/")
            return stack.enter_context(httpx.Client(base_url=address))

        yield serve


def samples_of(text: str) -> dict[str, Samples]:
    """Metric -> the values of its labels, in the order of their names -> value."""
    found: dict[str, Samples] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = tuple(value for _, value in sorted(sample.labels.items()))
            found.setdefault(sample.name, {})[labels] = sample.value
    return found


@pytest.mark.slow
def test_the_metrics_of_an_hour_are_the_ledger(
    hour: Settings, monitoring: Monitoring, faults: Faults, caplog: pytest.LogCaptureFixture
) -> None:
    """Every counter is what the ledger's rows add up to and the API itself counted; no secret."""
    client = monitoring(hour)
    text = client.get("/metrics").text
    seen = samples_of(text)

    con = duckdb.connect(str(open_warehouse(hour).private), read_only=True)
    rows = con.execute(
        "SELECT feed, outcome, requests, unknown_count, refused_count, changed_count"
        " FROM store.poll"
    ).fetchall()
    (opened,) = con.execute("SELECT count(*) FROM store.alert_episode").fetchone()
    last = dict(
        con.execute(
            "SELECT feed, epoch_us(max(observed_at)) FROM store.poll"
            " WHERE outcome IN ('ok', 'partial') GROUP BY feed"
        ).fetchall()
    )
    con.close()
    added = [Counter[tuple[str, ...]]() for _ in range(5)]
    for feed, outcome, *numbers in rows:
        for counter, number in zip(added, [1, *numbers], strict=True):
            counter[feed, outcome] += number
    names = ("polls", "poll_requests", "poll_unknowns", "poll_refusals", "poll_changes")
    for name, counter in zip(names, added, strict=True):
        assert seen[f"ccpay_{name}_total"] == dict(counter), name
    assert {outcome for _, outcome in added[0]} == {"ok", "partial", "failed"}
    assert min(sum(counter.values()) for counter in added) > 0

    # What was sent on a connection that the API was just closing is asked again, and counted twice.
    asked = sum(added[1].values())
    assert 0.9 * asked < sum(faults.requests.values()) <= asked
    assert seen["ccpay_api_requests_used"][()] == asked
    answered = seen["ccpay_feed_answered_timestamp_seconds"]
    assert {feed: round(answered[feed,] * 1_000_000) for feed in last} == last
    assert sum(seen["ccpay_alerts_opened_total"].values()) == opened > 0
    assert seen["ccpay_notices_delivered_total"]["log",] > 0
    assert any(name.startswith("webhook-") for (name,) in seen["ccpay_notices_waiting"])

    for name in ("grafana/ccpay.json", "ccpay-rules.yml"):
        used = set(re.findall(r"\bccpay_[a-z_]+", (DEPLOY / name).read_text("utf-8")))
        assert used - seen.keys() == set(), name

    health = client.get("/health")
    late = [line.partition(":")[0] for line in health.json()["complaints"]]
    assert (health.status_code, late) == (503, ["fiats", "fees"])

    told = f"{text}\n{health.text}\n{caplog.text}"
    for secret in (CANARY, WEBHOOK_SECRET, SANDBOX_APP_ID, SANDBOX_APP_SECRET):
        assert secret not in told


def test_before_the_first_poll(settings: Settings, monitoring: Monitoring) -> None:
    """There are metrics, which say that nothing is published, and no health."""
    client = monitoring(settings)
    seen = samples_of(client.get("/metrics").text)
    assert seen["ccpay_published"][()] == 0
    assert seen["ccpay_feed_cadence_seconds"]["fees",] == settings.feeds.fees
    assert client.get("/health").json() == {
        "healthy": False,
        "complaints": ["nothing has been published yet"],
    }


def test_only_this_machine_is_answered(settings: Settings, monitoring: Monitoring) -> None:
    """A page whose name was made to point here reads nothing."""
    client = monitoring(settings)
    evil = {"Host": "evil.example"}
    assert {client.get(path, headers=evil).status_code for path in ("/metrics", "/health")} == {400}
