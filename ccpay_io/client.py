"""The signed, typed, read-only CCPayment v2 client.

Owns how the calls of calls.py are made over HTTP, what the absence of a response becomes, and
retries, which sit above httpx so that each attempt is signed anew. What a response says is read by
envelope.py and answers.py. Does not know feeds or the warehouse. Called by the feed modules and by
doctor.

httpx's requests, responses, authentication and transports are used without its client: what that
adds for each request (merged addresses, cookies, redirects) is nothing that this API has, and half
of the time that a fee takes.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
import stamina

from ccpay_io.calls import Calls
from ccpay_io.envelope import read_answer
from ccpay_io.errors import (
    ApiError,
    BreakerOpen,
    BudgetExhausted,
    ConnectFailed,
    CutBody,
    Policy,
    TimedOut,
)
from ccpay_io.pacing import Pacer, PacerStatus
from ccpay_io.redaction import Redactor
from ccpay_io.settings import Credentials
from ccpay_io.signing import CcpayAuth
from ccpay_io.transport import ENDPOINTS, ReadOnlyTransport, retry_after

ATTEMPTS = 3
TIMEOUT_S = 20.0
# A server may ask for any pause; beyond this the poll is better given up and made anew.
LONGEST_WAIT_S = 30.0
# Bodies are small: without compression there is nothing to unpack that could be a bomb.
HEADERS = {
    "Accept-Encoding": "identity",
    "Content-Type": "application/json",
    "User-Agent": "ccpay-warehouse",
}

# What a call can end with that is no response of a server.
_SILENCES = (TimedOut, ConnectFailed, CutBody, BreakerOpen, BudgetExhausted)

_encode = json.JSONEncoder(separators=(",", ":")).encode

T = TypeVar("T")
log = logging.getLogger("ccpay.client")


@dataclass(frozen=True)
class Exchange:
    """One HTTP exchange that produced a response, kept for the raw record.

    Attributes:
        request: the body that was signed and sent; headers are not kept.
        response: the body as received, also of a failure.
        call: number of the call; its exchanges are the first attempt and the repetitions.
    """

    endpoint: str
    request: bytes
    http_status: int
    response: bytes
    received_at: datetime
    call: int = 0


@dataclass(frozen=True)
class Silence:
    """A call whose last attempt had no response at all, kept for the raw record.

    Attributes:
        error: what the caller was told instead.
        ended_at: when it was given up.
        call: as in `Exchange`.
    """

    endpoint: str
    request: bytes
    error: ApiError
    ended_at: datetime
    call: int


class CcpayClient(Calls):
    """A client for one account; use as `async with`, within one event loop.

    Args:
        credentials: of the merchant's app.
        base_url: "https://ccpayment.com/ccpayment/v2".
        pacer: the shared pace, budget and breaker.
        transport: instead of a real network.
        max_connections: kept open and used at the same time.
        timeout_s: for one attempt, from the first byte sent to the last received.
        now: seconds since the epoch, for signatures.

    Attributes:
        on_exchange: told every exchange that produced a response.
        on_silence: told every call that ended without one.
    """

    def __init__(
        self,
        credentials: Credentials,
        *,
        base_url: str,
        pacer: Pacer,
        transport: httpx.AsyncBaseTransport | None = None,
        max_connections: int = 8,
        timeout_s: float = TIMEOUT_S,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.on_exchange: Callable[[Exchange], None] = lambda exchange: None
        self.on_silence: Callable[[Silence], None] = lambda silence: None
        self._calls = 0
        self._auth = CcpayAuth(credentials, now=now)
        self._pacer = pacer
        self._timeout_s = timeout_s
        # A failing server or proxy likes to quote the request's headers back.
        secrets = (credentials.app_secret, credentials.app_id)
        self._redact = Redactor(secret.reveal() for secret in secrets if secret).text
        if transport is None:
            from ccpay_io.wire import Wire  # a quarter of a second of CPU

            transport = Wire(base_url, max_connections)
        self._gate = ReadOnlyTransport(transport, base_url)
        base = httpx.URL(base_url.rstrip("/") + "/")
        self._urls = {endpoint: base.join(endpoint) for endpoint in ENDPOINTS}
        self._headers = httpx.Headers({"Host": base.netloc.decode(), **HEADERS})
        self._host = base.host

    def __repr__(self) -> str:
        return f"CcpayClient({self._host}, requests={self.requests})"

    async def __aenter__(self) -> Self:
        await self._gate.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            self._pacer.settle()
        finally:
            await self._gate.__aexit__(kind, error, traceback)

    @property
    def requests(self) -> int:
        """HTTP requests sent so far, repetitions included."""
        return self._gate.sent

    @property
    def clock_skew_s(self) -> float:
        """Seconds that the API's clock is ahead of this machine's, as far as it was learned."""
        return self._auth.clock_skew_s

    def limits(self) -> PacerStatus:
        """Pace, budget and breaker of this account, over all processes."""
        return self._pacer.status()

    async def _call(
        self, endpoint: str, parameters: Mapping[str, Any], read: Callable[[str, object], T]
    ) -> T:
        """Asks an endpoint, again where its policy says so, and reads the answer.

        Raises:
            ApiError: the last attempt's.
        """
        # Without parameters the reference signs nothing, the SDKs `{}`, which is JSON as announced.
        body = _encode(parameters).encode()
        self._calls += 1
        call = self._calls
        try:
            return await self._with_retries(endpoint, body, call, read)
        except _SILENCES as error:
            self.on_silence(Silence(endpoint, body, error, datetime.now(UTC), call))
            raise

    async def _with_retries(
        self, endpoint: str, body: bytes, call: int, read: Callable[[str, object], T]
    ) -> T:
        # The first attempt is made outside: preparing to retry takes longer than reading a fee.
        try:
            return await self._paced(endpoint, body, call, read)
        except ApiError as error:
            if not _wait_before_retry(error):
                raise
            failed: ApiError | None = error
        async for attempt in stamina.retry_context(
            on=_wait_before_retry, attempts=ATTEMPTS, timeout=None, wait_initial=0.5, wait_max=5
        ):
            with attempt:
                if failed is not None:
                    first, failed = failed, None
                    raise first
                return await self._paced(endpoint, body, call, read)
        raise AssertionError("unreachable: retry_context returns or raises")

    async def _paced(
        self, endpoint: str, body: bytes, call: int, read: Callable[[str, object], T]
    ) -> T:
        await self._pacer.acquire(endpoint)
        try:
            return await self._attempt(endpoint, body, call, read)
        except ApiError as error:
            self._pacer.failed(error)
            raise

    async def _attempt(
        self, endpoint: str, body: bytes, call: int, read: Callable[[str, object], T]
    ) -> T:
        response = await self._exchange(endpoint, body, call)
        try:
            status, content = response.status_code, response.content
            result = read_answer(endpoint, status, content, read, self._redact)
        except ApiError as error:
            error.retry_after_s = retry_after(response)
            raise
        self._pacer.answered()
        return result

    async def _exchange(self, endpoint: str, body: bytes, call: int) -> httpx.Response:
        """Sends one signed request; returns the whole response.

        httpx's own exceptions carry the request with its headers, so none is left as a cause.
        """
        try:
            async with asyncio.timeout(self._timeout_s):
                responses = await self._signed(endpoint, body)
        except (TimeoutError, httpx.TimeoutException):
            raise TimedOut(endpoint, f"no answer within {self._timeout_s:g} s") from None
        except (httpx.ConnectError, httpx.ProxyError) as error:
            raise ConnectFailed(endpoint, self._redact(str(error))) from None
        except httpx.HTTPError as error:
            detail = self._redact(f"{type(error).__name__}: {error}")
            raise CutBody(endpoint, detail) from None
        received = datetime.now(UTC)
        for one in responses:
            self.on_exchange(Exchange(endpoint, body, one.status_code, one.content, received, call))
        log.debug("%s: HTTP %s, %s bytes", endpoint, one.status_code, len(one.content))
        return one

    async def _signed(self, endpoint: str, body: bytes) -> list[httpx.Response]:
        """The response to a signed request; two, when it had to be signed once more."""
        stream = httpx.ByteStream(body)
        request = httpx.Request("POST", self._urls[endpoint], headers=self._headers, stream=stream)
        request.read()
        responses: list[httpx.Response] = []
        flow = self._auth.auth_flow(request)
        request = next(flow)
        while True:
            response = await self._gate.handle_async_request(request)
            await response.aread()
            responses.append(response)
            try:
                request = flow.send(response)
            except StopIteration:
                return responses


def _wait_before_retry(error: Exception) -> bool | float:
    """Whether to try again: after stamina's own backoff, or after what the server asked for."""
    if not isinstance(error, ApiError) or error.policy not in (Policy.RETRY, Policy.SLOW_DOWN):
        return False
    return min(error.retry_after_s, LONGEST_WAIT_S) if error.retry_after_s else True
