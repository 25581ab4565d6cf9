"""The ways a notice leaves: the log, a signed webhook, and whatever Apprise can reach.

Owns one attempt to send one notice, and the key by which the tables know a channel without knowing
its URL, which is a secret. Does not retry (delivery.py does). Alerts about sandbox data go to the
log only.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
import os
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from ccpay_io.settings import Secret, Settings

log = logging.getLogger("ccpay.alerts")

TIMEOUT_S = 15.0


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
    """Makes one attempt.

    Args:
        channel: a key from `channel_keys`; one that is no longer configured fails for good.
        message: what to send.
        settings: where the URLs and the webhook secret are.
    """
    if channel == "log":
        return _to_log(settings.warehouse, message)
    url = next((url for url in settings.alert_urls if _key(url) == channel), None)
    if url is None:
        return Sent(False, permanent=True, error="this channel is no longer configured")
    return _to_webhook(url, message, settings) if _is_webhook(url) else _to_apprise(url, message)


def _key(url: Secret) -> str:
    kind = "webhook" if _is_webhook(url) else "apprise"
    return f"{kind}-{hashlib.sha256(url.reveal().encode()).hexdigest()[:8]}"


def _is_webhook(url: Secret) -> bool:
    return urlsplit(url.reveal()).scheme in ("https", "http")


def _to_log(folder: Path, message: Message) -> Sent:
    """One line in alerts.log, which `ccpay up` follows, and a record for the logging system."""
    line = f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {message.severity.upper()} {message.title}"
    details = " | ".join(message.body.splitlines())
    with (folder / "alerts.log").open("a", encoding="utf-8") as file:
        file.write(f"{line} | {details}\n")
        file.flush()
        os.fsync(file.fileno())
    log.warning("%s (%s)", message.title, message.notice_id)
    return Sent(True)


def _to_webhook(url: Secret, message: Message, settings: Settings) -> Sent:
    """A POST of the payload, signed after Standard Webhooks when a secret is set."""
    body = message.payload.encode()
    headers = {"Content-Type": "application/json", "webhook-id": message.notice_id}
    timestamp = str(int(time.time()))
    headers["webhook-timestamp"] = timestamp
    if settings.webhook_secret:
        signed = f"{message.notice_id}.{timestamp}.".encode() + body
        headers["webhook-signature"] = _signature(settings.webhook_secret, signed)
    try:
        response = httpx.post(url.reveal(), content=body, headers=headers, timeout=TIMEOUT_S)
    except httpx.HTTPError as error:
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
    key = base64.b64decode(text.removeprefix("whsec_")) if encoded else text.encode()
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
