"""An invented market: the polls of so many days, of which a given share changes from poll to poll.

Owns pairs, amounts and the order of polls. Hands out `Poll`s as the feeds make them, so everything
from there on is the ordinary write path. Does not store and does not measure. Called by writing.py.

Amounts look like the real ones: a fee of 0.05 to 30 dollars in a coin worth between 0.000001 and
60,000 dollars, with eight significant digits. They cannot all be packed into a few bytes.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import polars as pl

from ccpay_io.feeds.poll import Answers, Poll, poll_id_at
from ccpay_io.store.datasets import AMOUNT, DATASETS

EVERY_S = 300
FIATS_EVERY = 3
CHAINS = 40
PER_COIN = 5
FIATS = ("EUR", "GBP", "JPY", "CHF", "BRL", "INR", "NGN", "TRY", "AED", "VND")
_SCALE = 18
_DIGITS = 8


class Market:
    """Pairs with fees that move, prices and fiat rates that move as often.

    Args:
        pairs: how many (coin, chain) pairs; a multiple of five, each coin being on five chains.
        change_rate: share of fees, prices and rates that differ from one poll to the next.
        end: the moment of the last poll, UTC.
    """

    def __init__(self, pairs: int, change_rate: float, end: datetime, seed: int = 1) -> None:
        self._random = random.Random(seed)  # noqa: S311 - an invented market is no secret
        self._rate = change_rate
        self._end = end.astimezone(UTC)
        coins = range(1, max(CHAINS, pairs // PER_COIN) + 1)
        self.symbols = {coin: f"C{coin:03}" for coin in coins}
        self.pairs = [(1 + i // PER_COIN, _chain_of(i)) for i in range(pairs)]
        # A chain's own coin is what its fees are charged in, but for one pair in four: coin 1.
        self._fee_coins = [1 if i % 4 == 0 else 1 + _chain_of(i) for i in range(pairs)]
        self._priced = sorted(set(self._fee_coins))
        self._prices = [_rounded(int(10 ** self._random.uniform(12, 22.7))) for _ in self._priced]
        worth = dict(zip(self._priced, self._prices, strict=True))
        self._fees = [self._fee(worth[coin]) for coin in self._fee_coins]
        self._rates = [_rounded(int(10 ** self._random.uniform(17.8, 22))) for _ in FIATS]

    def lists(self, first: datetime) -> list[Poll]:
        """One poll of chains, coins and networks, just before the first poll of fees."""
        chains = [{"chain": name, "state": "normal", "status_raw": "Normal"} for name in _NAMES]
        coins = [
            {"coin_id": coin, "state": "ok", "coin": symbol, "status": "Normal"}
            for coin, symbol in self.symbols.items()
        ]
        networks = [
            {"coin_id": coin, "chain": _NAMES[chain], "state": "ok", "can_withdraw": True}
            for coin, chain in self.pairs
        ]
        listed = {
            "chains": {"chain": chains},
            "coins": {"swap_coin": [{k: c[k] for k in c if k != "status"} for c in coins]},
            "networks": {"coin": coins, "coin_network": networks},
        }
        return [
            _poll(feed, first - timedelta(seconds=60 - n), 3600, {
                name: DATASETS[name].frame(rows) for name, rows in tables.items()
            })
            for n, (feed, tables) in enumerate(listed.items())
        ]  # fmt: skip

    def polls(self, count: int) -> Iterator[list[Poll]]:
        """The polls of each five minutes, oldest first: fiat rates (every 15), prices, fees."""
        first = self._end - timedelta(seconds=EVERY_S * (count - 1))
        for number in range(count):
            at = first + timedelta(seconds=EVERY_S * number)
            polls = self.lists(first) if number == 0 else []
            if number % FIATS_EVERY == 0:
                polls.append(self._fiat_poll(at))
            yield [*polls, self._price_poll(at), self._fee_poll(at)]

    def _fee(self, price: int) -> int:
        dollars = int(10 ** self._random.uniform(16.7, 19.5))
        return _rounded(dollars * 10**_SCALE // price)

    def _move(self, values: list[int]) -> None:
        """Changes that share of the values by up to 10 %, in place; each really differs."""
        for i in self._random.sample(range(len(values)), max(1, round(len(values) * self._rate))):
            before = values[i]
            while values[i] == before:
                values[i] = _rounded(before * self._random.randint(900_000, 1_110_000) // 1_000_000)

    def _fee_poll(self, at: datetime) -> Poll:
        self._move(self._fees)
        height = len(self.pairs)
        frame = pl.DataFrame(
            {
                "coin_id": [coin for coin, _ in self.pairs],
                "chain": [_NAMES[chain] for _, chain in self.pairs],
                "state": ["ok"] * height,
                "refusal_code": [None] * height,
                "fee_amount": _amounts(self._fees),
                "fee_coin_id": self._fee_coins,
                "fee_coin": [self.symbols[coin] for coin in self._fee_coins],
                # New in every answer, as the API's may be.
                "network_fee_inquiry_id": [f"{self._random.getrandbits(128):032x}"
                                           for _ in self.pairs],
            },
            schema=DATASETS["withdraw_fee"].schema,
        )  # fmt: skip
        return _poll("fees", at + timedelta(seconds=2), EVERY_S, {"withdraw_fee": frame})

    def _price_poll(self, at: datetime) -> Poll:
        self._move(self._prices)
        columns = {"coin_id": self._priced, "price_usd": _amounts(self._prices)}
        frame = pl.DataFrame(columns).select("coin_id", pl.lit("ok").alias("state"), "price_usd")
        return _poll("prices", at + timedelta(seconds=1), EVERY_S, {"coin_price": frame})

    def _fiat_poll(self, at: datetime) -> Poll:
        self._move(self._rates)
        rows = [
            {"fiat_id": number, "state": "ok", "fiat": name, "usd_rate": _decimal(rate)}
            for number, (name, rate) in enumerate(zip(FIATS, self._rates, strict=True))
        ]
        frame = DATASETS["fiat"].frame(rows)
        return _poll("fiats", at, EVERY_S * FIATS_EVERY, {"fiat": frame})


_NAMES = [f"CHAIN{number:02}" for number in range(CHAINS)]


def _chain_of(pair: int) -> int:
    coin, place = divmod(pair, PER_COIN)
    return (coin * 7 + place * 8) % CHAINS


def _rounded(mantissa: int) -> int:
    """Keeps the significant digits of an amount, and never reaches zero."""
    cut = 10 ** max(0, len(str(mantissa)) - _DIGITS)
    return max(cut, mantissa // cut * cut)


def _decimal(mantissa: int) -> Decimal:
    return Decimal(mantissa).scaleb(-_SCALE)


def _amounts(mantissas: list[int]) -> pl.Series:
    return pl.Series([_decimal(m) for m in mantissas], dtype=AMOUNT)


def _poll(feed: str, at: datetime, cadence_s: int, frames: dict[str, pl.DataFrame]) -> Poll:
    return Poll(
        poll_id=poll_id_at(at),
        feed=feed,
        outcome="ok",
        started_at=at,
        observed_at=at + timedelta(milliseconds=500),
        requests=sum(frame.height for frame in frames.values()),
        answers={name: Answers(frame) for name, frame in frames.items()},
        writer="bench",
        cadence_s=cadence_s,
    )
