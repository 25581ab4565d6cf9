"""A real HTTP server on loopback that answers as it is told and remembers what it received."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = tuple[int, Mapping[str, str]]


@dataclass(frozen=True)
class Received:
    """One request: lower-case headers, the exact bytes of the body, the status it was given."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    status: int

    @property
    def notice_id(self) -> str:
        """The idempotency key."""
        return self.headers["webhook-id"]

    @property
    def data(self) -> Any:
        """The JSON body."""
        return json.loads(self.body)


@dataclass
class Receiver:
    """What a test holds in hand: `answers` are given in turn, then 200 for ever.

    `reply` is the body of every answer.
    """

    url: str = ""
    answers: list[Answer] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    reply: bytes = b""

    @property
    def accepted(self) -> list[Received]:
        """The requests that were answered with success."""
        return [request for request in self.received if request.status == 200]


def verify_signature(secret: bytes, headers: Mapping[str, str], body: bytes) -> bool:
    """What a consumer does by the Standard Webhooks specification, written from that text."""
    content = b".".join(
        [headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body]
    )
    expected = base64.b64encode(hmac.digest(secret, content, hashlib.sha256)).decode()
    given = [part.partition(",") for part in headers["webhook-signature"].split(" ")]
    return any(version == "v1" and value == expected for version, _, value in given)


@contextmanager
def receiving(*answers: Answer) -> Iterator[Receiver]:
    """Serves on a free port until the block ends."""
    receiver = Receiver(answers=list(answers))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, headers = receiver.answers.pop(0) if receiver.answers else (200, {})
            lower = {name.lower(): value for name, value in self.headers.items()}
            receiver.received.append(Received(self.path, lower, body, status))
            self.send_response(status)
            for name, value in {"Content-Length": str(len(receiver.reply)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(receiver.reply)

        def log_message(self, *_: object) -> None:
            """Keeps the test's output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    receiver.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
