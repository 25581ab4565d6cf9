"""The signed, typed, read-only CCPayment v2 client.

Owns the eight read-only endpoints, how an answer or its absence becomes a model or an ApiError, and
retries, which sit above httpx so that each attempt is signed anew. Does not know feeds or the
warehouse. Called by the feed modules and by doctor.

Nothing but these eight paths can be requested, whatever a caller does: a payout cannot be made even
by mistake.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
import stamina

from ccpay_io.errors import (
    ApiError,
    ConnectFailed,
    CutBody,
    HttpStatusError,
    NotJson,
    NullData,
    Policy,
    TimedOut,
    TransportError,
    WrongShape,
    error_for_code,
)
from ccpay_io.models import (
    AddressValidity,
    Chain,
    Coin,
    CoinPrices,
    CwalletUser,
    Fiat,
    Listed,
    SwapCoin,
    WithdrawFee,
    read_coins,
    read_fee,
    read_list,
    read_prices,
    read_user,
    read_validity,
)
from ccpay_io.pacing import Pacer
from ccpay_io.settings import Credentials
from ccpay_io.signing import CcpayAuth

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

SUCCESS = 10000
ATTEMPTS = 3
TIMEOUT_S = 20.0
# A server may ask for any pause; beyond this the poll is better given up and made anew.
LONGEST_WAIT_S = 30.0
# The largest real answer (getCoinList) has about one megabyte.
MAX_BODY = 32 * 1024 * 1024

T = TypeVar("T")
log = logging.getLogger("ccpay.client")


@dataclass(frozen=True)
class Exchange:
    """One HTTP exchange that produced a response, kept for the raw record.

    Attributes:
        request: the body that was signed and sent; headers are not kept.
        response: the body as received, also of a failure.
    """

    endpoint: str
    request: bytes
    http_status: int
    response: bytes
    received_at: datetime


class ReadOnlyTransport(httpx.AsyncBaseTransport):
    """Lets only the eight read-only endpoints of one base address through."""

    def __init__(self, inner: httpx.AsyncBaseTransport, base_url: str) -> None:
        base = httpx.URL(base_url)
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
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        """Closes the inner transport."""
        await self._inner.aclose()


class CcpayClient:
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
        requests: HTTP requests sent so far, repetitions included.
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
        self.requests = 0
        self._auth = CcpayAuth(credentials, now=now)
        self._pacer = pacer
        self._timeout_s = timeout_s
        limits = httpx.Limits(
            max_connections=max_connections, max_keepalive_connections=max_connections
        )
        self._http = httpx.AsyncClient(
            base_url=base_url.rstrip("/") + "/",
            auth=self._auth,
            transport=ReadOnlyTransport(
                transport or httpx.AsyncHTTPTransport(limits=limits), base_url
            ),
            timeout=timeout_s,
            headers={"Content-Type": "application/json", "User-Agent": "ccpay-warehouse"},
            follow_redirects=False,
        )

    def __repr__(self) -> str:
        return f"CcpayClient({self._http.base_url.host}, requests={self.requests})"

    async def __aenter__(self) -> Self:
        await self._http.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._http.__aexit__(kind, error, traceback)

    @property
    def clock_skew_s(self) -> float:
        """Seconds that the API's clock is ahead of this machine's, as far as it was learned."""
        return self._auth.clock_skew_s

    async def get_chain_list(self, chains: Sequence[str] | None = None) -> Listed[Chain]:
        """All chains with their status, or those named (getChainList)."""
        parameters = {} if chains is None else {"chains": list(chains)}
        return await self._call(
            "getChainList", parameters, lambda e, d: read_list(e, d, "chains", Chain, "chain")
        )

    async def get_fiat_list(self) -> Listed[Fiat]:
        """All fiats with their rate: units of the fiat per 1 US dollar (getFiatList)."""
        return await self._call(
            "getFiatList", {}, lambda e, d: read_list(e, d, "fiats", Fiat, "fiatId")
        )

    async def get_swap_coin_list(self) -> Listed[SwapCoin]:
        """The merchant's swappable coins (getSwapCoinList)."""
        return await self._call(
            "getSwapCoinList", {}, lambda e, d: read_list(e, d, "coins", SwapCoin, "coinId")
        )

    async def get_coin_list(self) -> Listed[Coin]:
        """Every token enabled for the merchant, with networks and price (getCoinList)."""
        return await self._call("getCoinList", {}, read_coins)

    async def get_coin_usdt_price(self, coin_ids: Sequence[int]) -> CoinPrices:
        """Prices in US dollars of these coins (getCoinUSDTPrice)."""
        return await self._call("getCoinUSDTPrice", {"coinIds": list(coin_ids)}, read_prices)

    async def get_withdraw_fee(self, coin_id: int, chain: str) -> WithdrawFee:
        """The network fee of paying out a coin on a chain, in the fee coin (getWithdrawFee)."""
        return await self._call("getWithdrawFee", {"coinId": coin_id, "chain": chain}, read_fee)

    async def check_withdrawal_address_validity(self, chain: str, address: str) -> AddressValidity:
        """Whether an address can receive on a chain (checkWithdrawalAddressValidity)."""
        return await self._call(
            "checkWithdrawalAddressValidity", {"chain": chain, "address": address}, read_validity
        )

    async def get_cwallet_user_id(self, cwallet_user_id: str) -> CwalletUser:
        """The masked user name of a Cwallet id (getCwalletUserId)."""
        return await self._call("getCwalletUserId", {"cwalletUserId": cwallet_user_id}, read_user)

    async def _call(
        self, endpoint: str, parameters: Mapping[str, Any], read: Callable[[str, object], T]
    ) -> T:
        """Asks an endpoint, again where its policy says so, and reads the answer.

        Raises:
            ApiError: the last attempt's.
        """
        # The reference signs an empty body for calls without parameters, the vendor's SDKs `{}`.
        # Both are valid; `{}` is the one that fits the Content-Type that goes with it.
        body = json.dumps(parameters, separators=(",", ":")).encode()
        async for attempt in stamina.retry_context(
            on=_wait_before_retry, attempts=ATTEMPTS, timeout=None, wait_initial=0.5, wait_max=5
        ):
            with attempt:
                await self._pacer.acquire(endpoint)
                try:
                    return await self._attempt(endpoint, body, read)
                except ApiError as error:
                    self._pacer.failed(error)
                    raise
        raise AssertionError("unreachable: retry_context returns or raises")

    async def _attempt(self, endpoint: str, body: bytes, read: Callable[[str, object], T]) -> T:
        status, content, retry_after = await self._exchange(endpoint, body)
        answer = _decode(endpoint, status, content, retry_after)
        code = answer.get("code")
        if not isinstance(code, int) or isinstance(code, bool):
            raise WrongShape(endpoint, "the answer has no code", http_status=status)
        if code != SUCCESS:
            error = error_for_code(endpoint, code, str(answer.get("msg", "")), http_status=status)
            error.retry_after_s = retry_after
            raise error
        if answer.get("data") is None:
            raise NullData(endpoint, http_status=status)
        try:
            result = read(endpoint, answer["data"])
        except ValueError as error:
            raise WrongShape(endpoint, str(error), http_status=status) from None
        self._pacer.answered()
        return result

    async def _exchange(self, endpoint: str, body: bytes) -> tuple[int, bytes, float | None]:
        """Sends one signed request; returns status, body and Retry-After.

        httpx's own exceptions carry the request with its headers, so none is left as a cause.
        """
        try:
            async with asyncio.timeout(self._timeout_s):
                self.requests += 1
                response = await self._http.post(endpoint, content=body)
                self.requests += len(response.history)
        except (TimeoutError, httpx.TimeoutException):
            raise TimedOut(endpoint, f"no answer within {self._timeout_s:.0f} s") from None
        except httpx.ConnectError as error:
            raise ConnectFailed(endpoint, str(error)) from None
        except httpx.HTTPError as error:
            raise CutBody(endpoint, f"{type(error).__name__}: {error}") from None
        received = datetime.now(UTC)
        for one in (*response.history, response):
            self.on_exchange(Exchange(endpoint, body, one.status_code, one.content, received))
        log.debug("%s: HTTP %s, %s bytes", endpoint, response.status_code, len(response.content))
        return response.status_code, response.content, _retry_after(response)


