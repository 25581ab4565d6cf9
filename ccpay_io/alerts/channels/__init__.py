"""The ways a notice leaves: the log, a signed webhook, and whatever Apprise can reach.

Owns which channels there are, the key by which the tables know one without knowing its URL, which
is a secret, and one attempt to send one notice. Does not retry (delivery.py does). Alerts about
sandbox data go to the log only, unless ccpay.toml says otherwise.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from ccpay_io.alerts.channels.log import LOG, send_to_log
from ccpay_io.alerts.channels.message import Message, Sent
from ccpay_io.alerts.channels.service import is_paging, send_to_service
from ccpay_io.alerts.channels.webhook import is_webhook, send_to_webhook
from ccpay_io.redaction import redacted_logs
from ccpay_io.settings import Secret, Settings

__all__ = ["LOG", "Channel", "Message", "Sent", "channels_of", "send"]

# They log the addresses that they call, which hold tokens, at INFO and DEBUG.
_TALKATIVE = ("httpx", "apprise", "urllib3.connectionpool")


@dataclass(frozen=True)
class Channel:
    """One way out.

    Attributes:
        key: its name in the tables: "log", "webhook-1f3a9c2e", "apprise-77ab01cd".
        severity: the least severity that it hears of.
        kinds: the kinds of alerts that it hears of; empty: all.
        is_paging: whether it is a service that opens a page per notice and wants each closed.
    """

    key: str
    severity: str = "warning"
    kinds: tuple[str, ...] = ()
    is_paging: bool = False


def channels_of(settings: Settings) -> list[Channel]:
    """The channels that are told about this environment's data; the log hears everything."""
    channels = [Channel(LOG, severity="info")]
    filters = {each.number: each for each in settings.alerts.channels}
    for number, url in enumerate(_urls(settings), start=1):
        chosen = filters.get(number)
        channels.append(
            Channel(
                _key(url),
                chosen.severity if chosen else "warning",
                chosen.kinds if chosen else (),
                is_paging(url),
            )
        )
    return channels


def send(channel: str, message: Message, settings: Settings) -> Sent:
    """Makes one attempt; what goes wrong is in the result and never raised.

    Args:
        channel: a key from `channels_of`; one that is not configured here fails for now.
        message: what to send.
        settings: where the URLs and the webhook secret are.
    """
    if channel == LOG:
        return send_to_log(settings.warehouse, message)
    url = next((url for url in _urls(settings) if _key(url) == channel), None)
    if url is None:
        # Not for good: a process started without the addresses must not lose another's notices.
        return Sent(False, error="this channel is not configured here")
    with redacted_logs(settings, *_TALKATIVE):
        if is_webhook(url):
            return send_to_webhook(url, message, settings.webhook_secret)
        return send_to_service(url, message)


def _urls(settings: Settings) -> tuple[Secret, ...]:
    is_for_log = settings.environment == "sandbox" and not settings.alerts.sandbox
    return () if is_for_log else settings.alert_urls


def _key(url: Secret) -> str:
    kind = "webhook" if is_webhook(url) else "apprise"
    return f"{kind}-{hashlib.sha256(url.reveal().encode()).hexdigest()[:8]}"
