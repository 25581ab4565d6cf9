"""A history to look at: the sandbox's world, written back in time through the ordinary write path.

Owns which moments of the past are polled (coarser the longer ago) and the client that answers from
the world instead of from a server. Parsed answers, comparison, ledger and publication are those of
real polls. Called by `ccpay demo`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from ccpay_io.answers import read_coins, read_fee, read_list, read_prices
from ccpay_io.codes import error_for_code
from ccpay_io.errors import ConfigError
from ccpay_io.feeds.asked import Asked
from ccpay_io.feeds.chains import ask_chains
from ccpay_io.feeds.coins import ask_coins
from ccpay_io.feeds.fees import ask_fees
from ccpay_io.feeds.fiats import ask_fiats
from ccpay_io.feeds.networks import ask_networks
from ccpay_io.feeds.poll import Poll, poll_id_at
from ccpay_io.feeds.prices import ask_prices
from ccpay_io.models import Chain, Coin, CoinPrices, Fiat, Listed, SwapCoin, WithdrawFee
from ccpay_io.sandbox.world import World
from ccpay_io.settings import Settings
from ccpay_io.store.writer import Warehouse

BATCH = 48
# What is younger than so many days is polled every so many seconds.
_STEPS = ((2, 300), (10, 3600), (10_000, 7200))
_LIST_EVERY_S = 6 * 3600
_FEEDS_OF = {"lists": ("coins", "networks"), "fees": ("prices", "fees")}


class WorldClient:
    """Answers like CcpayClient, from the world as it was at `moment`, without any server."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.moment = 0.0

    async def get_chain_list(self) -> Listed[Chain]:
        """The world's chains, as getChainList lists them."""
        data = {"chains": self._world.chains(self.moment)}
        return read_list("getChainList", data, "chains", Chain, "chain")

    async def get_fiat_list(self) -> Listed[Fiat]:
        """The world's rates, as getFiatList lists them."""
        data = {"fiats": self._world.fiats(self.moment)}
        return read_list("getFiatList", data, "fiats", Fiat, "fiatId")

    async def get_swap_coin_list(self) -> Listed[SwapCoin]:
        """The world's swap coins, as getSwapCoinList lists them."""
        data = {"coins": self._world.swap_coins()}
        return read_list("getSwapCoinList", data, "coins", SwapCoin, "coinId")

    async def get_coin_list(self) -> Listed[Coin]:
        """The world's coins and networks, as getCoinList lists them."""
        return read_coins("getCoinList", {"coins": self._world.coin_list(self.moment)})

    async def get_coin_usdt_price(self, coin_ids: Sequence[int]) -> CoinPrices:
        """The world's prices of these coins, as getCoinUSDTPrice answers."""
        prices = {str(i): self._world.price(i, self.moment) for i in coin_ids}
        return read_prices("getCoinUSDTPrice", {"prices": prices})

    async def get_withdraw_fee(self, coin_id: int, chain: str) -> WithdrawFee:
        """The world's fee, or the error of its refusal, as getWithdrawFee answers."""
        fee = self._world.fee(coin_id, chain, self.moment)
        if isinstance(fee, int):
            raise error_for_code("getWithdrawFee", fee, "")
        return read_fee("getWithdrawFee", {"fee": fee})


def run_demo(
    settings: Settings,
    warehouse: Warehouse,
    *,
    since: datetime,
    until: datetime,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> int:
    """Writes a history and publishes it; returns the number of polls.

    Args:
        settings: of the sandbox.
        warehouse: an empty one.
        since: start of the history.
        until: its end, usually the present moment.
        on_progress: called with (polls written, polls to write).

    Raises:
        ConfigError: the settings are for a live account, or there is data already.
    """
    if settings.environment != "sandbox":
        raise ConfigError(
            "the demo writes invented data; these settings are for a live account",
            hint="run it where no CCPAY_ variable is set, or with another CCPAY_WAREHOUSE",
        )
    with warehouse.transaction() as con:
        if con.execute("SELECT 1 FROM store.poll LIMIT 1").fetchone():
            raise ConfigError(
                f"{warehouse.root} has data already, and a history is written in order of time",
                hint="name an empty folder with CCPAY_WAREHOUSE, or delete the sandbox folder",
            )
    plan = list(_plan(since, until))
    asyncio.run(_write(settings, warehouse, plan, on_progress))
    warehouse.publish(force=True)
    return len(plan)


def _plan(since: datetime, until: datetime) -> Iterator[tuple[datetime, str, int]]:
    """(moment, feed, cadence in seconds) of each poll, in order of time."""
    moment, last = since, dict.fromkeys(("chains", "fiats", "lists", "fees"), -1e12)
    while moment < until:
        age_days = (until - moment).total_seconds() / 86_400
        step = next(seconds for days, seconds in _STEPS if age_days <= days)
        due = {"lists": _LIST_EVERY_S, "fiats": max(900, step), "chains": step, "fees": step}
        for number, (what, every) in enumerate(due.items()):
            if moment.timestamp() - last[what] >= every:
                last[what] = moment.timestamp()
                for offset, feed in enumerate(_FEEDS_OF.get(what, (what,))):
                    yield moment + timedelta(seconds=10 * number + offset), feed, every
        moment += timedelta(seconds=60)


async def _write(
    settings: Settings,
    warehouse: Warehouse,
    plan: list[tuple[datetime, str, int]],
    on_progress: Callable[[int, int], None],
) -> None:
    world = World(lively=False)
    client = WorldClient(world)
    batch: list[Poll] = []
    for done, (moment, feed, cadence_s) in enumerate(plan, 1):
        client.moment = moment.timestamp()
        batch.append(_poll(moment, feed, cadence_s, await _ask(client, world, feed)))
        if len(batch) == BATCH or done == len(plan):
            warehouse.commit(batch)
            batch.clear()
            on_progress(done, len(plan))


async def _ask(client: WorldClient, world: World, feed: str) -> Asked:
    match feed:
        case "chains":
            return await ask_chains(client)
        case "fiats":
            return await ask_fiats(client)
        case "coins":
            return await ask_coins(client)
        case "networks":
            return await ask_networks(client)
        case "prices":
            return await ask_prices(
                client, sorted({n.fee_coin_id for n in world.universe.networks})
            )
    pairs = [(n.coin_id, n.chain) for n in world.universe.networks]
    return await ask_fees(client, pairs, deadline_s=60, workers=1)


def _poll(moment: datetime, feed: str, cadence_s: int, asked: Asked) -> Poll:
    return Poll(
        poll_id=poll_id_at(moment),
        feed=feed,
        outcome="ok",
        started_at=moment.astimezone(UTC),
        observed_at=(moment + timedelta(seconds=1)).astimezone(UTC),
        requests=0,
        answers=asked.answers,
        writer="demo",
        cadence_s=cadence_s,
        content_hash=asked.content_hash,
        listed=asked.listed,
        drift=asked.drift,
    )
