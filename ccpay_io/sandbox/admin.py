"""The admin corner of a sandbox: misbehaviour on request, over HTTP and without a signature.

Owns its routes. Not part of CCPayment's API. Called by server.py.

    GET, POST, DELETE /admin/faults     one fault (faults.py); DELETE ends all
    POST /admin/chains                  {"chain": "TRX", "status": "Maintain" or null}
    GET, POST /admin/limits             {"rps": 20, "ban_after": 30, "quota": 1000}; {}: none
    POST /admin/clock                   {"skew_s": 300}: the sandbox's clock is so far ahead
    GET /admin/requests                 endpoint -> signed requests received
"""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ccpay_io.sandbox.scenario import Stage


class Admin:
    """The corner of one sandbox.

    Args:
        stage: what it changes and shows.
    """

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def routes(self) -> list[Route]:
        """Where it is."""
        return [
            Route("/admin/faults", self.faults, methods=["GET", "POST", "DELETE"]),
            Route("/admin/chains", self.chains, methods=["POST"]),
            Route("/admin/limits", self.limits, methods=["GET", "POST"]),
            Route("/admin/clock", self.clock, methods=["POST"]),
            Route("/admin/requests", self.requests),
        ]

    async def faults(self, request: Request) -> Response:
        """Faults in force, after one more or none of them."""
        if request.method == "POST":
            await self._take(request, "fault")
        elif request.method == "DELETE":
            self._stage.faults.clear()
        return JSONResponse([vars(fault) for fault in self._stage.faults.active])

    async def chains(self, request: Request) -> Response:
        """Pinned statuses, after one more or less."""
        match await request.json():
            case {"chain": str(chain), "status": None | str() as status}:
                self._stage.faults.pin(chain, status or "")
            case _:
                raise HTTPException(400, 'not {"chain": "...", "status": "..." or null}')
        return JSONResponse(self._stage.faults.statuses)

    async def limits(self, request: Request) -> Response:
        """Limits and what was made of them."""
        if request.method == "POST":
            await self._take(request, "limits")
        return JSONResponse(self._stage.limits.shown())

    async def clock(self, request: Request) -> Response:
        """How far the sandbox's clock is ahead."""
        match await request.json():
            case {"skew_s": int() | float() as skew_s}:
                self._stage.verifier.skew_s = float(skew_s)
            case _:
                raise HTTPException(400, 'not {"skew_s": seconds}')
        return JSONResponse({"skew_s": self._stage.verifier.skew_s})

    async def requests(self, request: Request) -> Response:
        """Endpoint -> signed requests received."""
        return JSONResponse(dict(self._stage.faults.requests))

    async def _take(self, request: Request, name: str) -> None:
        try:
            self._stage.take({name: await request.json()})
        except (AttributeError, TypeError, ValueError) as error:
            raise HTTPException(400, str(error)) from None
