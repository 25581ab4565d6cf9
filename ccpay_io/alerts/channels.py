"""The ways a notice leaves: the log, a signed webhook, and whatever Apprise can reach.

Owns one attempt to send one notice, and the key by which the tables know a channel without knowing
its URL, which is a secret. Does not retry (delivery.py does). Alerts about sandbox data go to the
log only.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from ccpay_io.loopback import is_loopback
from ccpay_io.redaction import RedactingFilter, Redactor
from ccpay_io.settings import Secret, Settings
from ccpay_io.transport import trusted

log = logging.getLogger("ccpay.alerts")

TIMEOUT_S = 15.0
# They log the addresses that they call, which hold tokens, at INFO and DEBUG.
_TALKATIVE = ("httpx", "apprise", "urllib3.connectionpool")


@dataclass(frozen=True)
class Message:
    """A notice on its way out: what the outbox holds."""

    notice_id: str
    severity: str
    title: str
    body: str
    payload: str


@dataclass(frozen=True)
class Sent:
    """What became of one attempt.

    Attributes:
        ok: the channel took it.
        permanent: it never will: trying again is pointless.
        status_code: HTTP status of a webhook.
        retry_after_s: what the receiver asked to wait.
        error: one line, without secrets.
    """

    ok: bool
    permanent: bool = False
    status_code: int | None = None
    retry_after_s: float | None = None
    error: str | None = None


def channel_keys(settings: Settings) -> list[str]:
    """The channels that are told about this environment's data."""
    if settings.environment == "sandbox":
        return ["log"]
    return ["log", *(_key(url) for url in settings.alert_urls)]


def send(channel: str, message: Message, settings: Settings) -> Sent:
    """Makes one attempt; what goes wrong is in the result and never raised.

    Args:
        channel: a key from `channel_keys`; one that is not configured here fails for now.
        message: what to send.
        settings: where the URLs and the webhook secret are.
    """
    if channel == "log":
        return _to_log(settings.warehouse, message)
    url = next((url for url in settings.alert_urls if _key(url) == channel), None)
    if url is None:
        # Not for good: a process started without the addresses must not lose another's notices.
        return Sent(False, error="this channel is not configured here")
    with _redacted_logs(settings):
        if _is_webhook(url):
            return _to_webhook(url, message, settings)
        return _to_apprise(url, message)


@contextmanager
def _redacted_logs(settings: Settings) -> Iterator[None]:
    shield = RedactingFilter(Redactor.of(settings))
    loggers = [logging.getLogger(name) for name in _TALKATIVE]
    for logger in loggers:
        logger.addFilter(shield)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(shield)


def _key(url: Secret) -> str:
    kind = "webhook" if _is_webhook(url) else "apprise"
    return f"{kind}-{hashlib.sha256(url.reveal().encode()).hexdigest()[:8]}"


def _is_webhook(url: Secret) -> bool:
    # Not parsed: this is asked while a poll is committed, where no strange address may raise.
    return url.reveal().lower().startswith(("https://", "http://"))


def _to_log(folder: Path, message: Message) -> Sent:
    """One line in alerts.log, which `ccpay up` follows, and a record for the logging system."""
    title = " ".join(message.title.split())
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    parts = [f"{moment} {message.severity.upper()} {title}", *message.body.splitlines()]
    try:
        with (folder / "alerts.log").open("a", encoding="utf-8") as file:
            file.write(" | ".join(parts) + "\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return Sent(False, error=f"cannot write alerts.log: {error.strerror}")
    log.warning("%s (%s)", title, message.notice_id)
    return Sent(True)


def _to_webhook(url: Secret, message: Message, settings: Settings) -> Sent:
    """A POST of the payload, signed after Standard Webhooks when a secret is set."""
    address = url.reveal()
    body = message.payload.encode()
    timestamp = str(int(time.time()))
    headers = {
        "Content-Type": "application/json",
        "webhook-id": message.notice_id,
        "webhook-timestamp": timestamp,
    }
    try:
        if address.lower().startswith("http://") and not is_loopback(httpx.URL(address).host):
            return Sent(False, permanent=True, error="plain http:// is for this machine only")
        if settings.webhook_secret:
            signed = f"{message.notice_id}.{timestamp}.".encode() + body
            headers["webhook-signature"] = _signature(settings.webhook_secret, signed)
        response = httpx.post(
            address, content=body, headers=headers, timeout=TIMEOUT_S, verify=trusted()
        )
    except binascii.Error:
        return Sent(False, error="CCPAY_WEBHOOK_SECRET is not base64 after whsec_")
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, OverflowError) as error:
        # The last three are addresses that cannot be; the text of any would quote the address.
        return Sent(False, error=type(error).__name__)
    return _judged(response)


def _judged(response: httpx.Response) -> Sent:
    status = response.status_code
    if response.is_success:
        return Sent(True, status_code=status)
    permanent = 400 <= status < 500 and status not in (408, 425, 429)
    wait = response.headers.get("Retry-After", "")
    return Sent(
        False,
        permanent=permanent,
        status_code=status,
        retry_after_s=float(wait) if wait.isdecimal() else None,
        error=f"HTTP {status}",
    )


def _signature(secret: Secret, signed: bytes) -> str:
    text = secret.reveal()
    encoded = text.startswith("whsec_")
    key = base64.b64decode(text.removeprefix("whsec_"), validate=True) if encoded else text.encode()
    digest = hmac.new(key, signed, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def _to_apprise(url: Secret, message: Message) -> Sent:
    """Through Apprise, which says only whether it worked."""
    from apprise import Apprise, NotifyType  # takes half a second: only where it is used

    sender = Apprise()
    if not sender.add(url.reveal()):
        return Sent(False, permanent=True, error="Apprise does not understand this address")
    kind = NotifyType.WARNING if message.severity != "critical" else NotifyType.FAILURE
    ok = bool(sender.notify(title=message.title, body=message.body, notify_type=kind))
    return Sent(ok, error=None if ok else "Apprise reports a failure")
