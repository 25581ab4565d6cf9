"""A client for the sandbox's tests: signs by the published algorithm, without ccpay_io's code."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import Any, Self

import httpx

from ccpay_io.sandbox import SANDBOX_APP_ID, SANDBOX_APP_SECRET


def sign(app_id: str, secret: str, timestamp: str, body: bytes) -> str:
    """hex(HMAC-SHA256(secret, appId + timestamp + body))."""
    message = (app_id + timestamp).encode() + body
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


class Caller:
    """Sends signed requests to one sandbox over one connection; a context manager."""

    def __init__(self, base_url: str, *, timeout_s: float = 10) -> None:
        self.base_url = base_url
        self.admin_url = base_url.removesuffix("/ccpayment/v2")
        self.http = httpx.Client(trust_env=False, timeout=timeout_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.http.close()

    def post(
        self,
        endpoint: str,
        body: bytes = b"",
        *,
        app_id: str = SANDBOX_APP_ID,
        secret: str = SANDBOX_APP_SECRET,
        timestamp: str | None = None,
        changed: dict[str, str] | None = None,
    ) -> httpx.Response:
        """One request; `changed` replaces headers after signing."""
        timestamp = timestamp or str(int(time.time()))
        headers = {
            "Content-Type": "application/json",
            "Appid": app_id,
            "Timestamp": timestamp,
            "Sign": sign(app_id, secret, timestamp, body),
            **(changed or {}),
        }
        sent = [(name.encode(), value.encode()) for name, value in headers.items()]
        return self.http.post(f"{self.base_url}/{endpoint}", content=body, headers=sent)

    def ask(self, endpoint: str, arguments: Any = None, **how: Any) -> dict[str, Any]:
        """The decoded envelope: code, msg, data."""
        body = b"" if arguments is None else json.dumps(arguments).encode()
        answer = self.post(endpoint, body, **how)
        assert answer.status_code == 200, answer.text
        envelope: dict[str, Any] = answer.json()
        return envelope

    def data(self, endpoint: str, arguments: Any = None, **how: Any) -> dict[str, Any]:
        """The `data` of a successful answer."""
        envelope = self.ask(endpoint, arguments, **how)
        assert envelope["code"] == 10000, envelope
        return dict(envelope["data"])