def _decode(
    endpoint: str, status: int, content: bytes, retry_after: float | None
) -> dict[str, Any]:
    """The JSON object of a response, or the error that says what came instead."""
    try:
        answer = json.loads(content) if len(content) <= MAX_BODY else None
    except (ValueError, RecursionError):
        answer = None
    if isinstance(answer, dict) and ("code" in answer or status == 200):
        return answer
    if status != 200:
        error = HttpStatusError(
            endpoint, f"HTTP {status}", http_status=status, retry_after_s=retry_after
        )
        error.policy = Policy.SLOW_DOWN if status == 429 else _policy_of_status(status)
        raise error
    start = content[:60].decode("utf-8", "replace")
    raise NotJson(endpoint, f"it begins with {start!r}" if content else "empty", http_status=status)


def _policy_of_status(status: int) -> Policy:
    return Policy.RETRY if status >= 500 or status in (408, 425) else Policy.FIX_ACCOUNT


def _retry_after(response: httpx.Response) -> float | None:
    """Seconds that the server asked to wait; only the form in seconds is understood."""
    text = response.headers.get("Retry-After", "")
    return float(text) if text.isdecimal() else None


def _wait_before_retry(error: Exception) -> bool | float:
    """stamina's question: try again? After its own backoff, or after what the server asked for."""
    if not isinstance(error, ApiError):
        return False
    if isinstance(error, TransportError) and error.policy is Policy.REFUSE:
        return False
    if error.policy not in (Policy.RETRY, Policy.SLOW_DOWN):
        return False
    if error.retry_after_s is None:
        return True
    return min(error.retry_after_s, LONGEST_WAIT_S) if error.retry_after_s else True
