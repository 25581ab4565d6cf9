"""A canary through every failing path: no secret in any error, traceback, log or file."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import pytest
import stamina

from ccpay_io import sandbox
from ccpay_io.alerts.heartbeat import beat
from ccpay_io.client import CcpayClient
from ccpay_io.codes import CODE_ERRORS
from ccpay_io.errors import ApiError
from ccpay_io.feeds.result import PollResult, WatchResult
from ccpay_io.feeds.session import open_collector
from ccpay_io.pacing import Pacer
from ccpay_io.sandbox.server import Faults, build_app
from ccpay_io.settings import Credentials, Secret, Settings, load_settings
from ccpay_io.store.raw import read_raw

APP_ID = "cAnArY-app-id-77f0"
APP_SECRET = "cAnArY-app-secret-91bd"
BASE_URL = "https://api.example/ccpayment/v2"

Handler = Callable[[httpx.Request], httpx.Response]


@pytest.fixture
def lines() -> Iterator[list[str]]:
    """Everything that any logger writes at DEBUG, with tracebacks and extra fields."""
    written: list[str] = []

    class Everything(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            written.append(self.format(record) + repr(record.__dict__))

    handler, root = Everything(), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield written
    root.setLevel(level)
    root.removeHandler(handler)


def echo(request: httpx.Request) -> str:
    """What a failing server or proxy likes to print: the request's headers."""
    return "; ".join(f"{name}={value}" for name, value in request.headers.items())


def raising(kind: type[httpx.RequestError]) -> Handler:
    """A network that fails with an error that carries and quotes the request."""

    def handle(request: httpx.Request) -> httpx.Response:
        raise kind(f"failed: {echo(request)} {APP_SECRET}", request=request)

    return handle


def answering(code: int, where: str) -> Handler:
    """An API that quotes the request's headers and the secret back, with a code or a status."""

    def handle(request: httpx.Request) -> httpx.Response:
        told = f"{APP_SECRET} {echo(request)}"
        if where == "msg":
            return httpx.Response(200, json={"code": code, "msg": told, "data": None})
        if where == "data":
            return httpx.Response(200, json={"code": 10000, "msg": "", "data": {"fee": told}})
        return httpx.Response(code, text=f"<{told}>")

    return handle


PATHS: list[tuple[str, Handler]] = [
    *[(f"code {code}", answering(code, "msg")) for code in (*sorted(CODE_ERRORS), 17001)],
    *[(f"status {status}", answering(status, "html")) for status in (200, 302, 403, 429, 500)],
    ("wrong shape", answering(10000, "data")),
    *[
        (kind.__name__, raising(kind))
        for kind in (
            httpx.ConnectError,
            httpx.ConnectTimeout,
            httpx.ReadTimeout,
            httpx.PoolTimeout,
            httpx.ReadError,
            httpx.WriteError,
            httpx.ProxyError,
            httpx.RemoteProtocolError,
            httpx.LocalProtocolError,
            httpx.DecodingError,
            httpx.TooManyRedirects,
        )
    ],
]


def fail(folder: Path, base_url: str, transport: httpx.AsyncBaseTransport | None) -> ApiError:
    """The error of one call that fails."""
    pacer = Pacer(
        folder / "limits.sqlite", credentials_key=APP_ID, daily_budget=100, start_rps=1000
    )

    async def call() -> None:
        client = CcpayClient(
            Credentials(Secret(APP_ID), Secret(APP_SECRET)),
            base_url=base_url,
            pacer=pacer,
            transport=transport,
            timeout_s=2,
        )
        async with client:
            await client.get_withdraw_fee(1280, "POLYGON")

    with stamina.set_testing(True, attempts=2, cap=True), pytest.raises(ApiError) as caught:
        asyncio.run(call())
    return caught.value


def clean(text: str) -> bool:
    """Whether a text has neither the id nor the secret."""
    return APP_ID not in text and APP_SECRET not in text


def everything_about(error: ApiError) -> str:
    """All that people and tools show of an error."""
    frames = "".join(traceback.format_exception(error))
    return "\n".join([str(error), repr(error), frames, repr(vars(error)), error.hint])


@pytest.mark.parametrize("handler", [h for _, h in PATHS], ids=[n for n, _ in PATHS])
def test_no_failing_path_shows_a_secret(handler: Handler, tmp_path: Path, lines: list[str]) -> None:
    """Even a server that quotes headers and secret back gets them into no error and no log."""
    error = fail(tmp_path, BASE_URL, httpx.MockTransport(handler))
    assert clean(everything_about(error))
    assert clean("\n".join(lines))
    assert error.__cause__ is None


