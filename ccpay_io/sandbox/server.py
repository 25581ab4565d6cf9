"""The sandbox's HTTP server: CCPayment v2 as the reference describes it, on loopback.

Owns signature and timestamp checks, the eight endpoints, and an admin corner for faults. Accepts any
correctly signed body, empty or `{}`, like the real API. There is no payout endpoint. Started by
`ccpay sandbox`, `ccpay up`, sandbox-mode commands and tests.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import random
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from ccpay_io.errors import CODE_ERRORS, ConfigError
from ccpay_io.sandbox import API_PATH, EMPTY_APP_ID, SANDBOX_APP_ID, SANDBOX_APP_SECRET
from ccpay_io.sandbox.addresses import is_plausible
from ccpay_io.sandbox.faults import Fault, Faults
from ccpay_io.sandbox.world import World

TIMESTAMP_VALID_S = 120
_LISTS = {
    "getChainList": "chains",
    "getFiatList": "fiats",
    "getSwapCoinList": "coins",
    "getCoinList": "coins",
}


class Refused(Exception):
    """The API's way of saying no: a code."""

    def __init__(self, code: int, message: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.message = message or (CODE_ERRORS[code].name if code in CODE_ERRORS else "error")


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
            return JSONResponse({"detail": "no such endpoint in this sandbox"}, status_code=404)
        try:
            app_id = self._verified(request, body)
            self.faults.requests[endpoint] += 1
            arguments = _arguments(body)
            fault = self.faults.take(endpoint, arguments)
            if fault:
                return await self._spoiled(fault, endpoint, arguments, app_id, request)
            return _success(self._endpoints[endpoint](arguments, app_id))
        except Refused as refused:
            return _failure(refused.code, refused.message)

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
        if not hmac.compare_digest(wanted, request.headers.get("Sign", "")):
            raise Refused(11005)
        return app_id

    def _chains(self, request: dict[str, Any], app: str) -> dict[str, Any]:
        wanted = request.get("chains")
        items = [
            {**item, "status": self.faults.statuses.get(item["chain"], item["status"])}
            for item in self.world.chains(self.now)
            if not wanted or item["chain"] in wanted
        ]
        return {"chains": _shuffled(items)}

    def _prices(self, request: dict[str, Any], app: str) -> dict[str, Any]:
        ids = request.get("coinIds")
        if not isinstance(ids, list) or not all(isinstance(i, int) for i in ids):
            raise Refused(11000, "coinIds must be an array of integers")
        prices = {str(i): self.world.price(i, self.now) for i in ids}
        return {"prices": {i: price for i, price in prices.items() if price is not None}}

    def _fee(self, request: dict[str, Any], app: str) -> dict[str, Any]:
        coin_id, chain = request.get("coinId"), request.get("chain")
        if not isinstance(coin_id, int) or not isinstance(chain, str):
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

    async def _spoiled(
        self, fault: str, endpoint: str, arguments: dict[str, Any], app: str, request: Request
    ) -> Response:
        """The response that a fault makes of a request."""
        name, _, value = fault.partition(":")
        match name:
            case "code":
                code, _, message = value.partition(" ")
                return _failure(int(code), message or Refused(int(code)).message)
            case "status":
                return Response(b"upstream failure", int(value), media_type="text/plain")
            case "html":
                return HTMLResponse("<html><body>502 Bad Gateway</body></html>")
            case "echo":
                return HTMLResponse(f"<pre>{dict(request.headers)}</pre>", 500)
            case "not_json":
                return Response(b'{"code": 10000, "data": {"ch', media_type="application/json")
            case "cut" | "reset":
                return _broken(after=0 if name == "reset" else 20)
            case "slow":
                await asyncio.sleep(float(value))
                return _success(self._endpoints[endpoint](arguments, app))
            case "null":
                return JSONResponse({"code": 10000, "msg": "success", "data": None})
        return _success(_bent(name, value, endpoint, self._endpoints[endpoint](arguments, app)))


def _bent(name: str, value: str, endpoint: str, data: dict[str, Any]) -> dict[str, Any]:
    """Faults that change the content of an answer."""
    listed = _LISTS.get(endpoint, "")
    items = data.get(listed, [])
    match name:
        case "empty":
            return {listed: []}
        case "half":
            return {listed: sorted(items, key=str)[: len(items) // 2]}
        case "status_word":
            return {listed: [{**item, "status": value} for item in items]}
        case "set":
            field, _, text = value.partition("=")
            if listed:
                return {listed: [{**item, field: json.loads(text)} for item in items]}
            return {key: {**inner, field: json.loads(text)} for key, inner in data.items()}
    raise Refused(11000, f"the sandbox has no fault {name!r}")


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
            state.active.append(Fault(**{"endpoint": "*", **await request.json()}))
        elif request.method == "DELETE":
            state.clear()
        return JSONResponse([vars(fault) for fault in state.active])

    async def admin_chains(request: Request) -> Response:
        wanted = await request.json()
        state.statuses.pop(wanted["chain"], None)
        if wanted.get("status") is not None:
            state.statuses[wanted["chain"]] = wanted["status"]
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
        ]
    )


@contextmanager
def serve_in_thread(app: Starlette, port: int) -> Iterator[int]:
    """Serves an application on loopback in a thread; yields the port.

    Raises:
        ConfigError: the port is taken.
    """
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError:
        listener.close()
        raise ConfigError(
            f"port {port} is in use", hint="stop what uses it, or name another with --port"
        ) from None
    config = uvicorn.Config(
        app, log_level="error", access_log=False, lifespan="off", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.005)
        yield int(listener.getsockname()[1])
    finally:
        server.should_exit = True
        thread.join(timeout=5)
        listener.close()


def _arguments(body: bytes) -> dict[str, Any]:
    try:
        arguments = json.loads(body) if body else {}
    except ValueError:
        raise Refused(11000, "the body is not JSON") from None
    if not isinstance(arguments, dict):
        raise Refused(11000, "the body is not a JSON object")
    return arguments


def _broken(after: int) -> Response:
    """A response that announces more than it sends before the connection goes."""

    async def body() -> Any:
        if after:
            yield b'{"code": 10000, "msg": '[:after]
        raise ConnectionResetError("a fault of the sandbox")

    return StreamingResponse(body(), headers={"Content-Length": "100000"})


def _shuffled(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same items in another order: the API promises none."""
    return random.sample(items, len(items))


def _success(data: dict[str, Any]) -> Response:
    return JSONResponse({"code": 10000, "msg": "success", "data": data})


def _failure(code: int, message: str) -> Response:
    return JSONResponse({"code": code, "msg": message, "data": None})
