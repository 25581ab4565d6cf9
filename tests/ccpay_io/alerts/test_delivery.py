from __future__ import annotations

import base64
import logging
import shutil
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from alert_timeline import Clock, KeptFile, Timeline, live_settings
from receiver import Receiver, receiving, verify_signature

from ccpay_io.alerts import DeliveryReport, deliver, due_notices
from ccpay_io.config import AlertSettings
from ccpay_io.settings import Secret, Settings
from ccpay_io.store.writer import Warehouse

# On Python 3.11 and 3.12 Apprise imports a module that 3.13 no longer has.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

FOREVER = [(500, {})] * 99
# The waits between attempts, with the tenth by which they are spread.
LADDER_S = [30, 120, 600, 1800, 7200, 21_600]


class Crash(Exception):
    """Stands for the process's death at a step."""


def tell(root: Path, *urls: str, **given: Any) -> Timeline:
    """A timeline whose notices go to these URLs."""
    return Timeline(live_settings(root, alert_urls=tuple(map(Secret, urls)), **given))


def due(timeline: Timeline, clock: Clock) -> list[tuple[str, int]]:
    """What the delivery sensor would see."""
    with timeline.warehouse.transaction() as con:
        return due_notices(con, clock())


def test_one_notice_per_channel_and_then_silence(
    root: Path, receiver: Receiver, clock: Clock
) -> None:
    """Each channel gets the notice once, and draining again sends nothing."""
    timeline = tell(root, receiver.url)
    timeline.play("mm")
    assert len(due(timeline, clock)) == 2
    report = deliver(timeline.warehouse, timeline.settings, now=clock)
    assert report == DeliveryReport(sent=2)
    assert deliver(timeline.warehouse, timeline.settings, now=clock) == DeliveryReport()
    assert due(timeline, clock) == []
    assert len(receiver.received) == 1
    assert len((root / "alerts.log").read_text("utf-8").splitlines()) == 1


def test_webhook_carries_what_a_receiver_needs(
    root: Path, receiver: Receiver, clock: Clock
) -> None:
    """The JSON names notice, alerts, transition, severity and times, and can be shown as it is."""
    timeline = tell(root, receiver.url)
    timeline.play("nmm")
    clock.pass_s(60)
    deliver(timeline.warehouse, timeline.settings, now=clock)
    (request,) = receiver.received
    data = request.data
    assert request.headers["content-type"] == "application/json"
    assert data["notice_id"] == request.notice_id
    assert (data["type"], data["transition"]) == ("ccpay.alert.opened", "opened")
    assert (data["severity"], data["environment"]) == ("critical", "live api.test")
    assert data["title"] == "TRX is in maintenance"
    assert request.notice_id in data["body"]
    (alert,) = data["alerts"]
    assert request.notice_id.startswith(alert["alert_id"])
    assert (alert["kind"], alert["subject"], alert["value"]) == (
        "chain_status",
        "TRX",
        "Maintenance",
    )
    assert alert["started_after"] == timeline.seen_at(1).isoformat()
    assert alert["started_by"] == timeline.seen_at(2).isoformat()


def test_verifier_of_these_tests_agrees_with_the_specification() -> None:
    """The published example of Standard Webhooks verifies, so the verifier here is right."""
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    assert verify_signature(secret, headers, b'{"test": 2432232314}')
    assert not verify_signature(secret, headers, b'{"test": 2432232315}')


@pytest.mark.parametrize(
    ("configured", "key"),
    [
        pytest.param("whsec_" + base64.b64encode(b"k" * 32).decode(), b"k" * 32, id="whsec"),
        pytest.param("a plain passphrase", b"a plain passphrase", id="plain"),
    ],
)
def test_webhook_is_signed(
    root: Path, receiver: Receiver, clock: Clock, configured: str, key: bytes
) -> None:
    """The signature covers id, timestamp and the exact bytes of the body."""
    timeline = tell(root, receiver.url, webhook_secret=Secret(configured))
    timeline.play("mm")
    deliver(timeline.warehouse, timeline.settings, now=clock)
    (request,) = receiver.received
    assert verify_signature(key, request.headers, request.body)
    assert not verify_signature(b"another key", request.headers, request.body)


def test_without_a_secret_the_webhook_is_sent_unsigned(
    root: Path, receiver: Receiver, clock: Clock
) -> None:
    """A missing secret costs the signature, not the alert."""
    timeline = tell(root, receiver.url)
    timeline.play("mm")
    deliver(timeline.warehouse, timeline.settings, now=clock)
    (request,) = receiver.received
    assert "webhook-signature" not in request.headers


