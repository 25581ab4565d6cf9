"""The client: what it sends, what becomes of each answer, and how often it asks again."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
import stamina

from ccpay_io.client import CcpayClient, Exchange
from ccpay_io.codes import CODE_ERRORS, RateLimit, ReqExpired
from ccpay_io.errors import (
    ApiError,
    BreakerOpen,
    BudgetExhausted,
    HttpStatusError,
    NotJson,
    NullData,
    Policy,
    UndocumentedCode,
    WrongShape,
)
from ccpay_io.pacing import Pacer
from ccpay_io.settings import Credentials, Secret

BASE_URL = "https://api.example/ccpayment/v2"
APP_ID, APP_SECRET = "made-up-app-id", "made-up-app-secret"
NOW = 1677152720.0
ATTEMPTS = 3

Call = Callable[[CcpayClient], Awaitable[object]]
Answer = httpx.Response | dict[str, Any] | bytes | Exception


def fee_call(client: CcpayClient) -> Awaitable[object]:
    """The call that most tests make."""
    return client.get_withdraw_fee(1280, "POLYGON")


def success(**data: object) -> dict[str, object]:
    """An answer with code 10000."""
    return {"code": 10000, "msg": "success", "data": data}


FEE = success(fee={"coinId": 1329, "coinSymbol": "MATIC", "amount": "0.0213814"})


def failure(code: object, msg: object = "no", **beside: object) -> dict[str, object]:
    """An answer with another code."""
    return {"code": code, "msg": msg, "data": None, **beside}


@dataclass
class Api:
    """The API as a strict fake: verifies each request, then gives the next answer."""

    answers: list[Answer]
    seen: list[tuple[str, bytes]] = field(default_factory=list)
    timestamps: list[str] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answers a correctly signed POST; a request too many is an error of the test."""
        timestamp = request.headers["Timestamp"]
        message = (APP_ID + timestamp).encode() + request.content
        wanted = hmac.new(APP_SECRET.encode(), message, hashlib.sha256).hexdigest()
        assert request.method == "POST"
        assert request.headers["Sign"] == wanted
        assert request.headers["Content-Type"] == "application/json"
        assert request.headers["User-Agent"] == "ccpay-warehouse"
        self.seen.append((request.url.path, request.content))
        self.timestamps.append(timestamp)
        if not self.answers:
            raise RuntimeError(f"unexpected request to {request.url}")
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, httpx.Response):
            return answer
        content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        return httpx.Response(200, content=content)


@dataclass
class Clock:
    """A clock that moves by itself, a step per look, and when somebody sleeps."""

    moment: float = NOW
    step: float = 1

    def __call__(self) -> float:
        """The time now."""
        self.moment += self.step
        return self.moment

    async def sleep(self, seconds: float) -> None:
        """Lets time pass."""
        self.moment += seconds


@dataclass
class Bench:
    """A client on a fake API, with everything that it leaves behind."""

    folder: Path
    clock: Clock = field(default_factory=Clock)
    exchanges: list[Exchange] = field(default_factory=list)

    @property
    def pacer(self) -> Pacer:
        """The limits of this bench; a new object on the same file."""
        return Pacer(
            self.folder / "limits.sqlite",
            credentials_key=APP_ID,
            daily_budget=1000,
            now=self.clock,
            sleep=self.clock.sleep,
        )

    def run(self, call: Call, *answers: Answer) -> tuple[object, Api, CcpayClient]:
        """Makes one call; returns its result, the API and the client."""
        api = Api(list(answers))
        client = CcpayClient(
            Credentials(Secret(APP_ID), Secret(APP_SECRET)),
            base_url=BASE_URL,
            pacer=self.pacer,
            transport=httpx.MockTransport(api),
            now=self.clock,
        )
        client.on_exchange = self.exchanges.append

        async def use() -> object:
            async with client:
                return await call(client)

        return asyncio.run(use()), api, client

    def error(self, *answers: Answer, call: Call = fee_call) -> ApiError:
        """The error of a call whose API gives these answers, all of which must be used."""
        given = list(answers)
        with pytest.raises(ApiError) as caught:
            self.run(call, *given)
        return caught.value


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A bench on which retries do not wait."""
    with stamina.set_testing(True, attempts=ATTEMPTS, cap=True):
        yield Bench(tmp_path)


CALLS: list[tuple[Call, str, bytes, dict[str, Any]]] = [
    (lambda c: c.get_chain_list(), "getChainList", b"{}", {"chains": []}),
    (
        lambda c: c.get_chain_list(["ETH", "POLYGON"]),
        "getChainList",
        b'{"chains":["ETH","POLYGON"]}',
        {"chains": []},
    ),
    (lambda c: c.get_fiat_list(), "getFiatList", b"{}", {"fiats": []}),
    (lambda c: c.get_swap_coin_list(), "getSwapCoinList", b"{}", {"coins": []}),
    (lambda c: c.get_coin_list(), "getCoinList", b"{}", {"coins": []}),
    (
        lambda c: c.get_coin_usdt_price([1280, 1]),
        "getCoinUSDTPrice",
        b'{"coinIds":[1280,1]}',
        {"prices": {}},
    ),
    (fee_call, "getWithdrawFee", b'{"coinId":1280,"chain":"POLYGON"}', FEE["data"]),  # type: ignore[list-item]
    (
        lambda c: c.check_withdrawal_address_validity("POLYGON", "0x43"),
        "checkWithdrawalAddressValidity",
        b'{"chain":"POLYGON","address":"0x43"}',
        {"addrIsValid": False},
    ),
    (
        lambda c: c.get_cwallet_user_id("9558861"),
        "getCwalletUserId",
        b'{"cwalletUserId":"9558861"}',
        {"cwalletUserId": "9558861", "cwalletUserName": "j***"},
    ),
]


@pytest.mark.parametrize(("call", "endpoint", "body", "data"), CALLS)
def test_each_method_asks_its_endpoint(
    bench: Bench, call: Call, endpoint: str, body: bytes, data: dict[str, Any]
) -> None:
    """One signed request goes to the method's endpoint, with exactly its parameters."""
    _, api, client = bench.run(call, success(**data))
    assert api.seen == [(f"/ccpayment/v2/{endpoint}", body)]
    assert client.requests == 1


