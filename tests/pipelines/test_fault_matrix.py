"""docs/faults.md is what really happens: each fault at each endpoint, over HTTP, and stored."""

from __future__ import annotations

import asyncio
import dataclasses
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
import stamina

# The matrix is a module of its own, which importlib mode does not put on the path.
sys.path.insert(0, str(Path(__file__).parent))

from fault_matrix import ENDPOINTS, TIMEOUT_S, Matrix, Met, page_of

from ccpay_io.feeds.plan import plan_poll
from ccpay_io.feeds.session import open_collector, open_warehouse
from ccpay_io.sandbox import SANDBOX_APP_ID, SANDBOX_APP_SECRET, serving
from ccpay_io.sandbox.faults import Faults
from ccpay_io.sandbox.limits import Limits
from ccpay_io.sandbox.scenario import Stage
from ccpay_io.sandbox.server import build_app
from ccpay_io.sandbox.world import World
from ccpay_io.settings import Settings, load_settings

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"
FEEDS = tuple(dict.fromkeys(ENDPOINTS.values()))

CONFIG = """
[watch]
[[watch.addresses]]
label = "cold"
chain = "TRX"
address = "TXmVpin5vq5gdZsciyyjdZgKRUju4st1wM"
[[watch.cwallet_ids]]
label = "partner"
cwallet_user_id = "35255142"
"""

# What is known of each entity, to be compared before and after.
KNOWN = {
    "chain": "chain, state, status_raw",
    "fiat": "fiat_id, state, usd_rate",
    "swap_coin": "coin_id, state, coin",
    "coin_network": "coin_id, chain, state, min_withdraw_amount",
    "coin_price": "coin_id, state, price_usd",
    "withdraw_fee": "coin_id, chain, fee_amount, fee_coin",
}


class StillWorld(World):
    """Nothing moves, so that whatever differs afterwards was not served."""

    def chain_status(self, chain: str, t: float) -> str:
        """Always the same."""
        return "Normal"

    def price(self, coin_id: int, t: float) -> str | None:
        """As it always was."""
        return super().price(coin_id, 1_770_000_000)

    def fee(self, coin_id: int, chain: str, t: float):
        """As it always was."""
        return super().fee(coin_id, chain, 1_770_000_000)

    def fiats(self, t: float):
        """As they always were."""
        return super().fiats(1_770_000_000)


def still_world() -> StillWorld:
    """Two coins with their networks, six chains and fiats."""
    found = StillWorld(lively=False)
    universe = found.universe
    on = Counter(n.coin_id for n in universe.networks)
    few = [row for row in universe.coins if 1 < on[int(row["coin_id"])] < 3]
    coins = tuple(few[:2])
    ids = {int(row["coin_id"]) for row in coins}
    networks = tuple(n for n in universe.networks if n.coin_id in ids)
    chains = {n.chain for n in networks} | {"TRX", "ETH", "BSC"}
    found.universe = dataclasses.replace(
        universe,
        coins=coins,
        networks=networks,
        chains=tuple(row for row in universe.chains if row["chain"] in chains),
        fiats=universe.fiats[:6],
    )
    return found


@dataclasses.dataclass
class Made:
    """The matrix, and what the store knew before and after it."""

    met: list[Met]
    before: dict[str, set[tuple[object, ...]]]
    after: dict[str, set[tuple[object, ...]]]
    outcomes: dict[str, int]


def known(path: Path) -> dict[str, set[tuple[object, ...]]]:
    """Everything that the private file knows."""
    with duckdb.connect(str(path), read_only=True) as con:
        return {
            name: set(
                con.execute(
                    f"SELECT {columns} FROM store.{name}_entity"
                    f" JOIN store.{name}_current USING (entity_id)"
                ).fetchall()
            )
            for name, columns in KNOWN.items()
        }


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    """A good poll of each feed, the whole matrix, and a good poll of each feed again."""
    folder = tmp_path_factory.mktemp("matrix")
    (folder / "ccpay.toml").write_text(CONFIG)
    faults, limits = Faults(), Limits()
    stamina.set_testing(True, attempts=3, cap=True)
    # Telling each of a thousand repetitions takes longer than making them.
    stamina.instrumentation.set_on_retry_hooks([])
    try:
        app = build_app(still_world(), faults=faults, limits=limits)
        with serving(app) as base_url:
            yield make(folder, base_url, faults, app.state.stage)
    finally:
        stamina.set_testing(False)
        stamina.instrumentation.set_on_retry_hooks(None)


