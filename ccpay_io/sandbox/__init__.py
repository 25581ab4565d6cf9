"""A CCPayment server on loopback, for people without credentials and for tests.

Owns a world that moves (world.py), the HTTP server that verifies signatures and serves it
(server.py, verifying.py, running.py) and how it misbehaves on request (faults.py, spoiling.py,
limits.py, scenario.py, admin.py). Not used by a live installation. This module is light; the server
is imported when one is started.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.applications import Starlette

# Published on purpose: they open nothing but a sandbox.
SANDBOX_APP_ID = "202611230000000000000000sandbox1"
SANDBOX_APP_SECRET = "sandbox-secret-that-opens-nothing-else"  # noqa: S105
# An account whose token list is empty: what a new merchant sees.
EMPTY_APP_ID = "202611230000000000000000sandbox0"

API_PATH = "/ccpayment/v2"
DEFAULT_PORT = 8417
DEFAULT_SEED = 1


def locate(warehouse: Path) -> str | None:
    """The base URL of the sandbox that `ccpay up` or `ccpay sandbox` runs for this warehouse.

    None when the file `sandbox.url` is not there or no sandbox answers at the address in it.
    """
    from http.client import HTTPException
    from urllib.request import ProxyHandler, build_opener

    try:
        base_url = (warehouse / "sandbox.url").read_text("ascii").strip()
        host = base_url.removeprefix("http://").removesuffix(API_PATH)
        direct = build_opener(ProxyHandler({}))
        with direct.open(f"http://{host}/health", timeout=2) as answer:
            return base_url if b'"sandbox":true' in answer.read(1000) else None
    except (OSError, HTTPException, ValueError):
        return None


@contextmanager
def serving(app: Starlette | None = None, *, port: int = 0) -> Iterator[str]:
    """Serves a sandbox on loopback in a thread, for as long as the context is open.

    Args:
        app: from `server.build_app`; by default the standard world.
        port: 0 for any free one.

    Yields:
        The base URL for CCPAY_BASE_URL.
    """
    from ccpay_io.sandbox.running import serve_in_thread
    from ccpay_io.sandbox.server import build_app

    with serve_in_thread(app or build_app(), port) as bound:
        yield f"http://127.0.0.1:{bound}{API_PATH}"
