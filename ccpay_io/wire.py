"""The real network below the gate: httpx's interface for a transport, on aiohttp's connections.

Owns connections, and which of httpx's errors each failure is. Made by client.py.

Why not httpx's own transport: its pool looks at every connection for every request. With 32 of them
that was 8 ms of CPU for a fee where aiohttp takes 0.5 (docs/decisions.md).
"""

from __future__ import annotations

import aiohttp
import httpx
from yarl import URL

from ccpay_io.transport import MAX_BODY, proxy_of, trusted

# Servers close what has been quiet for a while, some after five seconds; a request that is written
# to such a connection is lost. Within a sweep none is quiet for that long.
KEEP_S = 4.0
# The answer is unpacked by then, and its length is that of what was unpacked.
_NO_LONGER_TRUE = frozenset({b"content-encoding", b"content-length", b"transfer-encoding"})


class Wire(httpx.AsyncBaseTransport):
    """Sends requests over connections that are kept; within one event loop.

    Args:
        base_url: of the API; decides about the proxy.
        max_connections: kept open and used at the same time; further requests wait.
    """

    def __init__(self, base_url: str, max_connections: int) -> None:
        self._limit = max_connections
        self._proxy = proxy_of(base_url)
        self._urls: dict[httpx.URL, URL] = {}
        self._session: aiohttp.ClientSession | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Sends a request and reads the whole answer.

        Raises:
            httpx.HTTPError: there was none, or it is too long.
        """
        session = self._session or self._open()
        try:
            async with session.request(
                request.method,
                self._urls.get(request.url) or self._known(request.url),
                data=request.content,
                headers=[(name.decode(), value.decode()) for name, value in request.headers.raw],
                proxy=self._proxy,
                allow_redirects=False,
            ) as answer:
                content = await _whole(answer)
        except (aiohttp.ClientProxyConnectionError, aiohttp.ClientHttpProxyError) as error:
            raise httpx.ProxyError(str(error)) from None
        except aiohttp.ClientConnectorError as error:
            raise httpx.ConnectError(str(error)) from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise httpx.ReadError(f"{type(error).__name__}: {error}") from None
        headers = [h for h in answer.raw_headers if h[0].lower() not in _NO_LONGER_TRUE]
        return httpx.Response(answer.status, headers=headers, content=content)

    async def aclose(self) -> None:
        """Closes the connections."""
        if self._session is not None:
            await self._session.close()

    def _known(self, url: httpx.URL) -> URL:
        return self._urls.setdefault(url, URL(str(url), encoded=True))

    def _open(self) -> aiohttp.ClientSession:
        """A session belongs to the loop that runs, so it is opened by the first request."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=self._limit, ssl=trusted(), keepalive_timeout=KEEP_S
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            # The client has a deadline of its own, from the first byte to the last.
            timeout=aiohttp.ClientTimeout(total=None),
        )
        return self._session


async def _whole(answer: aiohttp.ClientResponse) -> bytes:
    """The body, unpacked; it breaks off, as if the connection had, when it is too long."""
    parts: list[bytes] = []
    size = 0
    async for part in answer.content.iter_any():
        size += len(part)
        if size > MAX_BODY:
            answer.close()
            raise httpx.ReadError(f"the answer is longer than {MAX_BODY} bytes")
        parts.append(part)
    return b"".join(parts)