def test_failing_webhook_is_accepted_exactly_once(
    root: Path, receiver: Receiver, clock: Clock
) -> None:
    """Scenario 18: five failures, then one acceptance, always under the same id."""
    receiver.answers = [(500, {})] * 5
    timeline = tell(root, receiver.url)
    timeline.play("mm")
    for _ in range(12):
        deliver(timeline.warehouse, timeline.settings, now=clock)
        clock.pass_s(3600)
    assert len(receiver.accepted) == 1
    assert len(receiver.received) == 6
    assert len({request.notice_id for request in receiver.received}) == 1
    assert len({request.data["alerts"][0]["alert_id"] for request in receiver.received}) == 1
    attempts = timeline.rows(
        "SELECT attempt, status_code, outcome FROM store.alert_delivery"
        " WHERE notice_id LIKE '%webhook%' ORDER BY attempt"
    )
    assert attempts == [*((n, 500, "failed") for n in range(1, 6)), (6, 200, "sent")]


def test_ladder_of_attempts(root: Path, receiver: Receiver, clock: Clock) -> None:
    """The waits are 30 s, 2 m, 10 m, 30 m, 2 h and then 6 h, each at most a tenth longer."""
    receiver.answers = list(FOREVER)
    timeline = tell(root, receiver.url)
    timeline.play("mm")
    waits = []
    for _ in range(8):
        deliver(timeline.warehouse, timeline.settings, now=clock)
        ((next_at,),) = timeline.rows(
            "SELECT next_attempt_at FROM store.alert_outbox WHERE delivered_at IS NULL"
        )
        waits.append((next_at - clock()).total_seconds())
        clock.moment = next_at
    for wait, step in zip(waits, [*LADDER_S, 21_600, 21_600], strict=True):
        assert step <= wait <= 1.1 * step


def test_given_up_after_two_days(root: Path, receiver: Receiver, clock: Clock) -> None:
    """A channel that fails for 48 hours is tried once more and then no longer."""
    receiver.answers = list(FOREVER)
    timeline = tell(root, receiver.url)
    timeline.play("mm")
    begun = clock()
    dead = 0
    while not dead and clock() - begun < timedelta(hours=60):
        dead = deliver(timeline.warehouse, timeline.settings, now=clock).dead
        clock.pass_s(6.6 * 3600)
    ((dead_at,),) = timeline.rows(
        "SELECT dead_at FROM store.alert_outbox WHERE channel <> 'log' AND dead_at IS NOT NULL"
    )
    assert timedelta(hours=48) < dead_at - begun < timedelta(hours=55)
    assert due(timeline, clock) == []


@pytest.mark.parametrize("status", [400, 404, 410])
def test_permanent_refusal_is_not_repeated(
    root: Path, receiver: Receiver, clock: Clock, status: int
) -> None:
    """A 4xx other than 408, 425 and 429 ends the notice at once."""
    receiver.answers = [(status, {})]
    timeline = tell(root, receiver.url)
    timeline.play("mm")
    report = deliver(timeline.warehouse, timeline.settings, now=clock)
    # The log hears of the alert, and that this channel is dead.
    assert report == DeliveryReport(sent=2, dead=1)
    clock.pass_s(86_400)
    assert deliver(timeline.warehouse, timeline.settings, now=clock) == DeliveryReport()
    assert len(receiver.received) == 1


@pytest.mark.parametrize("status", [302, 408, 425, 429])
def test_other_failures_are_repeated(
    root: Path, receiver: Receiver, clock: Clock, status: int
) -> None:
    """What may pass is tried again; a redirect is not followed, for it could lead anywhere."""
    receiver.answers = [(status, {"Location": "http://127.0.0.1:9/elsewhere"})]
    timeline = tell(root, receiver.url)
    timeline.play("mm")
    assert deliver(timeline.warehouse, timeline.settings, now=clock).failed == 1
    clock.pass_s(34)
    assert deliver(timeline.warehouse, timeline.settings, now=clock).sent == 1


