"""An invented market: polls of so many pairs, of which a given share changes from poll to poll.

Owns pairs, amounts and the order of polls. Hands out `Poll`s as the feeds make them, so everything
from there on is the ordinary write path. Does not store and does not measure. Called by writing.py,
hour.py and year.py.

Amounts look like the real ones: a fee of 0.05 to 30 dollars in a coin worth between 0.000001 and
60,000 dollars, with eight significant digits. They cannot all be packed into a few bytes. A change
draws a new amount within 20 % of the usual one, so a year of changes stays as realistic as a day.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import polars as pl
import pyarrow as pa

from ccpay_io.feeds.poll import Answers, Poll, poll_id_at
from ccpay_io.store.datasets import AMOUNT, DATASETS

EVERY_S = 300
FIATS_EVERY_S = 900
CHAINS = 40
PER_COIN = 5
FIATS = ("EUR", "GBP", "JPY", "CHF", "BRL", "INR", "NGN", "TRY", "AED", "VND")
_NAMES = [f"CHAIN{number:02}" for number in range(CHAINS)]
_DIGITS = 8
_SHARES = 2**28
_INQUIRY_ID = 32


class Amounts:
    """Exact amounts that change: integers of eight digits, each times its own power of ten.

    Args:
        usual: the amounts around which they move.
        share: share of them that changes at each step; at least one does.
    """

    def __init__(self, usual: list[float], share: float, source: random.Random) -> None:
        self._random = source
        self._changes = max(1, round(len(usual) * share))
        powers = [math.floor(math.log10(value)) - _DIGITS + 1 for value in usual]
        # 20 % more or less than these still has eight digits.
        digits = [
            min(max(round(value / 10.0**power), 12_500_000), 83_000_000)
            for value, power in zip(usual, powers, strict=True)
        ]
        self._digits = pl.Series(digits, dtype=pl.Int64)
        self._unit = pl.Series([Decimal(1).scaleb(power) for power in powers], dtype=AMOUNT)
        self._now = self._drawn(self._noise(1))

    def steps(self, count: int) -> Iterator[pl.Series]:
        """So many times all amounts, that share of them changed; what changes really differs."""
        height = len(self._digits)
        noise = self._noise(count)
        for number in range(count):
            mine = noise.slice(number * height, height)
            drawn = self._drawn(mine)
            drawn = (drawn + self._unit).zip_with(drawn == self._now, drawn)
            self._now = drawn.zip_with(mine <= mine.bottom_k(self._changes).max(), self._now)
            yield self._now

    def _noise(self, count: int) -> pl.Series:
        height = count * len(self._digits)
        bits = pa.py_buffer(self._random.randbytes(8 * height))
        return pl.Series(pl.from_arrow(pa.Array.from_buffers(pa.uint64(), height, [None, bits])))

    def _drawn(self, noise: pl.Series) -> pl.Series:
        """Amounts of 80 to 120 % of the usual ones; the noise's high bits choose what changes."""
        share = (noise % _SHARES).cast(pl.Int64)
        digits = self._digits * (2 * _SHARES + share) * 2 // (5 * _SHARES)
        return (digits.cast(AMOUNT) * self._unit).cast(AMOUNT)


