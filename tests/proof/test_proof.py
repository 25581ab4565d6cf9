"""Every view against its recomputation, on histories that are as bad as they can be."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from comparing import differences, differences_in_order, key_of, rows_of
from hostile import history
from payouts import payouts, store_payouts
from setting import Setting
from truth import MACROS, VIEWS, Book, Withdrawal
from truth.cookbook import RECIPES

from ccpay_io.demo import run_demo
from ccpay_io.feeds.poll import Poll
from ccpay_io.settings import load_settings
from ccpay_io.store.cookbook import recipes
from ccpay_io.store.schema import view_docs
from ccpay_io.store.writer import Committed, Evaluate, Warehouse

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


Wrong = dict[str, list[str]]
Part = Callable[[duckdb.DuckDBPyConnection, Book], Wrong]


def views(con: duckdb.DuckDBPyConnection, book: Book) -> Wrong:
    """How each view differs."""
    return {
        name: differences(key, rows_of(con, f'SELECT * FROM "{name}"'), VIEWS[name](book))
        for name, key in KEYS.items()
    }


def macros(con: duckdb.DuckDBPyConnection, book: Book) -> Wrong:
    """How each macro differs, with all that it is asked for."""
    wrong = {}
    for name, macro in MACROS.items():
        for parameters in macro.asked(book):
            found = rows_of(con, f"FROM {name}({', '.join('?' * len(parameters))})", parameters)
            said = differences(key_of(DOCS[name].text), found, macro.rows(book, *parameters))
            wrong[f"{name}{parameters}"] = said
    return wrong


def cookbook(con: duckdb.DuckDBPyConnection, book: Book) -> Wrong:
    """How each query of the cookbook differs, in its order."""
    wrong = {}
    for recipe in recipes():
        found, expected = rows_of(con, recipe.sql), RECIPES[recipe.name](book)
        wrong[recipe.name] = differences_in_order(recipe.key.split(", "), found, expected)
    return wrong


def prove(
    warehouse: Warehouse,
    polls: Sequence[Poll],
    zone: str,
    setting: Setting,
    made: Sequence[Withdrawal] = (),
    *,
    parts: Sequence[Part] = (views, macros, cookbook),
) -> None:
    """Fails with the first differences of each view, macro and query that differs."""
    con = duckdb.connect(str(warehouse.private), read_only=True)
    try:
        con.execute(f"SET TimeZone = '{zone}'; SET threads = 1; BEGIN")
        # Within a transaction the clock of DuckDB stands still.
        ((now,),) = con.execute("SELECT now()").fetchall()
        book = Book(polls, now.astimezone(UTC), setting.rows, setting.timezone, made)
        wrong = {name: said for part in parts for name, said in part(con, book).items()}
    finally:
        con.close()
    assert {name: said[:4] for name, said in wrong.items() if said} == {}


class Remembering(Warehouse):
    """Remembers the polls that it was given."""

    def __init__(self, root: Path, stamp: str) -> None:
        super().__init__(root, stamp)
        self.polls: list[Poll] = []

    def commit(self, polls: Sequence[Poll], *, evaluate: Evaluate | None = None) -> list[Committed]:
        """Stores them, as any warehouse does."""
        self.polls += polls
        return super().commit(polls, evaluate=evaluate)


def in_batches(rng: random.Random, polls: Sequence[Poll], small: int) -> list[Sequence[Poll]]:
    """So many polls in batches of 1 to 40, the last five one by one; those before in one batch."""
    start = max(0, len(polls) - small)
    batches = [polls[:start]]
    while start < len(polls):
        size = 1 if start > len(polls) - 5 else rng.choice((1, 2, 5, 40))
        batches.append(polls[start : start + size])
        start += size
    return batches


def test_every_view_and_table_macro_has_a_recomputation() -> None:
    """A new one comes with its proof."""
    macros = [doc for doc, _ in view_docs() if doc.kind == "macro"]
    tables = {doc.name for doc in macros if doc.text.startswith("Grain: a table macro")}
    assert set(KEYS) == set(VIEWS)
    assert tables == set(MACROS)


def test_every_query_of_the_cookbook_has_a_recomputation() -> None:
    """A new one comes with its proof."""
    assert {recipe.name for recipe in recipes()} == set(RECIPES)


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
    ("seed", "setting", "days", "small"),
    [
        pytest.param(3, SETTINGS[1], 8, 60, marks=pytest.mark.torture),
        *(
            pytest.param(seed, SETTINGS[seed % 2], *extent, marks=pytest.mark.torture)
            for extent in ((2, 10_000), (40, 100))
            for seed in range(200, 206)
        ),
    ],
)
def test_a_hostile_history_up_to_now_in_small_batches(
    new_warehouse: Callable[[Setting], Warehouse],
    seed: int,
    setting: Setting,
    days: int,
    small: int,
) -> None:
    """The same while the answers are fresh, with batches between which the store is closed."""
    warehouse = new_warehouse(setting)
    now = datetime.now(UTC)
    polls = history(seed, now - timedelta(days=days), now)
    polls = [poll for poll in polls if poll.observed_at <= now]
    for batch in in_batches(random.Random(seed), polls, small):  # noqa: S311
        warehouse.commit(batch)
    # The cookbook asks what last month has cost.
    made = payouts(seed, now - timedelta(days=40), now, 80)
    with warehouse.transaction() as con:
        store_payouts(con, made)

    prove(warehouse, polls, "Europe/Berlin", setting, made)


@pytest.mark.parametrize(
    ("length", "parts"),
    [
        (timedelta(minutes=11), (views, cookbook)),
        pytest.param(timedelta(hours=3), (views, macros, cookbook), marks=pytest.mark.torture),
    ],
)
def test_the_demo(tmp_path: Path, length: timedelta, parts: Sequence[Part]) -> None:
    """Its history is shown as the polls have it, all 1,798 pairs."""
    warehouse = Remembering(tmp_path / "data", "sandbox")
    now = datetime.now(UTC)
    run_demo(load_settings({}, cwd=tmp_path), warehouse, since=now - length, until=now)

    prove(warehouse, warehouse.polls, "UTC", Setting("UTC"), parts=parts)
