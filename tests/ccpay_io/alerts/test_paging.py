"""Paging services: what is opened is closed, by the same key, through the real Apprise."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from alert_timeline import Clock, Timeline, live_settings
from receiver import Receiver

from ccpay_io.alerts import deliver, send_test
from ccpay_io.settings import Secret

# On Python 3.11 and 3.12 Apprise imports a module that 3.13 no longer has.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

PAGERDUTY = "pagerduty://routing-key@api-key"
OPSGENIE = "opsgenie://a-key-of-opsgenie"


@pytest.fixture(autouse=True)
def services(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both services answer on this machine, as they would on theirs."""
    from apprise.plugins import opsgenie, pagerduty

    receiver.reply = b'{"status": "success", "requestId": "request-1"}'
    monkeypatch.setitem(pagerduty.PAGERDUTY_API_LOOKUP, "us", f"{receiver.url}/v2/enqueue")
    for plugin in (pagerduty.NotifyPagerDuty, opsgenie.NotifyOpsgenie):
        monkeypatch.setattr(plugin, "request_rate_per_sec", 0)
    monkeypatch.setitem(opsgenie.OPSGENIE_API_LOOKUP, "us", f"{receiver.url}/v2/alerts")


def tell(root: Path, url: str) -> Timeline:
    """A timeline that pages."""
    return Timeline(live_settings(root, alert_urls=(Secret(url),)))


def pages(receiver: Receiver) -> list[tuple[str, str]]:
    """(action, key) of what PagerDuty would have received."""
    return [
        (request.data["event_action"], request.data["dedup_key"]) for request in receiver.received
    ]


def drain(timeline: Timeline, clock: Clock) -> None:
    """Everything that is due is sent."""
    clock.moment = timeline.seen_at(timeline.ticks)
    deliver(timeline.warehouse, timeline.settings, now=clock)


def test_a_page_is_closed_by_the_key_that_opened_it(
    root: Path, receiver: Receiver, clock: Clock
) -> None:
    """Trigger and resolve carry the alert's own id."""
    timeline = tell(root, PAGERDUTY)
    timeline.play("nn mm")
    drain(timeline, clock)
    timeline.play("nnn")
    drain(timeline, clock)
    ((alert_id,),) = timeline.rows("SELECT alert_id FROM store.alert_episode")
    assert pages(receiver) == [("trigger", alert_id), ("resolve", alert_id)]


def test_a_key_in_the_users_address_does_not_make_all_pages_one(
    root: Path, receiver: Receiver, clock: Clock
) -> None:
    """The user's own parameters stay, but for those that would mix up incidents."""
    timeline = tell(root, f"{PAGERDUTY}?severity=critical&dedup=mine&action=trigger")
    timeline.play("nn mm nnn mm")
    drain(timeline, clock)
    first, again = timeline.rows("SELECT alert_id FROM store.alert_episode ORDER BY alert_id")
    assert [key for _, key in pages(receiver)] == [*first, *first, *again]


def test_what_began_together_is_one_page_until_all_of_it_is_over(
    root: Path, receiver: Receiver, clock: Clock
) -> None:
    """A mass event pages once, and is closed by the end of the last chain."""
    timeline = tell(root, PAGERDUTY)
    normal, bad = {"A": "Normal", "B": "Normal"}, {"A": "Maintenance", "B": "Maintenance"}
    half = {"A": "Normal", "B": "Maintenance"}
    timeline.play_lists([normal, bad, bad])
    drain(timeline, clock)
    timeline.play_lists([half] * 3)
    drain(timeline, clock)
    assert [action for action, _ in pages(receiver)] == ["trigger"]
    timeline.play_lists([normal] * 3)
    drain(timeline, clock)
    (trigger, opened), (resolve, closed) = pages(receiver)
    assert (trigger, resolve) == ("trigger", "resolve")
    assert opened == closed


def test_after_an_outage_each_page_is_told_by_itself(
    root: Path, receiver: Receiver, clock: Clock
) -> None:
    """A digest is for people; a paging service closes one page and opens another."""
    timeline = tell(root, PAGERDUTY)
    timeline.play("nn xx")
    drain(timeline, clock)
    timeline.play("mmm")
    drain(timeline, clock)
    api, *others = pages(receiver)
    assert api[0] == "trigger"
    assert min(others) == ("resolve", api[1])
    assert max(others)[0] == "trigger"


def test_opsgenie_closes_what_it_opened(root: Path, receiver: Receiver, clock: Clock) -> None:
    """By the alias: the id that answers name is that of the request, which is no alert's."""
    timeline = tell(root, OPSGENIE)
    timeline.play("nn mm")
    drain(timeline, clock)
    timeline.play("nnn")
    drain(timeline, clock)
    ((alert_id,),) = timeline.rows("SELECT alert_id FROM store.alert_episode")
    opened, closed = receiver.received
    assert (opened.path, opened.data["alias"]) == ("/v2/alerts", alert_id)
    assert closed.path == f"/v2/alerts/{alert_id}/close?identifierType=alias"
    assert closed.headers["authorization"] == opened.headers["authorization"]
    assert "TRX is back to normal" in closed.data["note"]


