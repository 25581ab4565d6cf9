"""Serves /metrics and /health, on loopback or a socket, and nothing else.

Owns the addresses. Has no login: a proxy in front has one (deploy/nginx.conf.template). Called by
`ccpay metrics`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.metadata import version

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ccpay_io.settings import Settings
from ccpay_io.telemetry.families import Families
from ccpay_io.telemetry.figures import Source
from ccpay_io.telemetry.health import complaints


def telemetry_app(settings: Settings) -> Starlette:
    """The application, for one warehouse.

    Only requests that name this machine are answered, as with the board: a page from elsewhere that
    has its own name point here must not read this in its visitor's browser.
    """
    source = Source(settings.place)
    registry = CollectorRegistry()
    registry.register(Families(settings, source, version("ccpay-warehouse")))

    async def health(request: Request) -> JSONResponse:
        figures = await run_in_threadpool(source.newest)
        found = complaints(figures, settings, datetime.now(UTC))
        return JSONResponse(
            {"healthy": not found, "complaints": found},
            status_code=503 if found else 200,
            headers={"Cache-Control": "no-store"},
        )

    async def metrics(request: Request) -> Response:
        encode, media_type = choose_encoder(request.headers.get("accept", ""))
        return Response(
            await run_in_threadpool(encode, registry), headers={"Content-Type": media_type}
        )

    return Starlette(
        routes=[Route("/health", health), Route("/metrics", metrics)],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])],
    )
