from __future__ import annotations

import time
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from signed_caller import Caller, sign

from ccpay_io.sandbox import EMPTY_APP_ID, SANDBOX_APP_ID, serving
from ccpay_io.sandbox.faults import Faults
from ccpay_io.sandbox.server import build_app
from ccpay_io.sandbox.world import World

ENDPOINTS = {
    "getChainList": None,
    "getFiatList": None,
    "getSwapCoinList": None,
    "getCoinList": None,
    "getCoinUSDTPrice": {"coinIds": [1002, 1280]},
    "getWithdrawFee": {"coinId": 1280, "chain": "POLYGON"},
    "checkWithdrawalAddressValidity": {"chain": "TRX", "address": "x"},
    "getCwalletUserId": {"cwalletUserId": "9558861"},
}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", "c63d899b2e79943182dee529ca66d9abb21fafea205351419715460197856821"),
        (b"{}", "ac60197d24de1731241e7ad3b360fcb9568b7beb9903a48548596e25467add82"),
        (
            b'{"coinId":1280,"chain":"POLYGON"}',
            "bc3e035aee7f325d095928acb7f163c3f8e6b55989ddd834c73d7e00177aba2c",
        ),
    ],
)
def test_the_caller_signs_like_the_reference(body: bytes, expected: str) -> None:
    """The signature that these tests send is the published one for the published vectors."""
    app_id = "202302010636261620672405236006912"
    assert sign(app_id, "ccpay-test-secret", "1677152720", body) == expected


@pytest.mark.parametrize("body", [b"", b"{}", b"{ }\n", '{"unused": "ü"}'.encode()])
def test_any_correctly_signed_body_is_accepted(caller: Caller, body: bytes) -> None:
    """What counts is the signature over the bytes received: empty, `{}`, odd spacing all pass."""
    answer = caller.post("getChainList", body)
    assert (answer.status_code, answer.json()["code"]) == (200, 10000)


@pytest.mark.parametrize("spelling", ["Appid", "AppId", "APPID"])
def test_header_names_are_case_insensitive(caller: Caller, spelling: str) -> None:
    """The vendor's samples write Appid and AppId."""
    stamp = str(int(time.time()))
    answer = caller.http.post(
        caller.base_url + "/getFiatList",
        headers={
            spelling: SANDBOX_APP_ID,
            "SIGN": sign(SANDBOX_APP_ID, "sandbox-secret-that-opens-nothing-else", stamp, b""),
            "timestamp": stamp,
        },
    )
    assert answer.json()["code"] == 10000


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ({"secret": "wrong"}, 11005),
        ({"changed": {"Sign": "é"}}, 11005),
        ({"changed": {"Sign": ""}}, 11005),
        ({"app_id": "nobody"}, 12001),
        ({"changed": {"Appid": ""}}, 12001),
        ({"timestamp": "1677152720"}, 11006),
        ({"timestamp": str(int(time.time()) * 1000)}, 11001),
        ({"timestamp": "soon"}, 11001),
    ],
)
def test_requests_that_are_not_signed_right_are_refused(
    caller: Caller, how: dict[str, Any], code: int
) -> None:
    """Each thing that can be wrong with the headers has its code, in an answer with HTTP 200."""
    envelope = caller.ask("getChainList", **how)
    assert (envelope["code"], envelope["data"]) == (code, None)


def test_a_body_changed_under_way_is_refused(caller: Caller) -> None:
    """A signature of other bytes does not open anything."""
    stamp = str(int(time.time()))
    wrong = sign(SANDBOX_APP_ID, "sandbox-secret-that-opens-nothing-else", stamp, b"{}")
    assert caller.ask("getChainList", timestamp=stamp, changed={"Sign": wrong})["code"] == 11005


@pytest.mark.parametrize("seconds", [-100, 100])
def test_a_clock_off_by_less_than_two_minutes_is_good_enough(caller: Caller, seconds: int) -> None:
    """A timestamp is valid for two minutes either way."""
    stamp = str(int(time.time()) + seconds)
    assert caller.ask("getChainList", timestamp=stamp)["code"] == 10000


def test_refusals_tell_the_time(caller: Caller) -> None:
    """A client whose clock is off can learn the right time from the refusal's Date header."""
    answer = caller.post("getChainList", timestamp="1677152720")
    assert abs(parsedate_to_datetime(answer.headers["Date"]).timestamp() - time.time()) <= 2


