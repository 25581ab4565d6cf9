"""A small web server in the foreground: quiet, and for this machine only.

Owns how uvicorn is run. What is served is the caller's: metrics.py and serving.py.
"""

from pathlib import Path

import uvicorn
from starlette.types import ASGIApp


def listen(app: ASGIApp, *, port: int, socket: Path | None = None) -> None:
    """Serves until it is ended, at a port of 127.0.0.1, or at a Unix socket instead."""
    uvicorn.run(
        app,
        uds=str(socket) if socket else None,
        host="127.0.0.1",
        port=port,
        log_level="warning",
        access_log=False,
        server_header=False,
    )