def test_an_answer_becomes_a_model(bench: Bench) -> None:
    """A successful answer is a frozen model with exact amounts."""
    fee, _, _ = bench.run(fee_call, FEE)
    assert (fee.coin_symbol, fee.amount) == ("MATIC", Decimal("0.0213814"))  # type: ignore[attr-defined]


def requests_for(policy: Policy) -> int:
    """How many requests one call makes when every answer has this policy."""
    return ATTEMPTS if policy in (Policy.RETRY, Policy.SLOW_DOWN) else 1


@pytest.mark.parametrize("code", sorted(CODE_ERRORS))
def test_every_documented_code(bench: Bench, code: int) -> None:
    """A code ends in its own error, after as many requests as its policy allows and no more."""
    requests = requests_for(CODE_ERRORS[code].policy)
    error = bench.error(*[failure(code, "because")] * requests)
    assert type(error) is CODE_ERRORS[code]
    assert (error.endpoint, error.http_status) == ("getWithdrawFee", 200)
    assert str(error).startswith(f"getWithdrawFee: {code} ")
    assert "because" in str(error)
    assert len(bench.exchanges) == requests


@pytest.mark.parametrize("code", [11016, 13005, 14029, 17000])
def test_an_undocumented_code_is_asked_once(bench: Bench, code: int) -> None:
    """An undocumented code is not repeated."""
    error = bench.error(failure(code, "new"))
    assert type(error) is UndocumentedCode
    assert error.code == code


@pytest.mark.parametrize("endpoint_call", [call for call, *_ in CALLS])
def test_every_endpoint_fails_under_its_own_name(bench: Bench, endpoint_call: Call) -> None:
    """An error names the endpoint that was asked."""
    error = bench.error(failure(12002, "IP"), call=endpoint_call)
    assert f"/ccpayment/v2/{error.endpoint}" == httpx.URL(BASE_URL).path + "/" + error.endpoint
    assert error.endpoint in {endpoint for _, endpoint, _, _ in CALLS}


def test_a_failure_that_passes_is_forgotten(bench: Bench) -> None:
    """A call that succeeds at the third attempt succeeds, each attempt signed anew."""
    _, api, client = bench.run(fee_call, failure(11002), failure(11002), FEE)
    assert client.requests == 3
    assert len(set(api.timestamps)) == 3


