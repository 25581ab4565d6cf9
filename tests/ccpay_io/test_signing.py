"""Signing: the exact bytes, a masked scheme, and one more signature when the clock is off."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import traceback
from base64 import b64decode
from collections.abc import Callable

import httpx
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from ccpay_io.errors import ConfigError
from ccpay_io.settings import Credentials, Secret
from ccpay_io.signing import CcpayAuth, http_date, signer_of

APP_ID = "202302010636261620672405236006912"
APP_SECRET = "ccpay-test-secret"
NOW = 1677152720
# What this moment looks like in a Date header.
NOW_DATE = "Thu, 23 Feb 2023 11:45:20 GMT"
URL = "https://api.example/v2/getWithdrawFee"
EXPIRED = {"code": 11006, "msg": "ReqExpired", "data": None}
SUCCESS = {"code": 10000, "msg": "success", "data": {}}


# Computed with another language's crypto library.
@pytest.mark.parametrize(
    ("body", "signature"),
    [
        (b"", "c63d899b2e79943182dee529ca66d9abb21fafea205351419715460197856821"),
        (b"{}", "ac60197d24de1731241e7ad3b360fcb9568b7beb9903a48548596e25467add82"),
        (
            b'{"coinId":1280,"chain":"POLYGON"}',
            "bc3e035aee7f325d095928acb7f163c3f8e6b55989ddd834c73d7e00177aba2c",
        ),
    ],
)
def test_golden_vectors(body: bytes, signature: str) -> None:
    """The signature is the one that an independent implementation computes."""
    sign = signer_of(Credentials(Secret(APP_ID), Secret(APP_SECRET)))
    assert sign(f"{APP_ID}{NOW}".encode() + body) == signature


class Api:
    """Verifies each request like the API does, at its own time, and answers in turn."""

    def __init__(self, *answers: tuple[dict[str, object] | bytes, str | None]) -> None:
        self.answers = list(answers)
        self.timestamps: list[int] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Checks the signature over the bytes that arrived."""
        timestamp = request.headers["Timestamp"]
        assert len(timestamp) == 10
        message = (APP_ID + timestamp).encode() + request.content
        wanted = hmac.new(APP_SECRET.encode(), message, hashlib.sha256).hexdigest()
        assert request.headers["Sign"] == wanted
        assert request.headers["Appid"] == APP_ID
        self.timestamps.append(int(timestamp))
        answer, date = self.answers.pop(0)
        content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        return httpx.Response(200, content=content, headers={"Date": date} if date else {})


def exchange(api: Api, now: Callable[[], float] = lambda: NOW, **body: object) -> CcpayAuth:
    """Posts once through the scheme."""
    auth = CcpayAuth(Credentials(Secret(APP_ID), Secret(APP_SECRET)), now=now)

    async def post() -> None:
        async with httpx.AsyncClient(transport=httpx.MockTransport(api), auth=auth) as http:
            await http.post(URL, **body)

    asyncio.run(post())
    return auth


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"content": b"{}"},
        {"content": b' {"b" : 1,\n"a":2 } '},
        {"json": {"chain": "Ünïcode", "address": "x/y"}},
    ],
)
def test_the_bytes_that_are_sent_are_signed(body: dict[str, object]) -> None:
    """Whatever the body is and however it was serialised, its exact bytes are signed, once."""
    api = Api((SUCCESS, NOW_DATE))
    exchange(api, **body)
    assert api.timestamps == [NOW]


def test_timestamps_are_whole_seconds() -> None:
    """The timestamp is cut to seconds, not rounded into the future and not in milliseconds."""
    api = Api((SUCCESS, NOW_DATE))
    exchange(api, now=lambda: NOW + 0.9)
    assert api.timestamps == [NOW]


@pytest.mark.parametrize("skew", [-86_400, -600, 300, 5_000_000])
def test_a_clock_that_is_off_is_corrected_by_date(skew: int) -> None:
    """After 11006 the request is signed once more with the server's time, and the skew is known."""
    api = Api((EXPIRED, NOW_DATE), (SUCCESS, NOW_DATE))
    auth = exchange(api, now=lambda: NOW + skew)
    assert api.timestamps == [NOW + skew, NOW]
    assert auth.clock_skew_s == -skew


