"""A webhook: a POST of the payload, signed after Standard Webhooks when a secret is set."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import time

import httpx

from ccpay_io.alerts.channels.message import Message, Sent
from ccpay_io.loopback import is_loopback
from ccpay_io.settings import Secret
from ccpay_io.transport import retry_after, trusted

TIMEOUT_S = 15.0
# What receivers call a message that they took; the first that is there is kept.
_PROVIDER_IDS = ("x-request-id", "request-id", "x-message-id")


def is_webhook(url: Secret) -> bool:
    """Whether this address is a webhook; any other scheme is Apprise's."""
    # Not parsed: this is asked while a poll is committed, where no strange address may raise.
    return url.reveal().lower().startswith(("https://", "http://"))


def send_to_webhook(url: Secret, message: Message, secret: Secret | None) -> Sent:
    """Makes one attempt.

    Args:
        url: of the receiver; http:// only on this machine.
        message: whose payload is sent.
        secret: signs it; base64 after "whsec_", or any text.
    """
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
        if secret:
            signed = f"{message.notice_id}.{timestamp}.".encode() + body
            headers["webhook-signature"] = _signature(secret, signed)
        response = httpx.post(
            address, content=body, headers=headers, timeout=TIMEOUT_S, verify=trusted()
        )
    except binascii.Error:
        return Sent(False, error="CCPAY_WEBHOOK_SECRET is not base64 after whsec_")
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, OverflowError) as error:
        # The last three are addresses that cannot be; the text of any would quote the address.
        return Sent(False, error=type(error).__name__)
    return judged(response)


def judged(response: httpx.Response) -> Sent:
    """What an answer means for the attempt."""
    status = response.status_code
    if response.is_success:
        ids = (response.headers.get(name) for name in _PROVIDER_IDS)
        return Sent(True, status_code=status, provider_id=next((i[:200] for i in ids if i), None))
    return Sent(
        False,
        permanent=400 <= status < 500 and status not in (408, 425, 429),
        status_code=status,
        retry_after_s=retry_after(response),
        error=f"HTTP {status}",
    )


def _signature(secret: Secret, signed: bytes) -> str:
    text = secret.reveal()
    encoded = text.startswith("whsec_")
    key = base64.b64decode(text.removeprefix("whsec_"), validate=True) if encoded else text.encode()
    digest = hmac.new(key, signed, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()
