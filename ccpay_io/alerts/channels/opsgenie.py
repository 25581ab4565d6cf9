"""Opsgenie's pages are closed here, by the alias that Apprise opened them with.

Owns that one request. Apprise would close a page by the id of the request that opened it, which
Opsgenie accepts (202) and then does nothing about: an alert is known by its own id, or its alias.
Called by service.py.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import httpx

from ccpay_io.alerts.channels.message import Message, Sent
from ccpay_io.alerts.channels.webhook import TIMEOUT_S, judged
from ccpay_io.transport import trusted


def close_page(address: Any, message: Message) -> Sent:
    """Makes one attempt.

    Args:
        address: what Apprise made of it, which knows the key and the region.
        message: of the end of everything on the page.
    """
    from apprise.plugins.opsgenie import OPSGENIE_API_LOOKUP  # as in service.py

    url = f"{OPSGENIE_API_LOOKUP[address.region_name]}/{quote(message.incident, safe='')}/close"
    try:
        response = httpx.post(
            url,
            params={"identifierType": "alias"},
            headers={"Authorization": f"GenieKey {address.apikey}"},
            json={"source": "ccpay", "note": message.body},
            timeout=TIMEOUT_S,
            verify=trusted(),
        )
    except (httpx.HTTPError, ValueError) as error:
        # The latter is a key that no header can hold; its text would quote the key.
        return Sent(False, error=type(error).__name__)
    return judged(response)