def test_only_once_more() -> None:
    """A second 11006 is returned as it is: there is no third signature."""
    api = Api((EXPIRED, NOW_DATE), (EXPIRED, NOW_DATE))
    exchange(api)
    assert len(api.timestamps) == 2


@pytest.mark.parametrize(
    "date",
    [None, "", "garbage", "Thu, 99 Feb 2023 11:45:20 GMT", "-1", "Thu, 23 Feb 2023 11:45:20 -0000"],
)
def test_without_a_usable_date_nothing_is_repeated(date: str | None) -> None:
    """A missing or unreadable Date teaches nothing, so the same mistake is not made twice."""
    api = Api((EXPIRED, date))
    auth = exchange(api)
    assert len(api.timestamps) == 1
    assert auth.clock_skew_s == 0


@pytest.mark.parametrize(
    "answer",
    [
        {"code": 10000, "msg": "success", "data": {"fee": {"coinId": 11006, "amount": "0.11006"}}},
        {"code": 11005, "msg": "not 11006"},
        [11006],
        b"<html>11006</html>",
        b'{"code":11006' + b" " * 5000 + b"}",
    ],
)
def test_the_digits_alone_do_not_mean_expired(answer: dict[str, object] | bytes) -> None:
    """11006 as an id, in an amount or on an HTML page is not the code 11006."""
    api = Api((answer, NOW_DATE))
    exchange(api)
    assert len(api.timestamps) == 1


def test_expired_is_seen_wherever_the_code_stands() -> None:
    """The order of the fields of an answer does not matter."""
    late = b'{"data":null,"msg":"' + b"x" * 300 + b'","code":11006}'
    api = Api((late, NOW_DATE), (SUCCESS, NOW_DATE))
    exchange(api)
    assert len(api.timestamps) == 2


def test_the_scheme_shows_no_secret() -> None:
    """Neither the id nor the secret is in the scheme's repr."""
    text = repr(CcpayAuth(Credentials(Secret(APP_ID), Secret(APP_SECRET))))
    assert APP_ID not in text
    assert APP_SECRET not in text


@pytest.mark.parametrize(
    ("text", "moment"),
    [(NOW_DATE, NOW), ("Sunday, 06-Nov-94 08:49:37 GMT", 784111777), ("x", None)],
)
def test_http_dates(text: str, moment: float | None) -> None:
    """Dates of HTTP headers are read in their usual forms; anything else is no date."""
    assert http_date(text) == moment


@pytest.fixture(scope="module")
def rsa_key() -> rsa.RSAPrivateKey:
    """A key of one's own."""
    return rsa.generate_private_key(65537, 2048)


def pem_of(key: PrivateKeyTypes, password: bytes | None = None) -> str:
    """The key as a file has it."""
    hidden = serialization.BestAvailableEncryption(password) if password else None
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        hidden or serialization.NoEncryption(),
    ).decode()


def test_an_rsa_key_signs_in_place_of_the_secret(rsa_key: rsa.RSAPrivateKey) -> None:
    """Sign is base64(RSA-SHA256(privateKey, appId + timestamp + body)), as its public half says."""
    credentials = Credentials(Secret(APP_ID), Secret(""), Secret(pem_of(rsa_key)))
    request = httpx.Request("POST", "https://api.example/x", content=b"{}")
    next(CcpayAuth(credentials, now=lambda: NOW).auth_flow(request))
    signature = b64decode(request.headers["Sign"], validate=True)
    message = f"{APP_ID}{NOW}{{}}".encode()
    rsa_key.public_key().verify(signature, message, padding.PKCS1v15(), hashes.SHA256())


@pytest.mark.parametrize("kind", ["no PEM", "password", "another kind"])
def test_a_key_that_cannot_sign_says_so_without_itself(
    rsa_key: rsa.RSAPrivateKey, kind: str
) -> None:
    """One clear line, in which nothing of the key stands."""
    pem = {
        "no PEM": "-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----",
        "password": pem_of(rsa_key, b"hidden"),
        "another kind": pem_of(ed25519.Ed25519PrivateKey.generate()),
    }[kind]
    with pytest.raises(ConfigError, match="CCPAY_RSA_KEY_FILE") as caught:
        signer_of(Credentials(Secret(APP_ID), Secret(""), Secret(pem)))
    assert pem.splitlines()[1] not in "".join(traceback.format_exception(caught.value))
