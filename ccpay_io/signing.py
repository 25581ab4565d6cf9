"""Signs requests as CCPayment v2 asks: an httpx.Auth that knows nothing of endpoints.

Owns the three headers and the one repetition that is allowed: after 11006 (expired) the offset of
this machine's clock is learned from the response's Date header and the request is signed once more.
Called by client.py.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable, Generator
from email.utils import parsedate_to_datetime

import httpx
from pydantic_core import from_json

from ccpay_io.settings import Credentials

# A refusal is short; what is longer is not searched for one.
_LONGEST_REFUSAL = 4096


def sign(app_id: str, app_secret: str, timestamp: int, body: bytes) -> str:
    """Sign = hex(HMAC-SHA256(appSecret, appId + timestamp + body)) over the exact bytes sent.

    Args:
        timestamp: seconds since the epoch (10 digits).
        body: of the request; may be empty.
    """
    message = f"{app_id}{timestamp}".encode() + body
    return hmac.new(app_secret.encode(), message, hashlib.sha256).hexdigest()


class CcpayAuth(httpx.Auth):
    """Adds Appid, Timestamp and Sign.

    Args:
        credentials: of the merchant's app.
        now: seconds since the epoch.
    """

    requires_request_body = True
    requires_response_body = True

    def __init__(self, credentials: Credentials, *, now: Callable[[], float] = time.time) -> None:
        self._credentials = credentials
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
        timestamp = int(self._now() + self.clock_skew_s)
        app_id = self._credentials.app_id.reveal()
        secret = self._credentials.app_secret.reveal()
        request.headers["Appid"] = app_id
        request.headers["Timestamp"] = str(timestamp)
        request.headers["Sign"] = sign(app_id, secret, timestamp, request.content)

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
