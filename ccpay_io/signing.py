"""Signs requests as CCPayment v2 asks: an httpx.Auth that knows nothing of endpoints.

Owns the three headers, both kinds of signatures (HMAC with the secret, RSA with a key of your own)
and the one repetition that is allowed: after 11006 (expired) the offset of this machine's clock is
learned from the response's Date header and the request is signed once more. Called by client.py.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from base64 import b64encode
from collections.abc import Callable, Generator
from email.utils import parsedate_to_datetime

import httpx
from pydantic_core import from_json

from ccpay_io.errors import ConfigError
from ccpay_io.settings import Credentials

# A refusal is short; what is longer is not searched for one.
_LONGEST_REFUSAL = 4096
_OURS = (b"Appid", b"Timestamp", b"Sign")


Signer = Callable[[bytes], str]


def signer_of(credentials: Credentials) -> Signer:
    """What signs appId + timestamp + body for these credentials.

    Raises:
        ConfigError: the RSA key cannot be used; the message does not show it.
    """
    if credentials.rsa_key is not None:
        return _rsa_signer(credentials.rsa_key.reveal().encode())
    secret = credentials.app_secret.reveal().encode()
    return lambda message: hmac.new(secret, message, hashlib.sha256).hexdigest()


def _rsa_signer(pem: bytes) -> Signer:
    """Sign = base64(RSA-SHA256(privateKey, appId + timestamp + body)), padded as PKCS #1 v1.5."""
    # A tenth of a second of CPU, for those who sign so.
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import padding, rsa

    unusable = ConfigError(
        "CCPAY_RSA_KEY_FILE names no RSA private key in PEM form without a password",
        hint="openssl genrsa -out key.pem 2048 makes one; its public half belongs in the dashboard",
    )
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError):
        # What the library says may quote the key.
        raise unusable from None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise unusable
    return lambda message: b64encode(
        key.sign(message, padding.PKCS1v15(), hashes.SHA256())
    ).decode()


class CcpayAuth(httpx.Auth):
    """Adds Appid, Timestamp and Sign.

    Args:
        credentials: of the merchant's app.
        now: seconds since the epoch.
    """

    requires_request_body = True
    requires_response_body = True

    def __init__(self, credentials: Credentials, *, now: Callable[[], float] = time.time) -> None:
        self._app_id = credentials.app_id
        self._signer = signer_of(credentials)
        self._now = now
        self.clock_skew_s = 0.0

    def __repr__(self) -> str:
        return f"CcpayAuth(clock_skew_s={self.clock_skew_s:.0f})"

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Signs the request; once more, with a corrected clock, if the API says it has expired."""
        self._sign(request)
        response = yield request
        if _says_expired(response.content) and self._learn_skew(response):
            self._sign(request)
            yield request

    def _sign(self, request: httpx.Request) -> None:
        timestamp = str(int(self._now() + self.clock_skew_s)).encode()
        app_id = self._app_id.reveal().encode()
        signature = self._signer(app_id + timestamp + request.content).encode()
        # At once: each header that is set alone has httpx look through all of them.
        kept = [header for header in request.headers.raw if header[0] not in _OURS]
        signed = zip(_OURS, (app_id, timestamp, signature), strict=True)
        request.headers = httpx.Headers([*kept, *signed])

    def _learn_skew(self, response: httpx.Response) -> bool:
        """Takes the server's clock from the Date header; False when it has none to offer."""
        server = http_date(response.headers.get("Date", ""))
        if server is None:
            return False
        self.clock_skew_s = server - self._now()
        return True


def http_date(text: str) -> float | None:
    """Seconds since the epoch of a date in an HTTP header; None when it is not one."""
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return None if moment.tzinfo is None else moment.timestamp()


def _says_expired(content: bytes) -> bool:
    """Whether an answer's code is 11006; the digits alone can stand in an amount or an id."""
    if b"11006" not in content or len(content) > _LONGEST_REFUSAL:
        return False
    try:
        answer = from_json(content)
    except ValueError:
        return False
    return isinstance(answer, dict) and answer.get("code") == 11006
