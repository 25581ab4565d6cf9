"""The canary of our own connectivity: whether it is us when the API cannot be reached.

Owns one connection to where CCPAY_HEARTBEAT_URL points. Nothing is asked for there, which would be
a sign of life. When even that fails, the API is not to blame, and the service that waits for the
heartbeat raises the alarm. Called by the collector.
"""

from __future__ import annotations

import asyncio

import httpx

from ccpay_io.errors import ApiError, ConnectFailed, OwnNetworkDown, TimedOut
from ccpay_io.settings import Settings
from ccpay_io.transport import proxy_of

TIMEOUT_S = 3.0
_PORTS = {"http": 80, "https": 443}


async def blame(error: ApiError | None, settings: Settings) -> ApiError | None:
    """Why a poll learned nothing: the error, or OwnNetworkDown where nothing can be reached."""
    if settings.heartbeat_url is None or not isinstance(error, ConnectFailed | TimedOut):
        return error
    if await _answers(settings.heartbeat_url.reveal()):
        return error
    return OwnNetworkDown(error.endpoint, f"{error.name}, and nothing else answers")


async def _answers(address: str) -> bool:
    # Where the way leads through a proxy, that is what this machine has to reach.
    url = httpx.URL(proxy_of(address) or address)
    try:
        async with asyncio.timeout(TIMEOUT_S):
            _, writer = await asyncio.open_connection(url.host, url.port or _PORTS[url.scheme])
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True
