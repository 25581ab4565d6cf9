from __future__ import annotations

import time
from typing import Any

import httpx
import pytest
from signed_caller import Caller

from ccpay_io.codes import CODE_ERRORS
from ccpay_io.sandbox.faults import Faults

ASKED: dict[str, Any] = {
    "getChainList": None,
    "getFiatList": None,
    "getSwapCoinList": None,
    "getCoinList": None,
    "getCoinUSDTPrice": {"coinIds": [1002, 1280]},
    "getWithdrawFee": {"coinId": 1280, "chain": "POLYGON"},
    "checkWithdrawalAddressValidity": {"chain": "TRX", "address": "x"},
    "getCwalletUserId": {"cwalletUserId": "9558861"},
}
LISTS = {"getChainList": "chains", "getFiatList": "fiats", "getCoinList": "coins"}
everywhere = pytest.mark.parametrize("endpoint", ASKED)


@pytest.mark.parametrize("code", [10001, *sorted(CODE_ERRORS), 11016, 17007])
def test_every_code_can_be_had(caller: Caller, faults: Faults, code: int) -> None:
    """Documented and undocumented codes come with HTTP 200, a message and no data."""
    faults.add(f"code:{code}")
    envelope = caller.ask("getChainList")
    assert (envelope["code"], envelope["data"]) == (code, None)
    assert envelope["msg"]


def test_a_code_can_have_a_message_of_its_own(caller: Caller, faults: Faults) -> None:
    """What follows the code is the message, verbatim."""
    faults.add("code:10001 call your account manager: 5 p.m.")
    assert caller.ask("getFiatList")["msg"] == "call your account manager: 5 p.m."


@everywhere
@pytest.mark.parametrize("status", [403, 429, 503])
def test_http_errors(caller: Caller, faults: Faults, endpoint: str, status: int) -> None:
    """A bare HTTP status without JSON, as a proxy in between would send."""
    faults.add(f"status:{status}", endpoint)
    answer = caller.post(endpoint, b"{}")
    assert (answer.status_code, answer.headers["Content-Type"][:10]) == (status, "text/plain")


@everywhere
@pytest.mark.parametrize("fault", ["html", "not_json"])
def test_answers_that_are_not_json(
    caller: Caller, faults: Faults, endpoint: str, fault: str
) -> None:
    """HTTP 200 with an HTML page or half a JSON object."""
    faults.add(fault, endpoint)
    answer = caller.post(endpoint, b"{}")
    assert answer.status_code == 200
    with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
        answer.json()


@everywhere
@pytest.mark.parametrize(
    ("fault", "error", "says"),
    [
        ("cut", httpx.RemoteProtocolError, "20 bytes, expected 100000"),
        ("reset", httpx.ReadError, "reset"),
    ],
)
def test_connections_break(
    caller: Caller,
    faults: Faults,
    endpoint: str,
    fault: str,
    error: type[Exception],
    says: str,
) -> None:
    """The connection goes in the middle of a body or before the first byte; the next one works."""
    faults.add(fault, endpoint, times=1)
    with pytest.raises(error, match=says):
        caller.post(endpoint, b"{}")
    assert caller.ask(endpoint, ASKED[endpoint])["code"] == 10000


def test_broken_connections_are_not_reported_as_failures(
    caller: Caller, faults: Faults, capfd: pytest.CaptureFixture[str]
) -> None:
    """The sandbox prints nothing about a fault that was asked for."""
    for fault in ("cut", "reset"):
        faults.add(fault, times=1)
        with pytest.raises(httpx.TransportError):
            caller.post("getFiatList")
    assert caller.ask("getFiatList")["code"] == 10000
    assert capfd.readouterr() == ("", "")


@everywhere
def test_answers_can_be_slow(caller: Caller, faults: Faults, endpoint: str) -> None:
    """The right answer, late."""
    faults.add("slow:0.1", endpoint)
    before = time.perf_counter()
    assert caller.ask(endpoint, ASKED[endpoint])["code"] == 10000
    assert 0.1 <= time.perf_counter() - before < 2


@everywhere
def test_data_can_be_null(caller: Caller, faults: Faults, endpoint: str) -> None:
    """Success without data."""
    faults.add("null", endpoint)
    assert caller.ask(endpoint, ASKED[endpoint]) == {"code": 10000, "msg": "success", "data": None}