def test_a_page_that_cannot_be_closed_now_is_closed_later(
    root: Path, receiver: Receiver, clock: Clock
) -> None:
    """The end follows the ladder like any other notice, and does not open the page again."""
    receiver.answers = [(202, {}), (503, {})]
    timeline = tell(root, OPSGENIE)
    timeline.play("nn mm")
    drain(timeline, clock)
    timeline.play("nnn")
    drain(timeline, clock)
    clock.pass_s(60)
    deliver(timeline.warehouse, timeline.settings, now=clock)
    paths = [request.path.partition("?")[0][-6:] for request in receiver.received]
    assert paths == ["alerts", "/close", "/close"]


def test_a_test_notice_goes_the_way_of_every_other(
    root: Path, receiver: Receiver, clock: Clock
) -> None:
    """Each channel is tried, and what became of it is told."""
    receiver.answers = [(200, {"X-Request-Id": "their-name"}), (500, {})]
    urls = (Secret(f"{receiver.url}/good"), Secret(f"{receiver.url}/bad"))
    timeline = Timeline(live_settings(root, alert_urls=urls))
    results: list[Any] = send_test(timeline.warehouse, timeline.settings, now=clock)
    by_status = {sent.status_code: sent for _, sent in results}
    assert by_status[None].ok
    assert (by_status[200].ok, by_status[200].provider_id) == (True, "their-name")
    assert (by_status[500].ok, by_status[500].permanent, by_status[500].error) == (
        False, False, "HTTP 500",
    )  # fmt: skip


@pytest.mark.parametrize("url", [PAGERDUTY, OPSGENIE])
def test_a_page_that_is_over_before_it_was_told_is_still_told(
    root: Path, receiver: Receiver, clock: Clock, url: str
) -> None:
    """Paging services drop the end of what they do not know: the late notice opens and closes."""
    timeline = tell(root, url)
    timeline.play("nn mm nnn")
    drain(timeline, clock)
    opened, closed = receiver.received
    assert "was in maintenance from 2026-03-02 10:01" in opened.body.decode()
    assert "reported late" in opened.body.decode()
    assert "is in maintenance" not in opened.body.decode()
    if url == PAGERDUTY:
        ((alert_id,),) = timeline.rows("SELECT alert_id FROM store.alert_episode")
        assert pages(receiver) == [("trigger", alert_id), ("resolve", alert_id)]
    else:
        assert closed.path == f"/v2/alerts/{opened.data['alias']}/close?identifierType=alias"


def test_opsgenie_keeps_a_group_open_until_all_of_it_is_over(
    root: Path, receiver: Receiver, clock: Clock
) -> None:
    """One alert for what began together, closed once, after the last chain."""
    timeline = tell(root, OPSGENIE)
    normal, bad = {"A": "Normal", "B": "Normal"}, {"A": "Maintenance", "B": "Maintenance"}
    half = {"A": "Normal", "B": "Maintenance"}
    timeline.play_lists([normal, bad, bad])
    drain(timeline, clock)
    timeline.play_lists([half] * 3)
    drain(timeline, clock)
    assert [request.path for request in receiver.received] == ["/v2/alerts"]
    timeline.play_lists([normal] * 3)
    drain(timeline, clock)
    opened, closed = receiver.received
    assert closed.path == f"/v2/alerts/{opened.data['alias']}/close?identifierType=alias"


@pytest.mark.parametrize("url", ["pagerduty://{0}@{0}", "opsgenie://{0}"])
@pytest.mark.parametrize("status", [200, 403])
def test_no_key_of_a_service_leaves_its_place(
    root: Path,
    receiver: Receiver,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
    url: str,
    status: int,
) -> None:
    """Scenario 32: not in rows, log records and files; Apprise writes none."""
    canary = "canary-5f2c9d1e7a"
    caplog.set_level(logging.DEBUG)
    receiver.answers = [(status, {})]
    timeline = tell(root, url.format(canary))
    timeline.play("nn mm")
    drain(timeline, clock)
    timeline.play("nnn")
    drain(timeline, clock)
    assert any(canary in repr(request) for request in receiver.received)
    assert canary not in caplog.text
    for table in ("alert_state", "alert_episode", "alert_outbox", "alert_delivery"):
        assert canary not in repr(timeline.rows(f"FROM store.{table}"))
    assert not (root / "private" / "apprise").exists()
    for file in root.rglob("*"):
        assert canary not in file.name
        assert file.is_dir() or canary.encode() not in file.read_bytes()


def test_a_page_about_a_chain_that_is_removed_is_closed(
    root: Path, receiver: Receiver, clock: Clock
) -> None:
    """Nobody will ever say that it is back to normal."""
    timeline = tell(root, PAGERDUTY)
    timeline.play("nn mm")
    drain(timeline, clock)
    timeline.play("...")
    drain(timeline, clock)
    (trigger, opened), (resolve, closed) = pages(receiver)
    assert (trigger, resolve, opened) == ("trigger", "resolve", closed)
