"""Everything that Apprise can reach: chats, e-mail, paging services.

Owns the translation of a notice into Apprise's words. Apprise says only whether it worked. Paging
services get the key of the incident with every notice, so that they close what they opened.
Apprise remembers nothing on disk: what it would keep there are tokens.
"""

from __future__ import annotations

from urllib.parse import urlencode

from ccpay_io.alerts.channels.message import Message, Sent
from ccpay_io.alerts.channels.opsgenie import close_page
from ccpay_io.alerts.telling import ENDING
from ccpay_io.settings import Secret

# How each service is told which incident a notice is about, and what to do with it.
_PAGING = {
    "pagerduty": ("map", "dedup"),
    "opsgenie": ("new", "alias"),
}


def is_paging(url: Secret) -> bool:
    """Whether this address is of a service that opens a page and wants it closed."""
    return _scheme(url) in _PAGING


def send_to_service(url: Secret, message: Message) -> Sent:
    """Makes one attempt.

    Args:
        url: what Apprise calls an address.
        message: title and body are sent, and for paging services the incident.
    """
    from apprise import Apprise, NotifyType  # half a second: only where it is used

    sender = Apprise()
    if not sender.add(_with_incident(url, message.incident)):
        return Sent(False, permanent=True, error="Apprise does not understand this address")
    begin = NotifyType.FAILURE if message.severity == "critical" else NotifyType.WARNING
    is_end = message.transition in ENDING
    # Paging services drop the end of a page that they do not know: it is opened, and told as over.
    is_begin = not is_end or (message.is_untold and is_paging(url))
    ok = not is_begin or bool(sender.notify(message.body, message.title, notify_type=begin))
    if ok and is_end and _scheme(url) == "opsgenie":
        return close_page(sender[0], message)
    if ok and is_end:
        ok = bool(sender.notify(message.body, message.title, notify_type=NotifyType.SUCCESS))
    return Sent(ok, error=None if ok else "Apprise reports a failure")


def _with_incident(url: Secret, incident: str) -> str:
    """The address, for a paging service with what the user's own parameters do not say."""
    if not is_paging(url):
        return url.reveal()
    action, key = _PAGING[_scheme(url)]
    address, _, given = url.reveal().partition("?")
    extra = urlencode({"action": action, key: incident})
    # The last word counts: a key that the user set would make all incidents one.
    return f"{address}?{given}&{extra}" if given else f"{address}?{extra}"


def _scheme(url: Secret) -> str:
    return url.reveal().partition("://")[0].lower()
