"""The sandbox's HTTP server: CCPayment v2 as the reference describes it, on loopback.

Owns signature and timestamp checks, the eight endpoints, and an admin corner for faults. Accepts
any correctly signed body, empty or `{}`, like the real API. There is no payout endpoint. Started by
`ccpay sandbox`, `ccpay up`, sandbox-mode commands and tests, by way of running.py.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import random
import time
import uuid
from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ccpay_io.sandbox import API_PATH, EMPTY_APP_ID, SANDBOX_APP_ID, SANDBOX_APP_SECRET
from ccpay_io.sandbox.addresses import is_plausible
from ccpay_io.sandbox.faults import Faults
from ccpay_io.sandbox.replies import Refused, failure, success
from ccpay_io.sandbox.spoiling import spoil
from ccpay_io.sandbox.world import World

TIMESTAMP_VALID_S = 120


class Sandbox:
    """One sandbox: a world, its clock, the credentials it accepts, its faults."""

    def __init__(
        self, world: World, faults: Faults, credentials: dict[str, str], speed: float
    ) -> None:
        self.world = world
        self.faults = faults
        self._credentials = credentials
        self._speed = speed
        self._started = time.time()
        self._endpoints: dict[str, Callable[[dict[str, Any], str], dict[str, Any]]] = {
            "getChainList": self._chains,
            "getFiatList": lambda request, app: {"fiats": _shuffled(self.world.fiats(self.now))},
            "getSwapCoinList": lambda request, app: {
                "coins": [] if app == EMPTY_APP_ID else _shuffled(self.world.swap_coins())
            },
            "getCoinList": lambda request, app: {
                "coins": [] if app == EMPTY_APP_ID else _shuffled(self.world.coin_list(self.now))
            },
            "getCoinUSDTPrice": self._prices,
            "getWithdrawFee": self._fee,
            "checkWithdrawalAddressValidity": self._validity,
            "getCwalletUserId": self._user,
        }

    @property
    def now(self) -> float:
        """The world's time: the real start, then `speed` times as fast."""
        return self._started + (time.time() - self._started) * self._speed

    async def answer(self, request: Request) -> Response:
        """POST /ccpayment/v2/<endpoint>."""
        endpoint = request.path_params["endpoint"]
        body = await request.body()
        if endpoint not in self._endpoints:
            raise HTTPException(404)
        try:
            app_id = self._verified(request, body)
            self.faults.requests[endpoint] += 1
            arguments = _arguments(body)
            fault = self.faults.take(endpoint, arguments)
            if fault:
                return await spoil(
                    fault, request, lambda: self._endpoints[endpoint](arguments, app_id)
                )
            return success(self._endpoints[endpoint](arguments, app_id))
        except Refused as refused:
            return failure(refused)

    def _verified(self, request: Request, body: bytes) -> str:
        """The app id of a correctly signed request."""
        app_id = request.headers.get("Appid", "")
        timestamp = request.headers.get("Timestamp", "")
        secret = self._credentials.get(app_id)
        if secret is None:
            raise Refused(12001)
        if not (timestamp.isdecimal() and len(timestamp) == 10):
            raise Refused(11001)
        if abs(time.time() - int(timestamp)) > TIMESTAMP_VALID_S:
            raise Refused(11006)
        message = (app_id + timestamp).encode() + body
        wanted = hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(wanted.encode(), request.headers.get("Sign", "").encode()):
            raise Refused(11005)
        return app_id

    def _chains(self, request: dict[str, Any], app: str) -> dict[str, Any]:
        wanted = request.get("chains") or []
        if not isinstance(wanted, list):
            raise Refused(11000, "chains must be an array of strings")
        items = [
            {**item, "status": self.faults.statuses.get(item["chain"], item["status"])}
            for item in self.world.chains(self.now)
            if not wanted or item["chain"] in wanted
        ]
        return {"chains": _shuffled(items)}

    def _prices(self, request: dict[str, Any], app: str) -> dict[str, Any]:
        ids = request.get("coinIds")
        if not isinstance(ids, list) or not all(type(i) is int for i in ids):
            raise Refused(11000, "coinIds must be an array of integers")
        prices = {str(i): self.world.price(i, self.now) for i in ids}
        return {"prices": {i: price for i, price in prices.items() if price is not None}}

    def _fee(self, request: dict[str, Any], app: str) -> dict[str, Any]:
        coin_id, chain = request.get("coinId"), request.get("chain")
        if type(coin_id) is not int or not isinstance(chain, str):
            raise Refused(11000, "coinId and chain are required")
        fee = self.world.fee(coin_id, chain, self.now)
        if fee is None:
            raise Refused(13000 if self.world.price(coin_id, self.now) is None else 13001)
        if isinstance(fee, int):
            raise Refused(fee)
        return {"fee": {**fee, "networkFeeInquiryID": uuid.uuid4().hex}}

    def _validity(self, request: dict[str, Any], app: str) -> dict[str, Any]:
        chain, address = request.get("chain"), request.get("address")
        if not isinstance(chain, str) or not isinstance(address, str):
            raise Refused(11000, "chain and address are required")
        evm = {item["chain"]: item["isEVM"] for item in self.world.chains(self.now)}
        if chain not in evm:
            raise Refused(13001)
        return {"addrIsValid": is_plausible(chain, address, evm=evm[chain])}

    def _user(self, request: dict[str, Any], app: str) -> dict[str, Any]:
        user = request.get("cwalletUserId")
        if not isinstance(user, str) or not user.isdecimal():
            raise Refused(11003)
        return {"cwalletUserId": user, "cwalletUserName": f"{user[0]}***@sandbox.example"}