class Market:
    """Pairs with fees that move, prices and fiat rates that move as often.

    Args:
        pairs: how many (coin, chain) pairs; a multiple of five, each coin being on five chains.
        change_rate: share of fees, prices and rates that differ from one poll to the next.
    """

    def __init__(self, pairs: int, change_rate: float, seed: int = 1) -> None:
        self._random = source = random.Random(seed)  # noqa: S311 - an invented market is no secret
        coins = range(1, max(CHAINS, pairs // PER_COIN) + 1)
        self.symbols = {coin: f"C{coin:03}" for coin in coins}
        self.pairs = [(1 + i // PER_COIN, _chain_of(i)) for i in range(pairs)]
        # A chain's own coin is what its fees are charged in, but for one pair in four: coin 1.
        fee_coins = [1 if i % 4 == 0 else 1 + _chain_of(i) for i in range(pairs)]
        self._priced = sorted(set(fee_coins))
        worth = {coin: 10 ** source.uniform(-6, 4.7) for coin in self._priced}
        fees = [10 ** source.uniform(-1.3, 1.47) / worth[coin] for coin in fee_coins]
        self._prices = Amounts(list(worth.values()), change_rate, source)
        self._fees = Amounts(fees, change_rate, source)
        rates = [10 ** source.uniform(-0.2, 4) for _ in FIATS]
        self._rates = Amounts(rates, change_rate, source)
        self._fee_frame = pl.DataFrame(
            {
                "coin_id": [coin for coin, _ in self.pairs],
                "chain": [_NAMES[chain] for _, chain in self.pairs],
                "fee_coin_id": fee_coins,
                "fee_coin": [self.symbols[coin] for coin in fee_coins],
            }
        ).with_columns(state=pl.lit("ok"), refusal_code=pl.lit(None, pl.Int64))

    def lists(self, at: datetime) -> list[Poll]:
        """One poll of chains, coins and networks each, in the minute before `at`."""
        coins = [
            {"coin_id": coin, "state": "ok", "coin": symbol, "status": "Normal"}
            for coin, symbol in self.symbols.items()
        ]
        networks = [
            {"coin_id": coin, "chain": _NAMES[chain], "state": "ok", "can_withdraw": True}
            for coin, chain in self.pairs
        ]
        listed = {
            "coins": {"swap_coin": [{k: c[k] for k in c if k != "status"} for c in coins]},
            "networks": {"coin": coins, "coin_network": networks},
        }
        return [
            self.watch(at - timedelta(seconds=60), 300),
            *(
                _poll(feed, at - timedelta(seconds=59 - n), 3600, {
                    name: DATASETS[name].frame(rows) for name, rows in tables.items()
                })
                for n, (feed, tables) in enumerate(listed.items())
            ),
        ]  # fmt: skip

    def watch(self, at: datetime, cadence_s: int) -> Poll:
        """A poll of the chains, all as they always are."""
        chains = [{"chain": name, "state": "normal", "status_raw": "Normal"} for name in _NAMES]
        return _poll("chains", at, cadence_s, {"chain": DATASETS["chain"].frame(chains)})

    def polls(self, first: datetime, count: int, every_s: int = EVERY_S) -> Iterator[list[Poll]]:
        """So many rounds of polls from `first` on: fiat rates when due, prices, fees."""
        moments = [first + timedelta(seconds=every_s * number) for number in range(count)]
        fees, prices = self._fees.steps(count), self._prices.steps(count)
        for at, fee, price in zip(moments, fees, prices, strict=True):
            polls = [self._price_poll(price, at, every_s), self._fee_poll(fee, at, every_s)]
            if int(at.timestamp()) % FIATS_EVERY_S < every_s:
                polls.insert(0, self._fiat_poll(at, max(every_s, FIATS_EVERY_S)))
            yield polls

    def _fee_poll(self, fees: pl.Series, at: datetime, cadence_s: int) -> Poll:
        frame = self._fee_frame.with_columns(
            fee_amount=fees, network_fee_inquiry_id=self._inquiry_ids()
        ).select(*DATASETS["withdraw_fee"].schema)
        return _poll("fees", at + timedelta(seconds=2), cadence_s, {"withdraw_fee": frame})

    def _inquiry_ids(self) -> pl.Series:
        """New in every answer, as the API's may be."""
        height = len(self.pairs)
        text = pa.py_buffer(self._random.randbytes(_INQUIRY_ID * height // 2).hex().encode())
        fixed = pa.Array.from_buffers(pa.binary(_INQUIRY_ID), height, [None, text])
        return pl.Series(pl.from_arrow(fixed)).cast(pl.String)

    def _price_poll(self, prices: pl.Series, at: datetime, cadence_s: int) -> Poll:
        columns = {"coin_id": self._priced, "state": ["ok"] * len(self._priced)}
        frame = pl.DataFrame(columns).with_columns(price_usd=prices)
        return _poll("prices", at + timedelta(seconds=1), cadence_s, {"coin_price": frame})

    def _fiat_poll(self, at: datetime, cadence_s: int) -> Poll:
        (rates,) = self._rates.steps(1)
        frame = DATASETS["fiat"].frame(
            [
                {"fiat_id": number, "state": "ok", "fiat": name, "usd_rate": rate}
                for number, (name, rate) in enumerate(zip(FIATS, rates, strict=True))
            ]
        )
        return _poll("fiats", at, cadence_s, {"fiat": frame})


def _chain_of(pair: int) -> int:
    coin, place = divmod(pair, PER_COIN)
    return (coin * 7 + place * 8) % CHAINS


def _poll(feed: str, at: datetime, cadence_s: int, frames: dict[str, pl.DataFrame]) -> Poll:
    return Poll(
        poll_id=poll_id_at(at),
        feed=feed,
        outcome="ok",
        started_at=at.astimezone(UTC),
        observed_at=at.astimezone(UTC) + timedelta(milliseconds=500),
        requests=sum(frame.height for frame in frames.values()),
        answers={name: Answers(frame) for name, frame in frames.items()},
        writer="bench",
        cadence_s=cadence_s,
    )