@pytest.mark.parametrize("fault", ["code:11005", "status:500", "html", "echo", "cut", "reset"])
def test_no_fault_of_a_real_connection_shows_a_secret(
    fault: str, tmp_path: Path, lines: list[str]
) -> None:
    """Over real HTTP, with all loggers at DEBUG, nothing shows either."""
    faults = Faults()
    faults.add(fault)
    app = build_app(app_id=APP_ID, app_secret=APP_SECRET, faults=faults)
    with sandbox.serving(app) as base_url:
        error = fail(tmp_path, base_url, None)
    assert clean(everything_about(error))
    # Of a connection that broke there is nothing to log.
    assert fault in ("cut", "reset") or any("ccpay" in line for line in lines)
    assert clean("\n".join(lines))


def test_no_file_holds_a_secret(tmp_path: Path) -> None:
    """The limits file, its log and its index know the account by a hash only."""
    fail(tmp_path, BASE_URL, httpx.MockTransport(answering(11014, "msg")))
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files
    assert all(APP_ID.encode() not in path.read_bytes() for path in files)
    assert all(APP_SECRET.encode() not in path.read_bytes() for path in files)


def test_only_what_must_be_sent_is_sent(tmp_path: Path) -> None:
    """The secret itself is in no header and no body of a request."""
    seen: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(echo(request) + request.content.decode() + str(request.url))
        return httpx.Response(200, json={"code": 12000, "msg": "", "data": None})

    fail(tmp_path, BASE_URL, httpx.MockTransport(handle))
    assert APP_SECRET not in json.dumps(seen)


@pytest.mark.parametrize("status", [200, 302, 500, None])
def test_no_sign_of_life_shows_its_address(
    status: int | None, tmp_path: Path, lines: list[str]
) -> None:
    """Taken, sent elsewhere, refused or unreachable: the token is in no log and no file."""
    token = "cAnArY-of-life-3c5e"
    now = datetime.now(UTC)
    watched = WatchResult((PollResult(1, "chains", "ok", now, now),))
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(status or 200)
            self.send_header("Location", f"https://elsewhere.example{self.path}?again={token}")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Keeps the test's output clean."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        port = server.server_port if status else 1
        given = {"CCPAY_HEARTBEAT_URL": f"http://127.0.0.1:{port}/{token}"}
        settings = load_settings(given, cwd=tmp_path)
        assert beat(settings, watched) is (status == 200)
        server.shutdown()
        thread.join()
    assert asked == ([f"/{token}"] if status else [])
    assert lines
    assert token not in "\n".join(lines)
    assert token not in repr(settings)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files
    assert all(token.encode() not in path.read_bytes() for path in files)


PAYEE = "TCaNaRyN6FzJ8gJ4fkWcYFiPpLHRA8Q1BM"
USERS = ("35255142", "4711")
WATCH = f"""
[[watch.addresses]]
label = "cold"
chain = "TRX"
address = "{PAYEE}"
[[watch.cwallet_ids]]
label = "long"
cwallet_user_id = "{USERS[0]}"
[[watch.cwallet_ids]]
label = "short"
cwallet_user_id = "{USERS[1]}"
"""


def poll_watchlist(settings: Settings) -> PollResult:
    """One poll of the watchlist, published."""

    async def poll() -> PollResult:
        async with open_collector(settings) as collector:
            return await collector.poll("watchlist")

    with stamina.set_testing(True, attempts=2, cap=True):
        return asyncio.run(poll())


@pytest.mark.parametrize("code", [None, 10001, 14005])
def test_no_file_of_the_warehouse_names_a_payee(code: int | None, tmp_path: Path) -> None:
    """Neither what was asked nor what the API echoes: raw files, ledger and publication have none.

    Raw files are looked at unpacked; the rest of them is JSON as before.
    """
    faults = Faults()
    if code:
        faults.add(f"code:{code} no {PAYEE.lower()}", "checkWithdrawalAddressValidity")
        for user in USERS:
            match = {"cwalletUserId": user}
            faults.add(f"code:{code} no user {user}", "getCwalletUserId", match=match)
    (tmp_path / "ccpay.toml").write_text(WATCH, "utf-8")
    given = {"CCPAY_APP_ID": APP_ID, "CCPAY_APP_SECRET": APP_SECRET, "CCPAY_MAX_RPS": "1000"}
    app = build_app(app_id=APP_ID, app_secret=APP_SECRET, faults=faults)
    with sandbox.serving(app) as base_url:
        settings = load_settings({**given, "CCPAY_BASE_URL": base_url}, cwd=tmp_path)
        result = poll_watchlist(settings)
    assert result.requests >= 3
    files = [path for path in settings.warehouse.rglob("*") if path.is_file()]
    raw = [path for path in files if path.suffix == ".zst"]
    lines = [x for f in raw for x in read_raw(settings.warehouse, f"{f.parent.name}/{f.name}")[1]]
    told = json.dumps([[line["request"], line["response"]] for line in lines[1:]]).lower()
    assert len(lines) > 3
    assert not any(payee.lower() in told for payee in (PAYEE, *USERS))
    stored = b"".join(path.read_bytes() for path in files if path not in raw).lower()
    assert PAYEE.lower().encode() not in stored
    assert USERS[0].encode() not in stored
    assert f"user {USERS[1]}".encode() not in stored
