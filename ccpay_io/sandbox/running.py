"""Runs a sandbox on loopback, in a thread of this process.

Owns the port and uvicorn. Called by `serving` of the package.
"""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from ccpay_io.errors import ConfigError


class _Protocol(AutoHTTPProtocol):  # type: ignore[misc,valid-type]  # chosen by uvicorn at import
    """uvicorn's HTTP protocol, where a request can reach its connection: some faults break it."""

    app_state: dict[str, Any]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.app_state = {**self.app_state, "connection": transport}


@contextmanager
def serve_in_thread(app: Starlette, port: int) -> Iterator[int]:
    """Serves an application on loopback in a thread; yields the port.

    Args:
        app: from `server.build_app`.
        port: 0 for any free one.

    Raises:
        ConfigError: the port is taken.
    """
    listener = _listen(port)
    config = uvicorn.Config(
        app,
        http=_Protocol,
        ws="none",
        lifespan="off",
        log_level="error",
        access_log=False,
        # The sandbox's clock may be off on request.
        date_header=False,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    try:
        while not server.started and thread.is_alive():
            time.sleep(0.005)
        yield int(listener.getsockname()[1])
    finally:
        server.should_exit = True
        thread.join(timeout=5)
        listener.close()


def _listen(port: int) -> socket.socket:
    """A listening socket; listening at once keeps a second sandbox from taking the same port."""
    listener = socket.socket()
    # A sandbox that is started again must not wait for its old connections to expire.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
        listener.listen(512)
    except OSError:
        listener.close()
        raise ConfigError(
            f"port {port} is in use", hint="stop what uses it, or name another with --port"
        ) from None
    return listener