@pytest.mark.parametrize(
    ("headers", "name"),
    [
        pytest.param({"X-Request-Id": "a", "X-Message-Id": "b"}, "a", id="the first that is there"),
        pytest.param({"X-Message-Id": "b" * 999}, "b" * 200, id="of a sensible length"),
        pytest.param({}, None, id="none"),
    ],
)
def test_what_the_receiver_calls_a_notice_is_kept(
    root: Path, receiver: Receiver, clock: Clock, headers: dict[str, str], name: str | None
) -> None:
    """Whoever asks the receiver's support about a notice needs the receiver's name for it."""
    receiver.answers = [(200, headers)]
    timeline = tell(root, receiver.url)
    timeline.play("mm")
    deliver(timeline.warehouse, timeline.settings, now=clock)
    rows = timeline.rows("SELECT provider_id FROM store.alert_delivery WHERE status_code = 200")
    assert rows == [(name,)]


@pytest.mark.parametrize(
    ("value", "lowest", "highest"),
    [
        pytest.param("300", 300, 330, id="longer than the ladder's step"),
        pytest.param("1", 30, 33, id="shorter than the ladder's step"),
        pytest.param("9" * 400, 30, 6.6 * 3600, id="absurdly long"),
        pytest.param("Mon, 02 Mar 2020 10:00:00 GMT", 30, 33, id="a date in the past"),
        pytest.param("soon", 30, 33, id="unreadable"),
    ],
)
def test_retry_after_is_honoured(
    root: Path, receiver: Receiver, clock: Clock, value: str, lowest: float, highest: float
) -> None:
    """A receiver may ask for a longer pause, within reason."""
    receiver.answers = [(429, {"Retry-After": value})]
    timeline = tell(root, receiver.url)
    timeline.play("mm")
    deliver(timeline.warehouse, timeline.settings, now=clock)
    ((next_at,),) = timeline.rows(
        "SELECT next_attempt_at FROM store.alert_outbox WHERE delivered_at IS NULL"
    )
    assert lowest <= (next_at - clock()).total_seconds() <= highest


def test_retry_after_may_be_a_date(root: Path, receiver: Receiver, clock: Clock) -> None:
    """The date is by the receiver's clock, so it is compared with the real one."""
    until = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    receiver.answers = [(503, {"Retry-After": until})]
    timeline = tell(root, receiver.url)
    timeline.play("mm")
    deliver(timeline.warehouse, timeline.settings, now=clock)
    ((next_at,),) = timeline.rows(
        "SELECT next_attempt_at FROM store.alert_outbox WHERE delivered_at IS NULL"
    )
    assert 3400 <= (next_at - clock()).total_seconds() <= 3600


def test_channels_are_independent(root: Path, receiver: Receiver, clock: Clock) -> None:
    """Scenario 19: success on one channel is not repeated because the other one fails."""
    with receiving((503, {}), (503, {})) as failing:
        timeline = tell(root, receiver.url, failing.url)
        timeline.play("mm")
        for _ in range(6):
            deliver(timeline.warehouse, timeline.settings, now=clock)
            clock.pass_s(1000)
        assert len(receiver.received) == 1
        assert [request.status for request in failing.received] == [503, 503, 200]


def test_a_reminder_waits_for_its_opened(root: Path, receiver: Receiver, clock: Clock) -> None:
    """In order per episode and channel, even when the later notice is due first."""
    receiver.answers = [(500, {})] * 3
    timeline = tell(root, receiver.url)
    timeline.play("mm")
    deliver(timeline.warehouse, timeline.settings, now=clock)
    timeline.wait(120)
    timeline.play("m")
    clock.pass_s(3700)
    for _ in range(10):
        deliver(timeline.warehouse, timeline.settings, now=clock)
        clock.pass_s(3000)
    kinds = [request.data["transition"] for request in receiver.received]
    assert kinds == ["opened"] * 4 + ["reminder"]


def test_another_episode_does_not_wait(root: Path, receiver: Receiver, clock: Clock) -> None:
    """A notice that waits for its next attempt holds up nothing but its own episode."""
    receiver.answers = [(500, {})] * 2
    timeline = tell(root, receiver.url)
    timeline.play("mm")
    deliver(timeline.warehouse, timeline.settings, now=clock)
    clock.pass_s(34)
    deliver(timeline.warehouse, timeline.settings, now=clock)
    timeline.play("xx")
    clock.pass_s(27)
    deliver(timeline.warehouse, timeline.settings, now=clock)
    assert [request.data["alerts"][0]["kind"] for request in receiver.accepted] == ["source_health"]


