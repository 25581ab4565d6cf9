"""A server that answers every request with the same fee, a given time later: nothing but waiting.

Owns the smallest HTTP server that clients can be compared against. It runs in a process of its own,
so that its CPU time is nobody's. Started by asking.py: `python -m bench.slow_api DELAY_S`.
"""

from __future__ import annotations

import asyncio
import json
import sys

BODY = json.dumps(
    {
        "code": 10000,
        "msg": "success",
        "data": {
            "fee": {
                "coinId": 1,
                "coinSymbol": "C001",
                "amount": "0.02138142",
                "networkFeeInquiryID": "0123456789abcdef0123456789abcdef",
            }
        },
    }
).encode()
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
ANSWER = _HEAD % len(BODY) + BODY


class _Connection(asyncio.Protocol):
    """Answers one request after the other; looks at nothing but where each ends."""

    def __init__(self, delay_s: float) -> None:
        self._delay_s = delay_s
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)  # noqa: S101  # it is TCP
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._end()) is not None:
            self._received = self._received[end:]
            loop = asyncio.get_running_loop()
            loop.call_later(self._delay_s, self._transport.write, ANSWER)

    def _end(self) -> int | None:
        """Where the first request that has arrived whole ends."""
        head, separator, _ = self._received.partition(b"\r\n\r\n")
        if not separator:
            return None
        lines = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")]
        end = len(head) + 4 + sum(int(line.partition(b":")[2]) for line in lines)
        return end if len(self._received) >= end else None


async def _serve(delay_s: float) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(delay_s), "127.0.0.1", 0, backlog=512)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(float(sys.argv[1])))
