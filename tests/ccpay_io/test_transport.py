"""The gate: nothing but eight read-only paths of one address gets through."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import httpx
import pytest

from ccpay_io import wire
from ccpay_io.transport import ENDPOINTS, ReadOnlyTransport
from ccpay_io.wire import Wire

BASE_URL = "https://api.example/ccpayment/v2"


class Recorder:
    """An API that notes what reaches it."""

    def __init__(self) -> None:
        self.reached: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answers anything."""
        self.reached.append(request.url.path)
        return httpx.Response(200)


def request(url: str, method: str = "POST") -> tuple[Recorder, ReadOnlyTransport]:
    """Sends one request through the gate."""
    recorder = Recorder()
    gate = ReadOnlyTransport(httpx.MockTransport(recorder), BASE_URL)

    async def send() -> None:
        async with httpx.AsyncClient(transport=gate) as http:
            await http.request(method, url)

    try:
        asyncio.run(send())
    finally:
        assert gate.sent == len(recorder.reached)
    return recorder, gate


def refused(url: str, method: str = "POST") -> None:
    """Asserts that the gate refuses a request."""
    recorder = Recorder()
    gate = ReadOnlyTransport(httpx.MockTransport(recorder), BASE_URL)

    async def send() -> None:
        async with httpx.AsyncClient(transport=gate) as http:
            await http.request(method, url)

    with pytest.raises(PermissionError, match="nothing was sent"):
        asyncio.run(send())
    assert recorder.reached == []
    assert gate.sent == 0


@pytest.mark.parametrize("endpoint", sorted(ENDPOINTS))
def test_read_only_endpoints_pass(endpoint: str) -> None:
    """The eight read-only endpoints pass, and are counted."""
    recorder, gate = request(f"{BASE_URL}/{endpoint}")
    assert recorder.reached == [f"/ccpayment/v2/{endpoint}"]
    assert gate.sent == 1


@pytest.mark.parametrize(
    "path",
    [
        "/ccpayment/v2/applyAppWithdrawToNetwork",
        "/ccpayment/v2/applyAppWithdrawToCwallet",
        "/ccpayment/v2/createAppOrderDepositAddress",
        "/ccpayment/v2/swap",
        "/ccpayment/v2/",
        "/ccpayment/v2/getChainList/",
        "/ccpayment/v2/getchainlist",
        "/ccpayment/v2/getChainList/../applyAppWithdrawToNetwork",
        "/ccpayment/v2/getChainList%2f..%2fapplyAppWithdrawToNetwork",
        "//ccpayment/v2/getChainList",
        "/ccpayment/v1/getChainList",
        "/getChainList",
    ],
)
def test_any_other_path_is_refused(path: str) -> None:
    """A payout, an order, or a path that only looks right: nothing is sent."""
    refused(f"https://api.example{path}")


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example/ccpayment/v2/getChainList",
        "https://api.example:8443/ccpayment/v2/getChainList",
        "https://elsewhere.example/ccpayment/v2/getChainList",
        "https://api.example.elsewhere.example/ccpayment/v2/getChainList",
    ],
)
def test_any_other_address_is_refused(url: str) -> None:
    """Signed headers never go to another host, port or scheme."""
    refused(url)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_any_other_method_is_refused(method: str) -> None:
    """The API is asked by POST only."""
    refused(f"{BASE_URL}/getChainList", method)


async def proxied(base_url: str) -> list[bytes]:
    """Sends a request through the wire with a proxy in the environment; what the proxy saw."""
    seen: list[bytes] = []

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(proxy, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("http_proxy", f"http://127.0.0.1:{port}")
        patch.setenv("no_proxy", "direct.invalid")
        transport = Wire(base_url, 1)
    async with server, httpx.AsyncClient(transport=transport) as http:
        try:
            await http.post(f"{base_url}/getChainList")
        except httpx.ConnectError:
            return seen
    return seen


def test_the_proxy_of_the_environment_is_used() -> None:
    """Behind a proxy with a whitelisted address the client goes through it."""
    (line,) = asyncio.run(proxied("http://api.invalid/v2"))
    assert line.startswith(b"POST http://api.invalid/v2/getChainList ")


@pytest.mark.parametrize("base_url", ["http://127.0.0.1:1/v2", "http://direct.invalid/v2"])
def test_loopback_and_exceptions_go_direct(base_url: str) -> None:
    """A sandbox on loopback, and what NO_PROXY names, is never asked through a proxy."""
    assert asyncio.run(proxied(base_url)) == []


def test_no_other_module_opens_connections() -> None:
    """Only the client makes the wire, and puts the gate before it."""
    source = Path(__file__).parents[2] / "ccpay_io"
    texts = {path.name: path.read_text() for path in source.rglob("*.py")}
    assert {name for name, text in texts.items() if "import aiohttp" in text} == {"wire.py"}
    assert {name for name, text in texts.items() if "import Wire" in text} == {"client.py"}
    assert not [name for name, text in texts.items() if "AsyncHTTPTransport" in text]


def test_a_connection_is_used_again_only_while_no_server_has_closed_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One connection for requests in a row, a new one after a silence; uvicorn keeps them 5 s."""
    assert wire.KEEP_S < 5
    monkeypatch.setattr(wire, "KEEP_S", 0.2)
    opened = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal opened
        opened += 1
        with contextlib.suppress(asyncio.IncompleteReadError):
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async def ask() -> list[int]:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        seen = []
        async with server, Wire(url, 1) as network:
            for pause_s in (0.0, 0.0, 0.5):
                await asyncio.sleep(pause_s)
                await network.handle_async_request(httpx.Request("POST", url, content=b""))
                seen.append(opened)
        return seen

    assert asyncio.run(ask()) == [1, 1, 2]
