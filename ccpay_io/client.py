"""The signed, typed, read-only CCPayment v2 client.

Owns the eight read-only endpoints, how an answer or its absence becomes a model or an ApiError, and
retries, which sit above httpx so that each attempt is signed anew. Does not know feeds or the
warehouse. Called by the feed modules and by doctor.
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
from pydantic_core import from_json

from ccpay_io.answers import (
    read_coins,
    read_fee,
    read_list,
    read_prices,
    read_user,
    read_validity,
)
from ccpay_io.errors import (
    CODE_ERRORS,
    ApiError,
    ConnectFailed,
    CutBody,
    HttpStatusError,
    NotJson,
    NullData,
    Policy,
    TimedOut,
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
)
from ccpay_io.pacing import Pacer
from ccpay_io.redaction import Redactor
from ccpay_io.settings import Credentials
from ccpay_io.signing import CcpayAuth
from ccpay_io.transport import ReadOnlyTransport, network, policy_of_status, retry_after

SUCCESS = 10000
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
        self._auth = CcpayAuth(credentials, now=now)
        self._pacer = pacer
        self._timeout_s = timeout_s
        # A failing server or proxy likes to quote the request's headers back.
        secrets = (credentials.app_secret, credentials.app_id)
        self._redact = Redactor(secret.reveal() for secret in secrets).text
        self._gate = ReadOnlyTransport(transport or network(base_url, max_connections), base_url)
        self._http = httpx.AsyncClient(
            base_url=base_url.rstrip("/") + "/",
            auth=self._auth,
            transport=self._gate,
            timeout=timeout_s,
            headers=HEADERS,
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
    def requests(self) -> int:
        """HTTP requests sent so far, repetitions included."""
        return self._gate.sent

    @property
    def clock_skew_s(self) -> float:
        """Seconds that the API's clock is ahead of this machine's, as far as it was learned."""
        return self._auth.clock_skew_s

    async def get_chain_list(self, chains: Sequence[str] | None = None) -> Listed[Chain]:
        """All chains with their status, or those named (getChainList)."""
        parameters = {} if chains is None else {"chains": list(chains)}
        return await self._call(
            "getChainList",
            parameters,
            lambda e, d: read_list(e, d, "chains", Chain, "chain"),
        )

    async def get_fiat_list(self) -> Listed[Fiat]:
        """All fiats with their rate: units of the fiat per 1 US dollar (getFiatList)."""
        return await self._call(
            "getFiatList", {}, lambda e, d: read_list(e, d, "fiats", Fiat, "fiatId")
        )

    async def get_swap_coin_list(self) -> Listed[SwapCoin]:
        """The merchant's swappable coins (getSwapCoinList)."""
        return await self._call(
            "getSwapCoinList",
            {},
            lambda e, d: read_list(e, d, "coins", SwapCoin, "coinId"),
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
        # Without parameters the reference signs nothing, the SDKs `{}`, which is JSON as announced.
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
        response = await self._exchange(endpoint, body)
        try:
            result = read(endpoint, self._data(endpoint, response))
        except ApiError as error:
            error.retry_after_s = retry_after(response)
            raise
        except ValueError as error:
            wrong = WrongShape(endpoint, self._redact(str(error)), http_status=response.status_code)
            wrong.drift = tuple(one.redacted(self._redact) for one in getattr(error, "drift", ()))
            raise wrong from None
        self._pacer.answered()
        return result

    async def _exchange(self, endpoint: str, body: bytes) -> httpx.Response:
        """Sends one signed request; returns the whole response.

        httpx's own exceptions carry the request with its headers, so none is left as a cause.
        """
        try:
            async with asyncio.timeout(self._timeout_s):
                response = await self._http.post(endpoint, content=body)
        except (TimeoutError, httpx.TimeoutException):
            raise TimedOut(endpoint, f"no answer within {self._timeout_s:g} s") from None
        except (httpx.ConnectError, httpx.ProxyError) as error:
            raise ConnectFailed(endpoint, self._redact(str(error))) from None
        except httpx.HTTPError as error:
            detail = self._redact(f"{type(error).__name__}: {error}")
            raise CutBody(endpoint, detail) from None
        received = datetime.now(UTC)
        for one in (*response.history, response):
            self.on_exchange(Exchange(endpoint, body, one.status_code, one.content, received))
        log.debug("%s: HTTP %s, %s bytes", endpoint, response.status_code, len(response.content))
        return response

    def _data(self, endpoint: str, response: httpx.Response) -> object:
        """The `data` of a successful answer.

        Raises:
            ApiError: what came instead.
        """
        status, content = response.status_code, response.content
        try:
            answer = from_json(content)
        except ValueError:
            answer = None
        code = answer.get("code") if isinstance(answer, dict) else None
        # What a gateway says in JSON of its own ({"code": 429}) is about HTTP, not from the API.
        if status != 200 and code not in CODE_ERRORS:
            raise HttpStatusError(
                endpoint, f"HTTP {status}", http_status=status, policy=policy_of_status(status)
            )
        if not isinstance(answer, dict):
            start = self._redact(content[:200].decode("utf-8", "replace"))[:60]
            detail = f"it begins with {start!r}" if content else "empty"
            raise NotJson(endpoint, detail, http_status=status)
        if type(code) is not int or not 0 <= code < 2**31:
            raise WrongShape(endpoint, "the answer has no code", http_status=status)
        if code != SUCCESS:
            message = self._redact(str(answer.get("msg") or ""))
            raise error_for_code(endpoint, code, message, http_status=status)
        if answer.get("data") is None:
            raise NullData(endpoint, http_status=status)
        return answer["data"]


def _wait_before_retry(error: Exception) -> bool | float:
    """Whether to try again: after stamina's own backoff, or after what the server asked for."""
    if not isinstance(error, ApiError) or error.policy not in (Policy.RETRY, Policy.SLOW_DOWN):
        return False
    return min(error.retry_after_s, LONGEST_WAIT_S) if error.retry_after_s else True
