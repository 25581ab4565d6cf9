"""A server that bans whoever ignores its pace: real minutes against the sandbox, over real HTTP."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ccpay_io.sandbox import serving
from ccpay_io.sandbox.limits import Limits
from ccpay_io.sandbox.server import build_app
from ccpay_io.sandbox.world import World

PAIRS, RPS, BAN_AFTER = 1500, 20, 30

# A sweep as a process of its own: what the sensor, a run and the command line are to each other.
SWEEP = """
import asyncio, json, sys
from pathlib import Path
from ccpay_io.client import CcpayClient
from ccpay_io.feeds.fees import ask_fees
from ccpay_io.pacing import Pacer
from ccpay_io.sandbox import SANDBOX_APP_ID, SANDBOX_APP_SECRET
from ccpay_io.settings import Credentials, Secret

base_url, limits, first, last = sys.argv[1:]

async def main():
    pacer = Pacer(Path(limits), credentials_key="x", daily_budget=10**6)
    account = Credentials(Secret(SANDBOX_APP_ID), Secret(SANDBOX_APP_SECRET))
    pairs = json.load(sys.stdin)[int(first):int(last)]
    async with CcpayClient(account, base_url=base_url, pacer=pacer) as client:
        asked = await ask_fees(client, [tuple(p) for p in pairs], deadline_s=600, workers=8)
    fees = asked.answers["withdraw_fee"]
    print(json.dumps({"answered": len(fees.frame), "unknown": fees.unknown}))

asyncio.run(main())
"""


@pytest.fixture
def server() -> Iterator[tuple[str, Limits, list[tuple[int, str]]]]:
    """A sandbox that allows 20 requests a second and bans after 30 refusals; its pairs."""
    world, limits = World(lively=False), Limits()
    limits.set(rps=RPS, ban_after=BAN_AFTER)
    pairs = [(n.coin_id, n.chain) for n in world.universe.networks][:PAIRS]
    with serving(build_app(world, limits=limits)) as base_url:
        yield base_url, limits, pairs


@pytest.mark.torture
@pytest.mark.timeout(300)
@pytest.mark.parametrize("processes", [1, 2])
def test_a_sweep_ends_without_a_ban(
    processes: int, server: tuple[str, Limits, list[tuple[int, str]]], tmp_path: Path
) -> None:
    """1,500 pairs at 20 a second, by one process or two: few refusals, no ban, near the ideal."""
    base_url, limits, pairs = server
    share = PAIRS // processes
    started = time.monotonic()
    sweeps = [
        subprocess.Popen(
            [sys.executable, "-c", SWEEP, base_url, str(tmp_path / "limits.sqlite"),
             str(i * share), str((i + 1) * share)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            cwd=Path(__file__).parents[2],
        )
        for i in range(processes)
    ]  # fmt: skip

    async def finish() -> list[str]:
        told = json.dumps(pairs)
        return await asyncio.gather(
            *(asyncio.to_thread(lambda s=s: s.communicate(told)[0]) for s in sweeps)
        )

    results = [json.loads(out.splitlines()[-1]) for out in asyncio.run(finish())]
    took = time.monotonic() - started
    print(f"{processes}: {took:.1f} s, {limits.refused} refusals, {limits.allowed} allowed")  # noqa: T201
    assert not limits.banned
    assert limits.refused < 10
    assert took < 1.25 * PAIRS / RPS
    assert results == [{"answered": share, "unknown": 0}] * processes
