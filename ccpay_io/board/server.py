"""Serves the board on loopback: the two files of <root>/board, and nothing else.

Owns the addresses and the headers. The page looks for a newer one by itself (main.js).
Building is not the server's. Called by pipelines/command/serving.py.
"""

from __future__ import annotations

from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from ccpay_io.board.building import page_path, status_path

# The page has its own policy inside; what only a header can say is here. Browsers ask each time,
# and get the page only when it is another one.
_HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def board_app(root: Path) -> Starlette:
    """The application, for one warehouse folder.

    Only requests that name this machine are answered: a page from elsewhere that has its own name
    point here would otherwise read the board in its visitor's browser.
    """

    async def page(request: Request) -> Response:
        return _file(page_path(root))

    async def status(request: Request) -> Response:
        return _file(status_path(root))

    return Starlette(
        routes=[Route("/", page), Route("/board.html", page), Route("/status.json", status)],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])],
    )


def _file(path: Path) -> Response:
    if not path.exists():
        return PlainTextResponse("the board has not been built yet\n", 503, headers=_HEADERS)
    return FileResponse(path, headers=_HEADERS)
