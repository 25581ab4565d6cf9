"""Every view against its recomputation, on histories that are as bad as they can be."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import duckdb
import pytest
from comparing import differences, key_of, rows_of
from hostile import history
from payouts import payouts, store_payouts
from setting import Setting
from truth import MACROS, VIEWS, Book, Withdrawal

from ccpay_io.feeds.poll import Poll
from ccpay_io.store.schema import view_docs
from ccpay_io.store.writer import Warehouse

# Clocks change in Europe and in America, and a month ends.
AUTUMN = datetime(2025, 10, 22, 5, tzinfo=UTC)
SPRING = datetime(2025, 3, 24, 17, tzinfo=UTC)
FORTNIGHT = timedelta(days=14)
DOCS = {doc.name: doc for doc, _ in view_docs() if doc.kind != "inner"}
KEYS = {name: key_of(doc.text) for name, doc in DOCS.items() if doc.kind == "view"}
SETTINGS = (
    Setting("UTC"),
    Setting(
        "Europe/Berlin",
        coins=("USDC",),
        chains=("TON",),
        default_routes={"USDT": "TRX", "BNB": "BSC"},
    ),
)


def prove(
    warehouse: Warehouse,
    polls: Sequence[Poll],
    zone: str,
    setting: Setting,
    made: Sequence[Withdrawal] = (),
) -> None:
    """Fails with the first differences of each view and macro that differs."""
    con = duckdb.connect(str(warehouse.private), read_only=True)
    try:
        con.execute(f"SET TimeZone = '{zone}'; BEGIN")
        # Within a transaction the clock of DuckDB stands still.
        ((now,),) = con.execute("SELECT now()").fetchall()
        book = Book(polls, now.astimezone(UTC), setting.rows, setting.timezone, made)
        wrong = {}
        for name, key in KEYS.items():
            found = rows_of(con, f'SELECT * FROM "{name}"')
            wrong[name] = differences(key, found, VIEWS[name](book))
        for name, macro in MACROS.items():
            for parameters in macro.asked(book):
                found = rows_of(con, f"FROM {name}({', '.join('?' * len(parameters))})", parameters)
                expected = macro.rows(book, *parameters)
                said = differences(key_of(DOCS[name].text), found, expected)
                wrong[f"{name}{parameters}"] = said
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


def test_every_view_and_table_macro_has_a_recomputation() -> None:
    """A new one comes with its proof."""
    macros = [doc for doc, _ in view_docs() if doc.kind == "macro"]
    tables = {doc.name for doc in macros if doc.text.startswith("Grain: a table macro")}
    assert set(KEYS) == set(VIEWS)
    assert tables == set(MACROS)


@pytest.mark.parametrize(
    ("seed", "since", "zone", "setting"),
    [
        (1, AUTUMN, "America/New_York", SETTINGS[0]),
        *(
            pytest.param(seed, SPRING, "Asia/Kathmandu", SETTINGS[1], marks=pytest.mark.torture)
            for seed in range(100, 112)
        ),
    ],
)
def test_a_hostile_history_in_one_batch(
    new_warehouse: Callable[[Setting], Warehouse],
    seed: int,
    since: datetime,
    zone: str,
    setting: Setting,
) -> None:
    """Every view and macro shows exactly what the polls say."""
    warehouse = new_warehouse(setting)
    polls = history(seed, since, since + FORTNIGHT)
    warehouse.commit(polls)
    # In the autumn that is the end of October in Berlin: what comes after is estimated.
    made = payouts(seed, since, since + timedelta(days=9, hours=18))
    with warehouse.transaction() as con:
        store_payouts(con, made)

    prove(warehouse, polls, zone, setting, made)


@pytest.mark.parametrize(
    ("seed", "setting"),
    [
        (3, SETTINGS[1]),
        *(
            pytest.param(seed, SETTINGS[seed % 2], marks=pytest.mark.torture)
            for seed in range(200, 206)
        ),
    ],
)
def test_a_hostile_history_up_to_now_in_small_batches(
    new_warehouse: Callable[[Setting], Warehouse], seed: int, setting: Setting
) -> None:
    """The same while the answers are fresh, with batches between which the store is closed."""
    warehouse = new_warehouse(setting)
    now = datetime.now(UTC)
    polls = history(seed, now - timedelta(days=2), now)
    polls = [poll for poll in polls if poll.observed_at <= now]
    for batch in in_batches(random.Random(seed), polls):  # noqa: S311
        warehouse.commit(batch)

    prove(warehouse, polls, "Europe/Berlin", setting)
