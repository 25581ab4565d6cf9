"""Every view against its recomputation, on histories that are as bad as they can be."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import duckdb
import pytest
from comparing import differences, key_of, rows_of
from hostile import history
from truth import VIEWS, Book
from truth.routes import payout_route

from ccpay_io.feeds.poll import Poll
from ccpay_io.settings import WatchSettings
from ccpay_io.store.schema import view_docs
from ccpay_io.store.writer import Warehouse

# Clocks change in Europe and in America, and a month ends.
AUTUMN = datetime(2025, 10, 22, 5, tzinfo=UTC)
SPRING = datetime(2025, 3, 24, 17, tzinfo=UTC)
FORTNIGHT = timedelta(days=14)
DOCS = {doc.name: doc for doc, _ in view_docs() if doc.kind != "inner"}
KEYS = {name: key_of(doc.text) for name, doc in DOCS.items() if doc.kind == "view"}
WATCH = (
    WatchSettings(),
    WatchSettings(coins=("USDC",), chains=("TON",), default_routes={"USDT": "TRX", "BNB": "BSC"}),
)


def _watched(watch: WatchSettings) -> list[tuple[str, str, str | None]]:
    return [
        *(("chain", chain, None) for chain in watch.chains),
        *(("coin", coin, None) for coin in watch.coins),
        *(("default_route", coin, chain) for coin, chain in watch.default_routes.items()),
    ]


def prove(warehouse: Warehouse, polls: Sequence[Poll], zone: str, watch: WatchSettings) -> None:
    """Fails with the first differences of each view and macro that differs."""
    con = duckdb.connect(str(warehouse.private), read_only=True)
    try:
        con.execute(f"SET TimeZone = '{zone}'; BEGIN")
        # Within a transaction the clock of DuckDB stands still.
        ((now,),) = con.execute("SELECT now()").fetchall()
        book = Book(polls, now.astimezone(UTC), _watched(watch))
        wrong = {}
        for name, key in KEYS.items():
            found = rows_of(con, f'SELECT * FROM "{name}"')
            wrong[name] = differences(key, found, VIEWS[name](book))
        for coin, amount in (("USDT", Decimal(500)), (4, Decimal("0.5")), ("BNB", Decimal(0))):
            found = rows_of(con, "FROM payout_route(?, ?)", [coin, amount])
            expected = payout_route(book, coin, amount)
            wrong[f"payout_route {coin}"] = differences(["coin_id", "chain"], found, expected)
    finally:
        con.close()
    assert {name: said[:4] for name, said in wrong.items() if said} == {}


def in_batches(rng: random.Random, polls: Sequence[Poll]) -> list[Sequence[Poll]]:
    """The polls in batches of 1 to 40, the last ten one by one."""
    batches = []
    start = 0
    while start < len(polls):
        size = 1 if start > len(polls) - 10 else rng.choice((1, 2, 5, 40))
        batches.append(polls[start : start + size])
        start += size
    return batches


def test_every_view_has_a_recomputation() -> None:
    """A new view comes with its proof."""
    assert set(KEYS) == set(VIEWS)


@pytest.mark.parametrize(
    ("seed", "since", "zone", "watch"),
    [
        (1, AUTUMN, "America/New_York", WATCH[0]),
        *(
            pytest.param(seed, SPRING, "Asia/Kathmandu", WATCH[1], marks=pytest.mark.torture)
            for seed in range(100, 112)
        ),
    ],
)
def test_a_hostile_history_in_one_batch(
    new_warehouse: Callable[[WatchSettings], Warehouse],
    seed: int,
    since: datetime,
    zone: str,
    watch: WatchSettings,
) -> None:
    """Every view and macro shows exactly what the polls say."""
    warehouse = new_warehouse(watch)
    polls = history(seed, since, since + FORTNIGHT)
    warehouse.commit(polls)

    prove(warehouse, polls, zone, watch)


@pytest.mark.parametrize(
    ("seed", "watch"),
    [
        (3, WATCH[1]),
        *(
            pytest.param(seed, WATCH[seed % 2], marks=pytest.mark.torture)
            for seed in range(200, 206)
        ),
    ],
)
def test_a_hostile_history_up_to_now_in_small_batches(
    new_warehouse: Callable[[WatchSettings], Warehouse], seed: int, watch: WatchSettings
) -> None:
    """The same while the answers are fresh, with batches between which the store is closed."""
    warehouse = new_warehouse(watch)
    now = datetime.now(UTC)
    polls = history(seed, now - timedelta(days=2), now)
    polls = [poll for poll in polls if poll.observed_at <= now]
    for batch in in_batches(random.Random(seed), polls):  # noqa: S311
        warehouse.commit(batch)

    prove(warehouse, polls, "Europe/Berlin", watch)