def status(code: int, content: bytes = b"", **headers: str) -> httpx.Response:
    """A response with an HTTP status."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(code, content=content, headers=names)


@pytest.mark.parametrize(
    ("http_status", "policy"),
    [
        (204, Policy.FIX_ACCOUNT),
        (301, Policy.FIX_ACCOUNT),
        (400, Policy.FIX_ACCOUNT),
        (401, Policy.FIX_ACCOUNT),
        (403, Policy.FIX_ACCOUNT),
        (404, Policy.FIX_ACCOUNT),
        (408, Policy.RETRY),
        (429, Policy.SLOW_DOWN),
        (500, Policy.RETRY),
        (502, Policy.RETRY),
        (503, Policy.RETRY),
        (504, Policy.RETRY),
        (520, Policy.RETRY),
    ],
)
@pytest.mark.parametrize(
    "content", [b"", b"<html>busy</html>", b'{"code":429,"message":"x"}', b'{"code":10000}', b"[]"]
)
def test_every_http_status(bench: Bench, http_status: int, policy: Policy, content: bytes) -> None:
    """A status other than 200 is an HTTP failure, whatever a gateway writes in its body."""
    requests = requests_for(policy)
    error = bench.error(*[status(http_status, content) for _ in range(requests)])
    assert type(error) is HttpStatusError
    assert (error.http_status, error.policy, error.code) == (http_status, policy, None)
    assert str(error) == f"getWithdrawFee: HttpStatusError (HTTP {http_status})"


@pytest.mark.parametrize("http_status", [400, 403, 429, 500])
def test_a_documented_code_counts_under_any_status(bench: Bench, http_status: int) -> None:
    """The API's own code says more than the status that it comes with."""
    error = bench.error(status(http_status, json.dumps(failure(12002)).encode()))
    assert (error.code, error.http_status) == (12002, http_status)


def test_redirects_are_not_followed(bench: Bench) -> None:
    """A signed request is not carried to another address."""
    error = bench.error(status(307, Location="https://elsewhere.example/"))
    assert error.http_status == 307


@pytest.mark.parametrize(
    "content",
    [
        b"<!doctype html><html>Access denied</html>",
        b"",
        b"   ",
        b'{"code":10000,"msg":"success","data":{"fee":',
        b'{"code":10000,"data":{"x":"\xff"}}',
        b'{"code":10000,"data":{"x":"\\ud800"}}',
        b"[" * 100_000,
        b"null",
        b"5",
        b'"text"',
        b"[]",
        b"\x1f\x8b\x08\x00garbage",
    ],
)
def test_what_is_not_a_json_object(bench: Bench, content: bytes) -> None:
    """Anything but one whole JSON object is NotJson, and is asked again."""
    error = bench.error(*[content] * ATTEMPTS)
    assert type(error) is NotJson
    assert error.hint


def test_the_start_of_another_body_is_shown(bench: Bench) -> None:
    """The error quotes how the body begins, on one line."""
    error = bench.error(*[b"<html>\n\x1b[31m<title>Just a moment..."] * ATTEMPTS)
    assert "<html>" in str(error)
    assert "\x1b" not in str(error)
    assert "\n" not in str(error)


@pytest.mark.parametrize("code", [None, "10000", 10000.0, True, [], {}, -1, 2**31, 10**30])
def test_a_code_of_the_wrong_type(bench: Bench, code: object) -> None:
    """A code that is not a sensible integer is a wrong shape, never a success."""
    error = bench.error({**FEE, "code": code})
    assert type(error) is WrongShape


def test_an_answer_without_a_code(bench: Bench) -> None:
    """JSON without a code does not come from the API."""
    assert type(bench.error({"data": {}})) is WrongShape


@pytest.mark.parametrize("answer", [{"code": 10000}, {"code": 10000, "data": None}])
def test_success_without_data(bench: Bench, answer: dict[str, object]) -> None:
    """Success with null data is no answer, and is asked again."""
    assert type(bench.error(*[answer] * ATTEMPTS)) is NullData


@pytest.mark.parametrize("data", [[], "", 0, False, {"fee": None}, {"fee": {"amount": 1}}])
def test_data_of_the_wrong_type(bench: Bench, data: object) -> None:
    """Data that cannot be read exactly is a wrong shape; asking again would not change it."""
    error = bench.error({"code": 10000, "msg": "success", "data": data})
    assert type(error) is WrongShape
    assert "data" in str(error)


@pytest.mark.parametrize("msg", [None, 5, ["x"], {"a": 1}, "", "x" * 10_000, "a\nb\x00"])
def test_a_message_of_any_type(bench: Bench, msg: object) -> None:
    """Whatever stands for the message, the error has its code and one short line."""
    error = bench.error(failure(12000, msg))
    assert error.code == 12000
    assert len(str(error)) < 250
    assert str(error).isprintable()


def test_a_clock_that_is_off_is_corrected_and_reported(bench: Bench) -> None:
    """After 11006 the call succeeds with the server's time, and the skew can be read."""
    expired = httpx.Response(
        200,
        content=json.dumps(failure(11006)).encode(),
        headers={"Date": "Thu, 23 Feb 2023 12:45:20 GMT"},
    )
    _, api, client = bench.run(fee_call, expired, FEE)
    assert client.clock_skew_s == pytest.approx(3600, abs=10)
    assert int(api.timestamps[1]) - int(api.timestamps[0]) == pytest.approx(3600, abs=10)
    assert client.requests == 2
    assert [exchange.http_status for exchange in bench.exchanges] == [200, 200]