def build_app(
    world: World | None = None,
    *,
    faults: Faults | None = None,
    app_id: str = SANDBOX_APP_ID,
    app_secret: str = SANDBOX_APP_SECRET,
    speed: float = 1.0,
) -> Starlette:
    """A sandbox as an ASGI application.

    Args:
        world: what it serves; by default the standard, lively one.
        faults: to make it misbehave from the same process.
        app_id, app_secret: the credentials it accepts, besides the empty account's.
        speed: how many times faster than real time the world moves.
    """
    state = faults or Faults()
    credentials = {app_id: app_secret, EMPTY_APP_ID: app_secret}
    sandbox = Sandbox(world or World(), state, credentials, speed)

    async def health(request: Request) -> Response:
        return JSONResponse(
            {"sandbox": True, "seed": sandbox.world.seed, "speed": speed, "world_time": sandbox.now}
        )

    async def admin_faults(request: Request) -> Response:
        if request.method == "POST":
            try:
                state.add(**await request.json())
            except (TypeError, ValueError) as error:
                raise HTTPException(400, str(error)) from None
        elif request.method == "DELETE":
            state.clear()
        return JSONResponse([vars(fault) for fault in state.active])

    async def admin_chains(request: Request) -> Response:
        match await request.json():
            case {"chain": str(chain), "status": None}:
                state.statuses.pop(chain, None)
            case {"chain": str(chain), "status": str(status)}:
                state.statuses[chain] = status
            case _:
                raise HTTPException(400, 'not {"chain": "...", "status": "..." or null}')
        return JSONResponse(state.statuses)

    async def admin_requests(request: Request) -> Response:
        return JSONResponse(dict(state.requests))

    return Starlette(
        routes=[
            Route(API_PATH + "/{endpoint}", sandbox.answer, methods=["POST"]),
            Route("/health", health),
            Route("/admin/faults", admin_faults, methods=["GET", "POST", "DELETE"]),
            Route("/admin/chains", admin_chains, methods=["POST"]),
            Route("/admin/requests", admin_requests),
        ],
        exception_handlers={HTTPException: _explained},
    )


async def _explained(request: Request, error: Exception) -> Response:
    """Paths, methods and admin requests that do not exist here, in JSON like everything else."""
    assert isinstance(error, HTTPException)  # noqa: S101  # what it is registered for
    return JSONResponse({"sandbox": True, "detail": error.detail}, status_code=error.status_code)


def _arguments(body: bytes) -> dict[str, Any]:
    try:
        arguments = json.loads(body) if body else {}
    except ValueError:
        raise Refused(11000, "the body is not JSON") from None
    if not isinstance(arguments, dict):
        raise Refused(11000, "the body is not a JSON object")
    return arguments


def _shuffled(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same items in another order: the API promises none."""
    return random.sample(items, len(items))
