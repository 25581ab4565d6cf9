"""What each fault of faults.py makes of an answer.

Owns the spoiled responses. Cut and reset connections need the connection itself, which running.py
puts at the request's disposal. Called by server.py.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import Receive, Scope, Send

from ccpay_io.sandbox.replies import Refused, failure, success

_CUT = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n"
    b'{"code": 10000, "msg'
)


async def spoil(fault: str, request: Request, answer: Callable[[], dict[str, Any]]) -> Response:
    """The response that a fault makes of a request.

    Args:
        fault: in the language of faults.py.
        request: of the client.
        answer: gives the `data` of the unspoiled answer.

    Raises:
        Refused: the request would have been refused without the fault as well.
    """
    name, _, value = fault.partition(":")
    match name:
        case "code":
            code, _, message = value.partition(" ")
            return failure(Refused(int(code), message))
        case "status":
            return Response(b"upstream failure", int(value), media_type="text/plain")
        case "html":
            return HTMLResponse("<html><body>502 Bad Gateway</body></html>")
        case "echo":
            return HTMLResponse(f"<pre>{dict(request.headers)}</pre>", 500)
        case "not_json":
            return Response(b'{"code": 10000, "data": {"ch', media_type="application/json")
        case "cut" | "reset":
            return _Broken(reset=name == "reset")
        case "slow":
            await _wait(float(value), request)
            return success(answer())
        case "null":
            return success(None)
    return success(_bent(name, value, answer()))


class _Broken(Response):
    """No answer: the connection goes, in the middle of the body or before the first byte."""

    def __init__(self, *, reset: bool) -> None:
        super().__init__()
        self._reset = reset

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        connection: asyncio.Transport = scope["state"]["connection"]
        if self._reset:
            at_once = struct.pack("ii", 1, 0)
            connection.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, at_once
            )
            connection.abort()
        else:
            connection.write(_CUT)
            connection.close()
        # uvicorn learns of the loss in its next turn; before, it would report a missing answer.
        await asyncio.sleep(0)


async def _wait(seconds: float, request: Request) -> None:
    """Waits, but not for a client that has gone: that would hold up the end of the server."""
    with suppress(TimeoutError):
        # The body has been read: all that can still arrive is the message that the client has left.
        await asyncio.wait_for(request.receive(), seconds)


def _bent(name: str, value: str, data: dict[str, Any]) -> dict[str, Any]:
    """Faults that change the content of an answer."""
    match name:
        case "empty":
            return {key: _cut_to(inner, 0) for key, inner in data.items()}
        case "half":
            return {key: _cut_to(inner, 2) for key, inner in data.items()}
        case "double":
            return {key: _doubled(inner) for key, inner in data.items()}
        case "status_word":
            return _with_field(data, "status", value)
        case _:
            field, _, text = value.partition("=")
            return _with_field(data, field, json.loads(text))


def _cut_to(inner: Any, parts: int) -> Any:
    """One of so many parts of a list or an object, the same each time; 0: nothing of it."""
    if isinstance(inner, list):
        return sorted(inner, key=str)[: len(inner) // parts if parts else 0]
    if isinstance(inner, dict):
        return {key: inner[key] for key in _cut_to(list(inner), parts)}
    return inner


def _doubled(inner: Any) -> Any:
    """A list with everything twice; an object cannot have a key twice."""
    return [*inner, *reversed(inner)] if isinstance(inner, list) else inner


def _with_field(data: dict[str, Any], field: str, value: Any) -> dict[str, Any]:
    """The answer with a field set in it, or else in each item or object that it holds."""
    if field in data or not any(isinstance(inner, list | dict) for inner in data.values()):
        return {**data, field: value}
    changed = dict(data)
    for key, inner in data.items():
        if isinstance(inner, list):
            changed[key] = [{**item, field: value} for item in inner]
        elif isinstance(inner, dict):
            changed[key] = {**inner, field: value}
    return changed