def test_a_clock_that_cannot_be_corrected(bench: Bench) -> None:
    """Without a Date header 11006 is an error that says to set the clock."""
    error = bench.error(failure(11006))
    assert type(error) is ReqExpired
    assert "clock" in error.hint


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"Retry_After": "7"}, 7),
        ({"Retry_After": "0"}, 0),
        (
            {
                "Retry_After": "Thu, 23 Feb 2023 12:45:30 GMT",
                "Date": "Thu, 23 Feb 2023 12:45:20 GMT",
            },
            10,
        ),
        ({"Retry_After": "Thu, 23 Feb 2023 12:45:30 GMT"}, None),
        ({"Retry_After": "soon"}, None),
        ({"Retry_After": "-5"}, None),
        ({"Retry_After": "٣"}, None),
        ({"Retry_After": "9" * 400}, 999_999_999),
        ({}, None),
    ],
)
def test_retry_after_is_understood(
    bench: Bench, headers: dict[str, str], wait: float | None
) -> None:
    """Retry-After counts in seconds or as a date by the server's own clock; nonsense is ignored."""
    response = httpx.Response(
        200,
        content=json.dumps(failure(11009)).encode(),
        headers=[
            (name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()
        ],
    )
    assert bench.error(response).retry_after_s == wait


def test_a_refusal_slows_the_pace(bench: Bench) -> None:
    """11004 lowers the pace that all processes share, by one lesson of 5 %."""
    bench.run(fee_call, failure(11004), FEE)
    assert bench.pacer.status().rate_rps == pytest.approx(9.5, rel=0.05)


@pytest.mark.parametrize("answer", [FEE, failure(13001)])
def test_answers_raise_the_pace(bench: Bench, answer: Answer) -> None:
    """Answers, refusals of a pair among them, let the pace rise while requests wait for it."""
    bench.clock.step = 0

    async def ask_ten_times(client: CcpayClient) -> None:
        for _ in range(10):
            with suppress(ApiError):
                await fee_call(client)

    bench.run(ask_ten_times, *[answer] * 10)
    assert bench.pacer.status().rate_rps == pytest.approx(10.9)


def test_a_ban_stops_everything(bench: Bench) -> None:
    """After 11014 no client makes a request, until somebody re-arms."""
    bench.error(failure(11014))
    error = bench.error()
    assert type(error) is BreakerOpen
    assert error.endpoint == "getWithdrawFee"
    bench.pacer.rearm()
    bench.run(fee_call, FEE)


def test_a_used_up_quota_stops_for_today(bench: Bench) -> None:
    """After 11009 nothing is asked until midnight UTC."""
    bench.error(failure(11009))
    assert type(bench.error()) is BudgetExhausted
    bench.clock.moment += 86_400
    bench.run(fee_call, FEE)


def test_every_exchange_is_told(bench: Bench) -> None:
    """Each response is told as it came, failures too, with what was asked."""
    bench.run(fee_call, failure(11002), FEE)
    assert [exchange.endpoint for exchange in bench.exchanges] == ["getWithdrawFee"] * 2
    assert bench.exchanges[0].request == b'{"coinId":1280,"chain":"POLYGON"}'
    assert json.loads(bench.exchanges[0].response)["code"] == 11002
    assert bench.exchanges[1].received_at.tzinfo is not None


def test_rate_limit_is_retried_after_the_wait_that_was_asked_for(tmp_path: Path) -> None:
    """Outside of tests' own mode, a retry waits at least as long as the server asks."""
    bench = Bench(tmp_path)
    limited = status(429, Retry_After="1")
    loop_time = asyncio.new_event_loop()
    started = loop_time.time()
    bench.run(fee_call, limited, FEE)
    assert loop_time.time() - started >= 0.9
    loop_time.close()


def test_rate_limit_error_carries_the_wait(bench: Bench) -> None:
    """A code with a Retry-After header carries both."""
    body = json.dumps(failure(11004)).encode()
    error = bench.error(*[status(429, body, Retry_After="3") for _ in range(ATTEMPTS)])
    assert type(error) is RateLimit
    assert error.retry_after_s == 3


def test_the_client_shows_no_secret(bench: Bench) -> None:
    """The client's repr has neither id nor secret."""
    _, _, client = bench.run(fee_call, FEE)
    assert APP_ID not in repr(client)
    assert APP_SECRET not in repr(client)