@pytest.mark.parametrize(("endpoint", "listed"), LISTS.items())
def test_lists_can_be_empty_or_half(
    caller: Caller, faults: Faults, endpoint: str, listed: str
) -> None:
    """An outage dressed up as success: no items, or the same half of them each time."""
    whole = len(caller.data(endpoint)[listed])
    faults.add("empty", times=1)
    assert caller.data(endpoint) == {listed: []}
    faults.add("half", times=2)
    one, other = ({str(i) for i in caller.data(endpoint)[listed]} for _ in range(2))
    assert len(one) == whole // 2
    assert len(one ^ other) <= len(one) // 10  # prices may move in between
    assert len(caller.data(endpoint)[listed]) == whole


def test_prices_and_fees_can_be_empty_too(caller: Caller, faults: Faults) -> None:
    """An answer that holds an object instead of a list loses what is in the object."""
    faults.add("empty")
    assert caller.data("getCoinUSDTPrice", ASKED["getCoinUSDTPrice"]) == {"prices": {}}
    assert caller.data("getWithdrawFee", ASKED["getWithdrawFee"]) == {"fee": {}}


def test_every_chain_can_have_another_status(caller: Caller, faults: Faults) -> None:
    """The other spelling, or a word that nobody has seen, on all chains at once."""
    faults.add("status_word:Maintain", "getChainList")
    assert {c["status"] for c in caller.data("getChainList")["chains"]} == {"Maintain"}


@pytest.mark.parametrize(
    ("endpoint", "fault", "where", "value"),
    [
        ("getWithdrawFee", "set:amount=0.5", ("fee", "amount"), 0.5),
        ("getWithdrawFee", 'set:amount="1e-7"', ("fee", "amount"), "1e-7"),
        ("getWithdrawFee", "set:fee=[]", ("fee",), []),
        ("getChainList", "set:newField={}", ("chains", 0, "newField"), {}),
        ("getChainList", "set:chains=null", ("chains",), None),
        ("getFiatList", "set:usdRate=null", ("fiats", 0, "usdRate"), None),
        ("getCoinUSDTPrice", "set:1002=-1", ("prices", "1002"), -1),
        ("checkWithdrawalAddressValidity", 'set:addrIsValid="yes"', ("addrIsValid",), "yes"),
        ("getCwalletUserId", "set:cwalletUserId=5", ("cwalletUserId",), 5),
    ],
)
def test_any_field_can_be_set(
    caller: Caller, faults: Faults, endpoint: str, fault: str, where: tuple[Any, ...], value: Any
) -> None:
    """Wrong types, new fields and impossible values, at the top of data or inside it."""
    faults.add(fault, endpoint)
    found: Any = caller.data(endpoint, ASKED[endpoint])
    for step in where:
        found = found[step]
    assert found == value


def test_headers_can_come_back_in_an_error_page(caller: Caller, faults: Faults) -> None:
    """The nastiest proxy: its error page shows what was sent, signature included."""
    faults.add("echo")
    answer = caller.post("getFiatList")
    assert answer.status_code == 500
    assert answer.request.headers["Sign"] in answer.text


@everywhere
def test_a_request_without_a_signature_gets_no_fault(
    caller: Caller, faults: Faults, endpoint: str
) -> None:
    """Faults come after the signature, so that a bad signature is never mistaken for one."""
    faults.add("null", times=1)
    assert caller.ask(endpoint, secret="forged")["code"] == 11005
    assert caller.ask(endpoint, ASKED[endpoint])["data"] is None


def test_faults_over_http(caller: Caller, faults: Faults) -> None:
    """The admin endpoint adds, lists and clears faults, for programs in any language."""
    admin = caller.admin_url + "/admin/faults"
    fault = {
        "endpoint": "getWithdrawFee",
        "match": {"chain": "POLYGON"},
        "fault": "code:14004",
        "times": 1,
    }
    assert caller.http.post(admin, json=fault).json() == [fault]
    codes = [
        caller.ask("getWithdrawFee", {"coinId": 1280, "chain": chain})["code"]
        for chain in ("TRX", "POLYGON", "POLYGON")
    ]
    assert codes == [10000, 14004, 10000]
    assert caller.http.get(admin).json() == [{**fault, "times": 0}]
    assert caller.http.delete(admin).json() == []
    assert faults.active == []


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b'{"fault": "explode"}', b'{"fault": "null", "often": 2}', b"{}"]
)
def test_faults_that_do_not_exist_are_explained(caller: Caller, body: bytes) -> None:
    """A 400 with a reason, and nothing is put in force."""
    answer = caller.http.post(caller.admin_url + "/admin/faults", content=body)
    assert answer.status_code == 400
    assert answer.json()["detail"]
    assert caller.http.get(caller.admin_url + "/admin/faults").json() == []