@pytest.mark.parametrize(
    ("endpoint", "arguments", "code"),
    [
        ("getChainList", [], 11000),
        ("getChainList", {"chains": "TRX"}, 11000),
        ("getWithdrawFee", None, 11000),
        ("getWithdrawFee", {"coinId": "1280", "chain": "TRX"}, 11000),
        ("getWithdrawFee", {"coinId": True, "chain": "TRX"}, 11000),
        ("getWithdrawFee", {"coinId": 5, "chain": "TRX"}, 13000),
        ("getWithdrawFee", {"coinId": 1280, "chain": "NOWHERE"}, 13001),
        ("getCoinUSDTPrice", {"coinIds": "1280"}, 11000),
        ("getCoinUSDTPrice", {"coinIds": [1280, "x"]}, 11000),
        ("checkWithdrawalAddressValidity", {"chain": "TRX"}, 11000),
        ("checkWithdrawalAddressValidity", {"chain": "NOWHERE", "address": "x"}, 13001),
        ("getCwalletUserId", {"cwalletUserId": "somebody"}, 11003),
        ("getCwalletUserId", {"cwalletUserId": ""}, 11003),
    ],
)
def test_arguments_that_make_no_sense_are_refused(
    caller: Caller, endpoint: str, arguments: Any, code: int
) -> None:
    """Missing or mistyped arguments, unknown coins, chains and users: a code, never a crash."""
    assert caller.ask(endpoint, arguments)["code"] == code


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b'"x"', b"[1"])
def test_bodies_that_are_not_json_objects_are_refused(caller: Caller, body: bytes) -> None:
    """A signed body that cannot be read is a bad argument."""
    assert caller.post("getWithdrawFee", body).json()["code"] == 11000


@pytest.mark.parametrize(
    "path", ["/applyAppWithdrawToNetwork", "/createAppOrderDepositAddress", "/getChainList/x", "/"]
)
def test_there_is_nothing_but_the_read_only_endpoints(caller: Caller, path: str) -> None:
    """A payout path, and any other, is a 404 in JSON that says it comes from a sandbox."""
    answer = caller.http.post(caller.base_url + path)
    assert (answer.status_code, answer.json()["sandbox"]) == (404, True)


def test_endpoints_are_posted_to(caller: Caller) -> None:
    """GET on an endpoint is a 405 in JSON."""
    answer = caller.http.get(caller.base_url + "/getChainList")
    assert (answer.status_code, answer.json()["sandbox"]) == (405, True)


def test_lists_over_http_are_complete(caller: Caller) -> None:
    """The four lists arrive with every chain, fiat and coin."""
    assert len(caller.data("getChainList")["chains"]) == 198
    assert len(caller.data("getFiatList")["fiats"]) == 155
    swappable = {coin["coinId"] for coin in caller.data("getSwapCoinList")["coins"]}
    coins = caller.data("getCoinList")["coins"]
    assert len(swappable) == 773
    assert {coin["coinId"] for coin in coins} == swappable
    assert sum(len(coin["networks"]) for coin in coins) == 1798


@pytest.mark.parametrize(
    ("endpoint", "listed"),
    [("getChainList", "chains"), ("getFiatList", "fiats"), ("getSwapCoinList", "coins")],
)
def test_lists_come_in_changing_order(caller: Caller, endpoint: str, listed: str) -> None:
    """Two answers hold the same items in another order."""
    one, other = caller.data(endpoint)[listed], caller.data(endpoint)[listed]
    assert one != other
    assert sorted(one, key=str) == sorted(other, key=str)


def test_the_chains_filter_is_honoured(caller: Caller) -> None:
    """Only the chains asked for come back, unknown ones do not; an empty filter is none."""
    asked = caller.data("getChainList", {"chains": ["ETH", "POLYGON", "NOWHERE"]})["chains"]
    assert {chain["chain"] for chain in asked} == {"ETH", "POLYGON"}
    assert len(caller.data("getChainList", {"chains": []})["chains"]) == 198


def test_every_quote_has_an_id_of_its_own(caller: Caller) -> None:
    """The same fee quoted twice carries two networkFeeInquiryIDs."""
    one, other = (caller.data("getWithdrawFee", ENDPOINTS["getWithdrawFee"]) for _ in range(2))
    assert one["fee"]["networkFeeInquiryID"] != other["fee"]["networkFeeInquiryID"]
    assert one["fee"].keys() == {"coinId", "coinSymbol", "amount", "networkFeeInquiryID"}


def test_prices_answer_for_the_coins_that_exist(caller: Caller) -> None:
    """Prices are strings under the coin's id as a string; unknown coins are left out."""
    prices = caller.data("getCoinUSDTPrice", {"coinIds": [1002, 1329, 5]})["prices"]
    assert prices.keys() == {"1002", "1329"}
    assert all(isinstance(price, str) and float(price) > 0 for price in prices.values())