@pytest.mark.parametrize("commit", [1, 2, 3, 4])
def test_crash_at_every_commit_of_a_delivery(
    root: Path, receiver: Receiver, clock: Clock, commit: int
) -> None:
    """Scenario 21: died before any of its commits, nothing is lost and ids stay the same."""
    timeline = tell(root, receiver.url)
    timeline.play("mm")
    with pytest.raises(Crash):
        deliver(_dying(timeline, at_commit=commit), timeline.settings, now=clock)
    clock.pass_s(121)
    deliver(timeline.warehouse, timeline.settings, now=clock)
    sent_twice = commit == 4
    assert len(receiver.received) == (2 if sent_twice else 1)
    assert len({request.notice_id for request in receiver.received}) == 1
    logged = (root / "alerts.log").read_text("utf-8").splitlines()
    assert len(logged) == (2 if commit == 2 else 1)
    assert due(timeline, clock) == []


def test_claimed_notice_is_left_to_its_sender(root: Path, receiver: Receiver, clock: Clock) -> None:
    """While a lease runs nobody else sends, and the sensor does not ask for it."""
    timeline = tell(root, receiver.url)
    timeline.play("mm")
    with pytest.raises(Crash):
        deliver(_dying(timeline, at_commit=4), timeline.settings, now=clock)
    clock.pass_s(60)
    assert due(timeline, clock) == []
    assert deliver(timeline.warehouse, timeline.settings, now=clock) == DeliveryReport()
    clock.pass_s(61)
    assert [attempts for _, attempts in due(timeline, clock)] == [1]


def test_two_deliveries_at_once_send_once(root: Path, receiver: Receiver, clock: Clock) -> None:
    """Two processes that drain together share the notices between them."""
    timeline = tell(root, receiver.url)
    names = "ABCD"
    timeline.play_lists(
        [
            {name: "Maintenance" if n > i else "Normal" for i, name in enumerate(names)}
            for n in range(6)
        ]
    )
    clock.moment = timeline.seen_at(20)
    KeptFile.close_all()
    drains = [
        threading.Thread(
            target=deliver,
            args=(Warehouse(root, timeline.settings.stamp), timeline.settings),
            kwargs={"now": clock},
        )
        for _ in range(2)
    ]
    for drain in drains:
        drain.start()
    for drain in drains:
        drain.join()
    sent = Counter(request.notice_id for request in receiver.received)
    assert len(sent) == 4
    assert set(sent.values()) == {1}


def test_unreachable_receiver_is_a_later_attempt(root: Path, clock: Clock) -> None:
    """A refused connection is an attempt that failed, not an error."""
    with receiving() as gone:
        url = gone.url
    timeline = tell(root, url)
    timeline.play("mm")
    assert deliver(timeline.warehouse, timeline.settings, now=clock).failed == 1
    assert len(timeline.rows("FROM store.alert_delivery WHERE status_code IS NULL")) == 2


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("https://127.0.0.1:99999/token", id="impossible port"),
        pytest.param("https://[::1/token", id="broken host"),
        pytest.param("https:///token", id="no host"),
        pytest.param("http://receiver.test/token", id="plain http beyond this machine"),
        pytest.param("carrierpigeon://token", id="a scheme that nobody knows"),
        pytest.param("no-scheme-at-all", id="no scheme"),
    ],
)
def test_unusable_url_stops_nothing_else(
    root: Path, receiver: Receiver, clock: Clock, url: str
) -> None:
    """An address that cannot work is an attempt with a reason; all other channels are served."""
    timeline = tell(root, url, receiver.url)
    timeline.play("mm")
    report = deliver(timeline.warehouse, timeline.settings, now=clock)
    # The others also hear that this channel is dead, if it is for good.
    assert (report.sent, report.failed + report.dead) == (2 + 2 * report.dead, 1)
    ((error,),) = timeline.rows("SELECT error FROM store.alert_delivery WHERE outcome <> 'sent'")
    assert error
    assert "token" not in error


def test_unusable_webhook_secret_is_a_later_attempt(
    root: Path, receiver: Receiver, clock: Clock
) -> None:
    """A secret that is no base64 after whsec_ is told; nothing goes out wrongly signed."""
    timeline = tell(root, receiver.url, webhook_secret=Secret("whsec_not base64!"))
    timeline.play("mm")
    report = deliver(timeline.warehouse, timeline.settings, now=clock)
    assert report.sent == 1
    assert receiver.received == []
    rows = timeline.rows("SELECT error FROM store.alert_delivery WHERE error IS NOT NULL")
    assert "CCPAY_WEBHOOK_SECRET" in rows[0][0]


