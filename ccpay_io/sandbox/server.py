"""The sandbox's HTTP server: CCPayment v2 as the reference describes it, on loopback.

Owns the eight endpoints and in which order a request is verified, limited, spoiled and answered.
Accepts any correctly signed body, empty or `{}`, like the real API. There is no payout endpoint.
Started by `ccpay sandbox`, `ccpay up`, sandbox-mode commands and tests, by way of running.py.
"""

from __future__ import annotations

import json
import random
import time
import uuid
from collections.abc import Callable
from email.utils import formatdate
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ccpay_io.sandbox import API_PATH, EMPTY_APP_ID, SANDBOX_APP_ID, SANDBOX_APP_SECRET
from ccpay_io.sandbox.addresses import is_plausible
from ccpay_io.sandbox.admin import Admin
from ccpay_io.sandbox.faults import Faults
from ccpay_io.sandbox.limits import Limits
from ccpay_io.sandbox.replies import Refused, failure, success
from ccpay_io.sandbox.scenario import Scenario, Stage
from ccpay_io.sandbox.spoiling import spoil
from ccpay_io.sandbox.verifying import Verifier
from ccpay_io.sandbox.world import World


class Sandbox:
    """One sandbox: a world, its clock, the credentials it accepts, what is wrong with it."""

    def __init__(self, world: World, stage: Stage, scenario: Scenario, speed: float) -> None:
        self.world = world
        self.faults = stage.faults
        self._stage = stage
        self._scenario = scenario
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
        self._scenario.catch_up(time.time() - self._started, self._stage)
        response = await self._respond(request, endpoint, body)
        response.headers["Date"] = formatdate(self._stage.verifier.clock, usegmt=True)
        return response

    async def _respond(self, request: Request, endpoint: str, body: bytes) -> Response:
        try:
            app_id = self._stage.verifier.app_of(request.headers, body)
            self.faults.requests[endpoint] += 1
            self._stage.limits.admit()
            arguments = _arguments(body)
            fault = self.faults.take(endpoint, arguments)
            if fault:
                return await spoil(
                    fault, request, lambda: self._endpoints[endpoint](arguments, app_id)
                )
            return success(self._endpoints[endpoint](arguments, app_id))
        except Refused as refused:
            return failure(refused)

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
    rsa_key: str | None = None,
    limits: Limits | None = None,
    scenario: Scenario | None = None,
    speed: float = 1.0,
) -> Starlette:
    """A sandbox as an ASGI application.

    Args:
        world: what it serves; by default the standard, lively one.
        faults: to make it misbehave from the same process.
        app_id, app_secret: the credentials it accepts, besides the empty account's.
        rsa_key: a key (PEM) whose signatures it accepts too.
        limits: a pace, a ban, a quota; by default none.
        scenario: what happens to it, and when.
        speed: how many times faster than real time the world moves.
    """
    verifier = Verifier({app_id: app_secret, EMPTY_APP_ID: app_secret}, rsa_key)
    stage = Stage(faults or Faults(), limits or Limits(), verifier)
    sandbox = Sandbox(world or World(), stage, scenario or Scenario(), speed)

    async def health(request: Request) -> Response:
        return JSONResponse(
            {"sandbox": True, "seed": sandbox.world.seed, "speed": speed, "world_time": sandbox.now}
        )

    app = Starlette(
        routes=[
            Route(API_PATH + "/{endpoint}", sandbox.answer, methods=["POST"]),
            Route("/health", health),
            *Admin(stage).routes(),
        ],
        exception_handlers={HTTPException: _explained},
    )
    # For whoever misbehaves from the same process: what the admin corner changes.
    app.state.stage = stage
    return app


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