@pytest.mark.parametrize(
    ("chain", "address", "valid"),
    [
        ("POLYGON", "0x43fEeF6879286BBAC5082f17AD3dA55EE456B934", True),
        ("POLYGON", "TN3W4H6rK2ce4vX9YnFQHwKENnHjoxb3m9", False),
        ("TRX", "TN3W4H6rK2ce4vX9YnFQHwKENnHjoxb3m9", True),
    ],
)
def test_addresses_are_valid_on_their_own_chain(
    caller: Caller, chain: str, address: str, valid: bool
) -> None:
    """The same address is valid on one chain and not on another."""
    said = caller.data("checkWithdrawalAddressValidity", {"chain": chain, "address": address})
    assert said == {"addrIsValid": valid}


def test_cwallet_users_have_masked_names(caller: Caller) -> None:
    """An id of digits is somebody, whose name is not shown in full."""
    user = caller.data("getCwalletUserId", {"cwalletUserId": "9558861"})
    assert user["cwalletUserId"] == "9558861"
    assert "***" in user["cwalletUserName"]


def test_an_account_can_have_an_empty_token_list(caller: Caller) -> None:
    """A new merchant's account sees all chains and fiats, and no coins."""
    for endpoint in ("getSwapCoinList", "getCoinList"):
        assert caller.data(endpoint, app_id=EMPTY_APP_ID) == {"coins": []}
    assert len(caller.data("getChainList", app_id=EMPTY_APP_ID)["chains"]) == 198
    assert len(caller.data("getFiatList", app_id=EMPTY_APP_ID)["fiats"]) == 155


def test_it_accepts_the_credentials_that_it_was_given() -> None:
    """With credentials from the environment, those open it and the published ones do not."""
    app = build_app(app_id="mine", app_secret="my-secret")
    with serving(app) as base_url, Caller(base_url) as caller:
        assert caller.ask("getFiatList", app_id="mine", secret="my-secret")["code"] == 10000
        assert caller.ask("getFiatList")["code"] == 12001


def test_health_says_that_it_is_a_sandbox(caller: Caller) -> None:
    """Seed, speed and the world's time, for whoever wonders what answers there."""
    said = caller.http.get(caller.admin_url + "/health").json()
    assert (said["sandbox"], said["seed"], said["speed"]) == (True, 1, 1.0)
    assert abs(said["world_time"] - time.time()) < 5


def test_speed_moves_the_world_and_not_the_clock_of_signatures() -> None:
    """At a thousand times the speed a tenth of a second is minutes, and signatures stay valid."""
    with serving(build_app(World(), speed=1000.0)) as base_url, Caller(base_url) as caller:
        before = caller.http.get(caller.admin_url + "/health").json()["world_time"]
        time.sleep(0.15)
        after = caller.http.get(caller.admin_url + "/health").json()["world_time"]
        assert 150 <= after - before < 30_000
        assert caller.ask("getChainList")["code"] == 10000


@pytest.mark.parametrize(("endpoint", "arguments"), list(ENDPOINTS.items()))
def test_signed_requests_are_counted_by_endpoint(
    caller: Caller, faults: Faults, endpoint: str, arguments: Any
) -> None:
    """A request that gets past the signature counts once; a forged one does not."""
    before = caller.http.get(caller.admin_url + "/admin/requests").json().get(endpoint, 0)
    caller.ask(endpoint, arguments)
    caller.ask(endpoint, arguments, secret="forged")
    counted = caller.http.get(caller.admin_url + "/admin/requests").json()[endpoint]
    assert counted == before + 1 == faults.requests[endpoint]


def test_a_chain_can_be_put_into_maintenance(caller: Caller, faults: Faults) -> None:
    """A pinned status holds, verbatim, until null lets the world decide again."""
    admin = caller.admin_url + "/admin/chains"
    status = {"chain": "TRX", "status": " maintain "}
    assert caller.http.post(admin, json=status).json() == {"TRX": " maintain "}
    pinned = caller.data("getChainList", {"chains": ["TRX"]})["chains"]
    assert [chain["status"] for chain in pinned] == [" maintain "]
    assert caller.http.post(admin, json={"chain": "TRX", "status": None}).json() == {}
    assert faults.statuses == {}


@pytest.mark.parametrize("request_body", [{"chain": "TRX"}, {"status": "x"}, [], {"chain": 5}])
def test_pinning_says_what_it_wants(caller: Caller, request_body: Any) -> None:
    """An admin request that cannot be understood is a 400 with the form that is wanted."""
    answer = caller.http.post(caller.admin_url + "/admin/chains", json=request_body)
    assert answer.status_code == 400
    assert "status" in answer.json()["detail"]