def test_apprise_reaches_a_real_service(root: Path, receiver: Receiver, clock: Clock) -> None:
    """Any scheme but http goes through Apprise, json:// included; the notice id is in the body."""
    timeline = tell(root, receiver.url.replace("http://", "json://"))
    timeline.play("mm")
    deliver(timeline.warehouse, timeline.settings, now=clock)
    ((notice_id,),) = timeline.rows(
        "SELECT notice_id FROM store.alert_outbox WHERE channel <> 'log'"
    )
    (request,) = receiver.received
    assert request.data["title"] == "TRX is in maintenance"
    assert notice_id in request.data["message"]


def test_apprise_failure_follows_the_ladder(root: Path, receiver: Receiver, clock: Clock) -> None:
    """Apprise says only whether it worked, so its failures are never for good."""
    receiver.answers = [(404, {})]
    timeline = tell(root, receiver.url.replace("http://", "json://"))
    timeline.play("mm")
    assert deliver(timeline.warehouse, timeline.settings, now=clock).failed == 1
    clock.pass_s(34)
    assert deliver(timeline.warehouse, timeline.settings, now=clock).sent == 1


def test_sandbox_alerts_go_to_the_log_only(tmp_path: Path, clock: Clock) -> None:
    """What the sandbox makes up wakes nobody, and says where it comes from."""
    settings = live_settings(tmp_path, alert_urls=(Secret("https://receiver.test/token"),))
    sandbox = Timeline(Settings(**{**vars(settings), "environment": "sandbox"}))
    sandbox.play("mm")
    assert sandbox.rows("SELECT channel FROM store.alert_outbox") == [("log",)]
    deliver(sandbox.warehouse, sandbox.settings, now=clock)
    assert "[sandbox] TRX is in maintenance" in (tmp_path / "alerts.log").read_text("utf-8")


def test_sandbox_notices_of_before_stay_here_too(
    root: Path, receiver: Receiver, clock: Clock
) -> None:
    """Whoever takes the permission back means also what is waiting."""
    given = {**vars(tell(root, receiver.url).settings), "environment": "sandbox"}
    allowed = Timeline(Settings(**{**given, "alerts": AlertSettings(sandbox=True)}))
    shutil.rmtree(root)
    allowed.play("mm")
    deliver(allowed.warehouse, Settings(**given), now=clock)
    assert receiver.received == []
    clock.pass_s(60)
    assert deliver(allowed.warehouse, allowed.settings, now=clock).sent == 1


def test_log_is_one_line_per_notice(root: Path, clock: Clock) -> None:
    """A chain whose name holds a line break cannot forge a second entry."""
    timeline = Timeline(live_settings(root))
    forged = "TRX\n2026-03-02T10:00:00Z CRITICAL forged"
    timeline.play_lists([{forged: "Maintenance"}] * 2)
    deliver(timeline.warehouse, timeline.settings, now=clock)
    assert len((root / "alerts.log").read_text("utf-8").splitlines()) == 1


@pytest.mark.parametrize("scheme", ["http", "json"])
@pytest.mark.parametrize("status", [200, 500])
def test_no_secret_leaves_its_place(
    root: Path,
    receiver: Receiver,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
    scheme: str,
    status: int,
) -> None:
    """Scenario 32: the token of an alert URL is in no row, log record or file."""
    canary = "canary-5f2c9d1e7a"
    caplog.set_level(logging.DEBUG)
    receiver.answers = [(status, {})]
    url = f"{scheme}{receiver.url.removeprefix('http')}/services/{canary}?key={canary}"
    timeline = tell(root, url, webhook_secret=Secret(f"secret-{canary}"))
    timeline.play("mm")
    deliver(timeline.warehouse, timeline.settings, now=clock)
    assert canary in receiver.received[0].path
    assert canary not in caplog.text
    assert canary not in repr(timeline.settings)
    for table in ("alert_state", "alert_episode", "alert_outbox", "alert_delivery"):
        assert canary not in repr(timeline.rows(f"FROM store.{table}"))
    for file in root.rglob("*"):
        assert file.is_dir() or canary.encode() not in file.read_bytes()


def counting(commit: int, act: Any) -> Any:
    """Makes a warehouse that acts just before its n-th commit."""

    def of(timeline: Timeline) -> Warehouse:
        left = [commit]

        def on_step(name: str) -> None:
            left[0] -= name == "commit"
            if left[0] == 0:
                act()

        KeptFile.close_all()
        return Warehouse(timeline.settings.warehouse, timeline.settings.stamp, on_step=on_step)

    return of


def _dying(timeline: Timeline, *, at_commit: int) -> Warehouse:
    def die() -> None:
        raise Crash

    made: Warehouse = counting(at_commit, die)(timeline)
    return made