def make(folder: Path, base_url: str, faults: Faults, stage: Stage) -> Made:
    """Polls, meets, commits."""
    settings = load_settings(
        {
            "CCPAY_BASE_URL": base_url,
            "CCPAY_APP_ID": SANDBOX_APP_ID,
            "CCPAY_APP_SECRET": SANDBOX_APP_SECRET,
            "CCPAY_WAREHOUSE": str(folder / "data"),
            "CCPAY_MAX_RPS": "1000",
            # One question after the other, so that the page is the same each time.
            "CCPAY_MAX_CONNECTIONS": "1",
        },
        cwd=folder,
    )
    asyncio.run(poll_all(settings))
    warehouse = open_warehouse(settings)
    with warehouse.transaction() as con:
        plans = {feed: plan_poll(con, feed) for feed in FEEDS}
    before = known(warehouse.private)
    matrix = Matrix(folder, settings, warehouse, faults, stage, plans)
    met = asyncio.run(matrix.all())
    warehouse.commit([one.poll for one in met])
    after = known(warehouse.private)
    with duckdb.connect(str(warehouse.private), read_only=True) as con:
        outcomes = dict(
            con.execute("SELECT outcome, count(*) FROM store.poll GROUP BY ALL").fetchall()
        )
    return Made(met, before, after, outcomes)


async def poll_all(settings: Settings) -> None:
    """One good poll of each feed."""
    async with open_collector(settings) as collector:
        for feed in FEEDS:
            result = await collector.poll(feed)
            assert result.outcome == "ok", (feed, result.error)


def test_the_page_is_what_happens(made: Made, tmp_path: Path) -> None:
    """docs/faults.md is written from what each poll came to."""
    page = page_of(made.met)
    (tmp_path / "faults.md").write_text(page)
    assert PAGE.exists(), f"copy {tmp_path / 'faults.md'} to docs/"
    assert page == PAGE.read_text(), f"if this is right, copy {tmp_path / 'faults.md'} to docs/"


@pytest.mark.parametrize("name", ["fiat", "swap_coin", "coin_network", "coin_price"])
def test_no_fault_loses_or_invents_a_value(made: Made, name: str) -> None:
    """After every fault all that is known is what was served before it."""
    assert len(made.before[name]) >= 2
    assert made.after[name] == made.before[name]


def test_a_fee_is_what_was_served_or_none(made: Made) -> None:
    """A refusal takes the place of a fee, nothing else does."""
    served = {row[:2]: row[2:] for row in made.before["withdraw_fee"]}
    assert served.keys() == {row[:2] for row in made.after["withdraw_fee"]}
    for coin_id, chain, *fee in made.after["withdraw_fee"]:
        assert tuple(fee) in (served[coin_id, chain], (None, None))


def test_a_status_is_a_word_that_was_served(made: Made) -> None:
    """The words of the faults are there verbatim, and an unknown one is no maintenance."""
    words = {"Normal": "normal", "Maintain": "maintenance", "Frozen": "unknown"}
    assert {row[0] for row in made.after["chain"]} == {row[0] for row in made.before["chain"]}
    assert all(words[raw] == state for _, state, raw in made.after["chain"])


def test_every_poll_is_in_the_ledger(made: Made) -> None:
    """Also those that failed or asked nothing."""
    assert sum(made.outcomes.values()) == len(made.met) + len(FEEDS)
    assert made.outcomes["failed"] > 100


def test_no_poll_outlasts_its_timeout(made: Made) -> None:
    """Three attempts at each question, each within the timeout."""
    slowest = max(made.met, key=lambda one: one.took_s / one.questions)
    assert slowest.took_s / slowest.questions < 3 * TIMEOUT_S + 2


def test_failures_observe_nothing(made: Made) -> None:
    """A failed or skipped poll brings no value at all."""
    assert not [
        one for one in made.met if one.poll.outcome in ("failed", "skipped") and one.poll.answers
    ]
