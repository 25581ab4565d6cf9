"""The last gate before the network: eight read-only paths of one address.

Owns the list of endpoints that exist for this tool, the count of what was really sent, trusted
certificates, the proxy that the environment names, and what statuses and headers mean. A payout
cannot be made even by mistake, whatever a caller does. The network itself is wire.py. Called by
client.py, wire.py and whatever else of this tool speaks HTTP.
"""

from __future__ import annotations

import ssl
from functools import cache
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

from ccpay_io.errors import Policy
from ccpay_io.loopback import is_loopback
from ccpay_io.signing import http_date

ENDPOINTS = frozenset(
    {
        "getChainList",
        "getFiatList",
        "getSwapCoinList",
        "getCoinList",
        "getCoinUSDTPrice",
        "getWithdrawFee",
        "checkWithdrawalAddressValidity",
        "getCwalletUserId",
    }
)

# The largest real answer (getCoinList) has about one megabyte.
MAX_BODY = 16 * 1024 * 1024


class ReadOnlyTransport(httpx.AsyncBaseTransport):
    """Lets only the eight read-only endpoints of one base address through.

    Attributes:
        sent: requests passed on so far.
    """

    def __init__(self, inner: httpx.AsyncBaseTransport, base_url: str) -> None:
        base = httpx.URL(base_url)
        self.sent = 0
        self._inner = inner
        self._origin = (base.scheme, base.host, base.port)
        self._paths = {f"{base.path.rstrip('/')}/{name}" for name in ENDPOINTS}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Passes an allowed request on.

        Raises:
            PermissionError: any other path, host or method; nothing was sent.
        """
        url = request.url
        origin = (url.scheme, url.host, url.port)
        if request.method != "POST" or origin != self._origin or url.path not in self._paths:
            raise PermissionError(f"{url.path} is not a read-only endpoint; nothing was sent")
        self.sent += 1
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        """Closes the inner transport."""
        await self._inner.aclose()


@cache
def trusted() -> ssl.SSLContext:
    """The certificates that are trusted: reading them takes 30 ms, so a process does it once."""
    return httpx.create_ssl_context()


def proxy_of(base_url: str) -> str | None:
    """The proxy that the environment (HTTPS_PROXY, NO_PROXY) names for an address, if any.

    A proxy is how machines without a fixed address meet CCPayment's IP whitelist. A loopback
    address is never asked through one.
    """
    url = urlsplit(base_url)
    host = url.hostname or ""
    direct = is_loopback(host) or proxy_bypass(host)
    return None if direct else getproxies().get(url.scheme)


def policy_of_status(status: int) -> Policy:
    """What to do about an HTTP status other than 200."""
    if status == 429:
        return Policy.SLOW_DOWN
    return Policy.RETRY if status >= 500 or status in (408, 425) else Policy.FIX_ACCOUNT


def retry_after(response: httpx.Response) -> float | None:
    """Seconds that the server asked to wait; a date is taken relative to the server's own clock."""
    text = response.headers.get("Retry-After", "")
    if text.isascii() and text.isdecimal():
        return float(text[:9])
    until, served = http_date(text), http_date(response.headers.get("Date", ""))
    return None if until is None or served is None else max(0.0, until - served)
