"""The client on a real wire: cut, dripping, huge, reset and refused connections on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import socket
import struct
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import stamina

from ccpay_io.client import CcpayClient
from ccpay_io.errors import (
    ApiError,
    ConnectFailed,
    CutBody,
    HttpStatusError,
    NotJson,
    TimedOut,
    TransportError,
)
from ccpay_io.pacing import Pacer
from ccpay_io.settings import Credentials, Secret
from ccpay_io.transport import MAX_BODY

TIMEOUT_S = 0.5
GOOD = json.dumps(
    {
        "code": 10000,
        "msg": "success",
        "data": {"fee": {"coinId": 1329, "coinSymbol": "MATIC", "amount": "0.0213814"}},
    }
).encode()

Behaviour = Callable[[asyncio.StreamWriter], Awaitable[None]]


def head(length: int, *headers: str, status: str = "200 OK") -> bytes:
    """The head of a response."""
    return "\r\n".join(
        [f"HTTP/1.1 {status}", f"Content-Length: {length}", *headers, "", ""]
    ).encode()


@asynccontextmanager
async def wire(behave: Behaviour) -> AsyncIterator[tuple[str, list[int]]]:
    """A server that reads each request whole and then does as it likes; counts requests."""
    requests: list[int] = []
    serving: set[asyncio.Task[None]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not writer.is_closing():
            request = await reader.readuntil(b"\r\n\r\n")
            lines = request.lower().split(b"\r\n")
            (length,) = (int(x.split(b":")[1]) for x in lines if x.startswith(b"content-length"))
            await reader.readexactly(length)
            requests.append(length)
            await behave(writer)
            await writer.drain()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.add(asyncio.current_task())
        with contextlib.suppress(
            ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError
        ):
            await talk(reader, writer)
        writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/ccpayment/v2", requests
    finally:
        server.close()
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving)
        # Transports close in the loop's next round.
        await asyncio.sleep(0.01)


def client_of(base_url: str, folder: Path) -> CcpayClient:
    """A client with the real network below it."""
    return CcpayClient(
        Credentials(Secret("made-up-id"), Secret("made-up-secret")),
        base_url=base_url,
        pacer=Pacer(
            folder / "limits.sqlite", credentials_key="x", daily_budget=100, start_rps=1000
        ),
        timeout_s=TIMEOUT_S,
    )


def outcome(behave: Behaviour, folder: Path, attempts: int = 1) -> tuple[object, list[int]]:
    """The error (or result) of one call against this behaviour, and the requests it made."""

    async def call() -> tuple[object, list[int]]:
        async with wire(behave) as (base_url, requests), client_of(base_url, folder) as client:
            try:
                return await client.get_withdraw_fee(1280, "POLYGON"), requests
            except ApiError as error:
                return error, requests

    with stamina.set_testing(True, attempts=attempts, cap=True):
        return asyncio.run(call())


def sends(*parts: bytes, close: bool = True) -> Behaviour:
    """A server that sends these bytes, and closes the connection or keeps it open."""

    async def behave(writer: asyncio.StreamWriter) -> None:
        writer.writelines(parts)
        if close:
            await writer.drain()
            writer.close()

    return behave


async def reset(writer: asyncio.StreamWriter) -> None:
    """Breaks the connection with a RST."""
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def silence(writer: asyncio.StreamWriter) -> None:
    """Never answers."""
    await asyncio.sleep(30)


async def drip(writer: asyncio.StreamWriter) -> None:
    """Sends a byte at a time, each one well within a timeout between two bytes."""
    for byte in head(len(GOOD)) + GOOD:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.1)


async def flood(writer: asyncio.StreamWriter) -> None:
    """Sends a body without end."""
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    megabyte = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
    for _ in range(4 * MAX_BODY // 0x100000):
        writer.write(megabyte)
        await writer.drain()


def test_a_good_answer(tmp_path: Path) -> None:
    """A plain answer over a kept connection is read."""
    answer, requests = outcome(sends(head(len(GOOD)), GOOD, close=False), tmp_path)
    assert not isinstance(answer, ApiError)
    assert len(requests) == 1


FAULTS: list[tuple[str, Behaviour, type[TransportError]]] = [
    ("body shorter than announced", sends(head(len(GOOD)), GOOD[:-10]), CutBody),
    (
        "chunked body that breaks off",
        sends(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40\r\nabc"),
        CutBody,
    ),
    ("closed without a byte", sends(b""), CutBody),
    ("closed inside the head", sends(b"HTTP/1.1 200 OK\r\nContent-"), CutBody),
    ("reset", reset, CutBody),
    ("not HTTP", sends(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"), CutBody),
    ("bad length", sends(b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n"), CutBody),
    ("no gzip", sends(head(8, "Content-Encoding: gzip"), b"not gzip"), CutBody),
    ("body without end", flood, CutBody),
    ("half a document", sends(head(20), GOOD[:20]), NotJson),
    ("nothing", sends(head(0)), NotJson),
    ("invalid UTF-8", sends(head(13), b'{"code":"\xff\xfe"}'), NotJson),
    (
        "a login page",
        sends(head(27, "Content-Type: text/html"), b"<html>please log in</html> "),
        NotJson,
    ),
    ("redirect", sends(head(0, "Location: /x", status="302 Found")), HttpStatusError),
    (
        "redirect to nowhere",
        sends(head(0, "Location: http://[", status="302 Found")),
        HttpStatusError,
    ),
    ("503", sends(head(4, status="503 Busy"), b"busy"), HttpStatusError),
    ("silence", silence, TimedOut),
    ("dripping", drip, TimedOut),
]


@pytest.mark.parametrize(
    ("fault", "kind"), [(f, k) for _, f, k in FAULTS], ids=[n for n, *_ in FAULTS]
)
def test_every_fault_of_the_wire_is_a_typed_error(
    fault: Behaviour, kind: type[TransportError], tmp_path: Path
) -> None:
    """Whatever goes wrong ends, within the timeout, in a typed error with a next step."""
    started = time.monotonic()
    error, requests = outcome(fault, tmp_path)
    assert type(error) is kind
    assert isinstance(error, TransportError)
    assert error.endpoint == "getWithdrawFee"
    assert error.hint
    assert len(requests) == 1
    assert time.monotonic() - started < TIMEOUT_S + 1.5


def test_a_compressed_answer_is_read(tmp_path: Path) -> None:
    """A server that compresses although it was not asked to is understood."""
    body = gzip.compress(GOOD)
    answer, _ = outcome(sends(head(len(body), "Content-Encoding: gzip"), body), tmp_path)
    assert not isinstance(answer, ApiError)


def test_a_cut_answer_is_asked_for_again(tmp_path: Path) -> None:
    """After a broken connection the next attempt can succeed."""
    spoiled = [sends(head(len(GOOD)), GOOD[:-10]), reset, sends(head(len(GOOD)), GOOD)]

    async def behave(writer: asyncio.StreamWriter) -> None:
        await spoiled.pop(0)(writer)

    answer, requests = outcome(behave, tmp_path, attempts=3)
    assert not isinstance(answer, ApiError)
    assert len(requests) == 3


@pytest.mark.parametrize("base_url", ["http://127.0.0.1:1/v2", "http://no-such-host.invalid/v2"])
def test_nobody_there(base_url: str, tmp_path: Path) -> None:
    """A refused connection or an unknown host is ConnectFailed, which names the setting."""

    async def call() -> None:
        async with client_of(base_url, tmp_path) as client:
            await client.get_fiat_list()

    with stamina.set_testing(True), pytest.raises(ConnectFailed) as caught:
        asyncio.run(call())
    assert "CCPAY_BASE_URL" in caught.value.hint
    assert str(caught.value).startswith("getFiatList: ConnectFailed (")


def test_many_calls_share_few_connections(tmp_path: Path) -> None:
    """Calls at the same time queue for the connections that are allowed instead of failing."""

    async def run() -> int:
        behave = sends(head(len(GOOD)), GOOD, close=False)
        async with wire(behave) as (base_url, _), client_of(base_url, tmp_path) as client:
            fees = [client.get_withdraw_fee(1, "ETH") for _ in range(40)]
            return len(await asyncio.gather(*fees))

    assert asyncio.run(run()) == 40
