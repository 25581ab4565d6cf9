"""The cookbook: each query answers its question on a small history that is written out below."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest

from ccpay_io.feeds.poll import Answers, Poll, poll_id_at, utc_now
from ccpay_io.models import Drift
from ccpay_io.store.cookbook import Recipe, recipes, render_cookbook
from ccpay_io.store.datasets import DATASETS
from ccpay_io.store.writer import Warehouse

NOW = utc_now().replace(microsecond=0)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
# Prices and fees count for a long time here, as their polls are planned to be rare.
RARE = 30 * 86400
USDT, USDC, TRX, ETH, TON = 1, 2, 10, 11, 12
# The last day of last month, at a moment at which all is known.
WITHDRAWN = NOW - NOW.day * DAY - timedelta(minutes=1)

RECIPES = {recipe.name: recipe for recipe in recipes()}
Answer = Callable[[str], list[dict[str, Any]]]


def _poll(
    ago: timedelta,
    feed: str,
    cadence_s: int,
    answers: Mapping[str, Mapping[Any, Mapping[str, object]]] | None,
    gaps: Mapping[str, list[tuple[object, ...]]] | None = None,
    **facts: Any,
) -> Poll:
    """A poll so long ago; a key of one column may stand without its tuple."""
    frames = {}
    for name, rows in (answers or {}).items():
        spec = DATASETS[name]
        full = []
        for key, values in rows.items():
            keys = key if isinstance(key, tuple) else (key,)
            full.append({"state": "ok", **dict(zip(spec.keys, keys, strict=True)), **values})
        frames[name] = Answers(spec.frame(full), gaps or {}, complete=name != "coin_price")
    moment = NOW - ago
    return Poll(
        poll_id=poll_id_at(moment),
        feed=feed,
        outcome="failed" if answers is None else "partial" if gaps else "ok",
        started_at=moment,
        observed_at=moment,
        requests=1,
        answers=frames,
        writer="test",
        cadence_s=cadence_s,
        listed=None,
        error_name="TimedOut" if answers is None else None,
        **facts,
    )


def _chains(ago: timedelta, eth: str | None = "Normal") -> Poll:
    if eth is None:
        return _poll(ago, "chains", 86400, None)
    words = {"TRX": "Normal", "ETH": eth, "TON": "Normal"}
    return _poll(
        ago,
        "chains",
        86400,
        {
            "chain": {
                chain: {
                    "state": "normal" if word == "Normal" else "maintenance",
                    "status_raw": word,
                    "needs_memo": chain == "TON",
                }
                for chain, word in words.items()
            }
        },
    )


def _fees(ago: timedelta, trx: str, *, eth: bool = True, usdc: bool = True, **facts: Any) -> Poll:
    def fee(amount: str, coin_id: int, coin: str) -> dict[str, object]:
        return {"fee_amount": Decimal(amount), "fee_coin_id": coin_id, "fee_coin": coin}

    rows = {
        (USDT, "TRX"): fee(trx, TRX, "TRX"),
        (USDT, "ETH"): fee("0.001", ETH, "ETH"),
        (USDT, "TON"): fee("0.05", TON, "TON"),
        (USDC, "ETH"): fee("0.002", ETH, "ETH"),
        (USDC, "TRX"): fee(trx, TRX, "TRX")
        if usdc
        else {"state": "refused", "refusal_code": 13004},
    }
    gaps = None
    if not eth:
        del rows[(USDT, "ETH")]
        gaps = {"deadline": [(USDT, "ETH")]}
    return _poll(ago, "fees", RARE, {"withdraw_fee": rows}, gaps, **facts)


def _prices(ago: timedelta, trx: str) -> Poll:
    prices = {TRX: trx, ETH: "2000", TON: "5"}
    rows = {coin_id: {"price_usd": Decimal(price)} for coin_id, price in prices.items()}
    return _poll(ago, "prices", RARE, {"coin_price": rows})


def _networks(ago: timedelta) -> Poll:
    pairs = [(USDT, "TRX"), (USDT, "ETH"), (USDT, "TON"), (USDC, "ETH"), (USDC, "TRX")]
    network = {"can_withdraw": True, "min_withdraw_amount": Decimal(10), "precision": 6}
    coins = {USDT: {"coin": "USDT", "status": "Normal"}, USDC: {"coin": "USDC", "status": "Normal"}}
    networks = {(c, n): network | {"needs_memo": n == "TON"} for c, n in pairs}
    return _poll(ago, "networks", RARE, {"coin": coins, "coin_network": networks})


def _drift(value: str) -> Drift:
    return Drift(
        "getWithdrawFee", "data.fee.extra", "new_field", value, None, f'{{"x": "{value}"}}'
    )


def _world() -> list[Poll]:
    """Two months of USDT and USDC on three chains.

    ETH was in maintenance for a day 20 days ago and is again since five minutes; nothing is known
    of six hours 16 days ago. The fee on TRX was 4 for 40 days, 6 for 5, 9 for nearly 5, and is 8
    since two hours, when USDC on TRX began to be refused; TRX rose from 0.20 to 0.25 USD three days
    ago.
    """
    minute = timedelta(minutes=1)
    eur = {"fiat": {1: {"fiat": "EUR", "usd_rate": Decimal("0.8")}}}
    swap = {"swap_coin": {USDT: {"coin": "USDT"}}}
    days = [_chains(n * DAY, "Maintain" if n == 20 else "Normal") for n in range(50, 0, -1)]
    polls = [
        *days,
        _chains(15.5 * DAY, None),
        _chains(15.25 * DAY),
        _chains(10 * minute),
        _chains(5 * minute, "Maintenance"),
        _chains(0 * minute, "Maintenance"),
        _networks(51 * DAY),
        _networks(1 * HOUR),
        _prices(50 * DAY + HOUR, "0.2"),
        _prices(3 * DAY, "0.25"),
        _prices(5 * minute, "0.25"),
        _fees(50 * DAY, "4"),
        _fees(30 * DAY, "4", eth=False),
        _fees(29 * DAY, "4"),
        _fees(10 * DAY, "6"),
        _fees(5 * DAY, "9"),
        _fees(2 * HOUR, "8", usdc=False, drift=(_drift("a"),)),
        _fees(0 * HOUR, "8", usdc=False, drift=(_drift("b"),)),
        _poll(50 * DAY, "fiats", RARE, eur),
        _poll(1 * HOUR, "fiats", 300, eur),
        _poll(3 * DAY, "coins", 86400, swap),
        _poll(2 * DAY, "coins", 86400, None),
        _poll(0 * DAY, "coins", 86400, swap),
    ]
    return sorted(polls, key=lambda poll: poll.observed_at)


@pytest.fixture(scope="module")
def answer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Answer]:
    """Runs a query of the cookbook on the world above; rows as dictionaries."""
    warehouse = Warehouse(tmp_path_factory.mktemp("cookbook"), "test")
    warehouse.commit(_world())
    with warehouse.transaction() as con:
        con.execute("INSERT INTO store.watch_setting VALUES ('default_route', 'USDT', 'TRX')")
        con.execute(
            "INSERT INTO store.withdrawal VALUES"
            " ('1', ?, ?, 'TRX', 500, 10, ?, 'w.csv', now()),"
            " ('2', ?, ?, 'TRX', 1, 1, 99, 'w.csv', now())",
            [WITHDRAWN, USDT, TRX, WITHDRAWN, USDT],
        )
    con = duckdb.connect(str(warehouse.private), read_only=True)
    con.execute("SET TimeZone = 'Pacific/Auckland'")

    def run(name: str) -> list[dict[str, Any]]:
        cursor = con.execute(RECIPES[name].sql)
        columns = [column[0] for column in cursor.description or []]
        return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]

    yield run
    con.close()


def test_there_are_twenty_questions() -> None:
    """Each with its own, ending as a question does."""
    questions = {recipe.question for recipe in RECIPES.values()}

    assert len(questions) == len(RECIPES) == 20
    assert all(question.endswith("?") for question in questions)


def test_the_committed_page_is_up_to_date() -> None:
    """Change a query's header, and the page has to be written anew."""
    page = Path(__file__).parents[3] / "docs" / "cookbook.md"

    assert page.read_text("utf-8") == render_cookbook(), (
        "run: python -m ccpay_io.store.cookbook > docs/cookbook.md"
    )


@pytest.mark.folder
@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_a_query_runs_on_an_empty_warehouse(recipe: Recipe, query: Any, warehouse: Any) -> None:
    """Nothing is known yet, and that is no error; nothing in it is private to the views."""
    shown = query(recipe.sql)
    if recipe.name == "15_stale_data":
        assert {row[1:] for row in shown} == {(0, 0, None, None)}
    else:
        assert shown == []
    assert "store." not in recipe.sql


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_a_query_returns_what_its_header_says(recipe: Recipe, answer: Answer) -> None:
    """The described columns, in their order; rows that the key tells apart."""
    rows = answer(recipe.name)

    assert rows, "the history should give it something to show"
    assert all(list(row) == list(recipe.columns) for row in rows)
    keys = [tuple(row[name] for name in recipe.key.split(", ")) for row in rows]
    assert len(set(keys)) == len(keys)


def _pick(rows: list[dict[str, Any]], *names: str) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in names) for row in rows]


def test_payout_cost_now(answer: Answer) -> None:
    """TON is cheapest, ETH is in maintenance; 2 USD are 1.60 EUR."""
    rows = answer("01_payout_cost_now")

    assert _pick(rows, "cost_rank", "chain", "fee_fiat", "needs_memo", "reason_excluded") == [
        (1, "TON", Decimal("0.2"), True, None),
        (2, "TRX", Decimal("1.6"), False, None),
        (None, "ETH", Decimal("1.6"), False, "blocked:maintenance"),
    ]


def test_fee_history(answer: Answer) -> None:
    """The last 30 days of USDT on TRX, what began before them and still held included."""
    rows = answer("02_fee_history")

    assert _pick(rows, "fee_amount", "fee_usd", "valid_from", "valid_to") == [
        (4, Decimal("0.8"), NOW - 50 * DAY, NOW - 10 * DAY),
        (6, Decimal("1.2"), NOW - 10 * DAY, NOW - 5 * DAY),
        (9, Decimal("1.8"), NOW - 5 * DAY, NOW - 2 * HOUR),
        (8, Decimal("2.0"), NOW - 2 * HOUR, None),
    ]


def test_fee_or_price(answer: Answer) -> None:
    """The fee rose by a third and its coin by a quarter: together two thirds, mostly the fee."""
    rows = answer("03_fee_or_price")

    changes = ("chain", "fee_change_pct", "price_change_pct", "cost_change_pct", "cause")
    assert _pick(rows, *changes) == [
        ("TRX", 33.33, 25.0, 66.67, "fee"),
        ("ETH", 0.0, 0.0, 0.0, "none"),
        ("TON", 0.0, 0.0, 0.0, "none"),
    ]


@pytest.mark.parametrize(
    ("fees", "prices", "changes"),
    [
        (("0", "5"), ("1", "1"), (None, 0.0, None, "fee")),
        (("5", "0"), ("1", "2"), (-100.0, 100.0, -100.0, "fee")),
        (("5", "5"), ("0", "2"), (0.0, None, None, "price")),
        (("5", "6"), ("2", "0"), (20.0, -100.0, -100.0, "price")),
        (("0", "0"), ("1", "2"), (None, 100.0, None, "none")),
        (("0.1", "0.3"), ("3", "1"), (200.0, -66.67, 0.0, "fee")),
        (("0.1", "0.3"), ("1", "4"), (200.0, 300.0, 1100.0, "price")),
    ],
)
def test_fee_or_price_from_and_to_nothing(
    warehouse: Warehouse,
    query: Any,
    fees: tuple[str, str],
    prices: tuple[str, str],
    changes: tuple[object, ...],
) -> None:
    """What was free has no change in percent, but stays in the list, with its cause."""
    eight = 8 * DAY
    for ago, fee, price in zip((eight, HOUR), fees, prices, strict=True):
        warehouse.commit(
            [_networks(ago), _prices(ago - timedelta(seconds=1), price), _fees(ago, fee)]
        )

    rows = query(RECIPES["03_fee_or_price"].sql)

    assert [row[-4:] for row in rows if row[1] == "TRX"] == [changes]


def test_cheapest_hour(answer: Answer) -> None:
    """ETH cost 2 USD in every hour that is known: all of 50 days but one."""
    rows = answer("04_cheapest_hour")

    hours = {(row["iso_dow"], row["local_hour"]) for row in rows}
    assert len(hours) == len(rows) == 7 * 24
    assert {(row["cheapest_rank"], row["fee_usd_p50"], row["fee_usd_p90"]) for row in rows} == {
        (1, 2, 2)
    }
    assert {row["saves_vs_now_usd"] for row in rows} == {0}
    assert sum(row["sample_count"] for row in rows) == 49 * 24


def test_movers(answer: Answer) -> None:
    """Only what differs from a day ago; a pair that is refused now has nothing to compare."""
    rows = answer("05_movers_24h")

    assert _pick(rows, "coin", "chain", "fee_then", "fee_now", "change_pct", "fee_usd") == [
        ("USDT", "TRX", 9, 8, -11.11, 2)
    ]


def test_fee_percentile(answer: Answer) -> None:
    """45 of 50 days at 6 or less: the 90th percentile is 6, whatever it was later."""
    rows = answer("06_fee_percentile")

    assert _pick(rows, "coin", "chain", "fee_p90", "fee_max", "known_days") == [
        ("USDC", "ETH", Decimal("0.002"), Decimal("0.002"), 50.0),
        ("USDC", "TRX", 6, 9, 49.92),
        ("USDT", "ETH", Decimal("0.001"), Decimal("0.001"), 49.0),
        ("USDT", "TON", Decimal("0.05"), Decimal("0.05"), 50.0),
        ("USDT", "TRX", 6, 9, 50.0),
    ]


def test_fee_in_euro(answer: Answer) -> None:
    """The fee on TRX at the price and the rate of each change: 0.20 USD, 0.25 at the last."""
    rows = answer("07_fee_in_euro")

    assert _pick(rows, "fee_amount", "fee_eur", "reason", "valid_from") == [
        (4, Decimal("0.64"), None, NOW - 50 * DAY),
        (6, Decimal("0.96"), None, NOW - 10 * DAY),
        (9, Decimal("1.44"), None, NOW - 5 * DAY),
        (8, Decimal("1.6"), None, NOW - 2 * HOUR),
    ]


def test_a_fee_in_another_coin_of_that_name_is_another_fee(
    warehouse: Warehouse, query: Any
) -> None:
    """Ten units of one TRX are not compared with one of the other."""
    trx, other = {"fee_coin_id": TRX, "fee_coin": "TRX"}, {"fee_coin_id": 99, "fee_coin": "TRX"}
    for ago, amount, coin in ((9, 10, trx), (8, 10, trx), (7, 1, other), (6, 1, other)):
        fee = {(USDT, "TRX"): {"fee_amount": Decimal(amount), **coin}}
        warehouse.commit(
            [_networks(ago * DAY), _poll(ago * DAY, "fees", RARE, {"withdraw_fee": fee})]
        )

    percentiles = query(RECIPES["06_fee_percentile"].sql)
    usual = query(RECIPES["20_usual_fee"].sql)

    assert [row[3:] for row in percentiles] == [(TRX, "TRX", 10, 10, 2.0), (99, "TRX", 1, 1, 1.0)]
    assert [row[2:] for row in usual] == [(TRX, "TRX", 10, 10, 2.0), (99, "TRX", 1, 1, 1.0)]


def test_availability_ranking(answer: Answer) -> None:
    """A day of maintenance, a quarter of one unknown, in 30 days."""
    rows = answer("08_availability_ranking")

    columns = ("chain", "availability_pct", "coverage_pct", "maintenance_h", "unknown_h")
    assert _pick(rows, *columns, "episode_count") == [
        ("ETH", round(100 * 28.75 / 29.75, 4), 99.17, 24.0, 6.0, 1),
        ("TON", 100.0, 99.17, 0.0, 6.0, 0),
        ("TRX", 100.0, 99.17, 0.0, 6.0, 0),
    ]


def test_availability_of_a_chain_that_is_new(warehouse: Warehouse, query: Any) -> None:
    """What was listed for the first time ten days ago is known for less than ten of thirty."""
    polls = [_chains(n * DAY) for n in range(10, -1, -1)]
    warehouse.commit(polls)

    rows = query(RECIPES["08_availability_ranking"].sql)

    midnight = NOW.replace(hour=0, minute=0, second=0)
    known = midnight - polls[0].observed_at
    assert [row[0] for row in rows] == ["ETH", "TON", "TRX"]
    expected = (100, 100 * (known / (30 * DAY)), 0, (30 * DAY - known) / HOUR, 0)
    assert all(row[1:] == pytest.approx(expected, abs=0.01) for row in rows)


def test_time_to_recover(answer: Answer) -> None:
    """One that ended, seen in a single poll, and one that goes on."""
    rows = answer("09_time_to_recover")

    assert [tuple(row.values()) for row in rows] == [("ETH", 2, 1, 0, 172800, 172800, 0)]


def test_coverage_gaps(answer: Answer) -> None:
    """The day of the failed poll, and the day on which nothing ran."""
    rows = [row for row in answer("10_coverage_gaps") if row["feed"] == "coins"]

    today = NOW.date()
    assert _pick(rows, "day", "coverage_pct", "failed", "missed") == [
        (today - DAY, 0.0, 0, 1),
        (today - 2 * DAY, 0.0, 1, 0),
    ]


def test_monthly_cost(answer: Answer) -> None:
    """10 TRX at the price of then, in EUR; TON would have been cheaper; one has no price."""
    (row,) = answer("11_monthly_cost")

    price = Decimal("0.25") if NOW - WITHDRAWN <= 3 * DAY else Decimal("0.2")
    assert row["month"] == WITHDRAWN.date().replace(day=1)
    assert (row["withdrawal_count"], row["payout_amount"]) == (2, 501)
    assert (row["fee"], row["cheapest_possible"]) == (10 * price * Decimal("0.8"), Decimal("0.2"))
    assert row["avoidable"] == row["fee"] - Decimal("0.2")
    assert (row["is_estimate"], row["not_compared"]) == (True, 1)


def test_better_route(answer: Answer) -> None:
    """TRX is the default for USDT; TON costs 1.75 USD less."""
    rows = answer("12_better_route")

    assert _pick(rows, "coin", "chain", "saves_vs_default_usd", "needs_memo") == [
        ("USDT", "TON", Decimal("1.75"), True)
    ]


def test_fees_as_of(answer: Answer) -> None:
    """A week ago the fee on TRX was 6."""
    rows = answer("13_fees_as_of")

    assert _pick(rows, "chain", "state", "fee_amount") == [
        ("ETH", "ok", Decimal("0.001")),
        ("TON", "ok", Decimal("0.05")),
        ("TRX", "ok", 6),
    ]


def test_memo_routes(answer: Answer) -> None:
    """TON needs one, and is the cheapest."""
    assert _pick(answer("14_memo_routes"), "coin", "chain", "cost_rank") == [("USDT", "TON", 1)]


def test_stale_data(answer: Answer) -> None:
    """The rate is an hour old where fifteen minutes are allowed; everything else is as planned."""
    rows = answer("15_stale_data")

    assert _pick(rows, "source", "row_count", "stale_count")[0] == ("fiat_rate_now", 1, 1)
    assert sum(row["stale_count"] for row in rows) == 1


def test_contract_drift(answer: Answer) -> None:
    """Two values of one new field are one row, with the first of them."""
    (row,) = answer("16_contract_drift")

    assert (row["path"], row["value_count"], row["example"]) == ("data.fee.extra", 2, "a")


def test_refused_pairs(answer: Answer) -> None:
    """USDC on TRX is refused since two hours, though the coin list says that it is open."""
    rows = answer("17_refused_pairs")

    assert _pick(rows, "coin", "chain", "refusal_code", "refused_since", "can_withdraw") == [
        ("USDC", "TRX", 13004, NOW - 2 * HOUR, True)
    ]


def test_affected_by_maintenance(answer: Answer) -> None:
    """USDT has TON; USDC has nowhere else to go."""
    rows = answer("18_affected_by_maintenance")

    assert _pick(rows, "chain", "coin", "next_best_chain", "next_best_usd") == [
        ("ETH", "USDC", None, None),
        ("ETH", "USDT", "TON", Decimal("0.25")),
    ]


def test_maintenance_hours(answer: Answer) -> None:
    """Two maintenances, each in the hour or hours in which it was seen."""
    rows = answer("19_maintenance_hours")

    zone = ZoneInfo("Europe/Berlin")
    seen = [
        (number, moment.astimezone(zone))
        for number, moment in enumerate((NOW - 20 * DAY, NOW - timedelta(minutes=5), NOW))
    ]
    assert {row["chain"] for row in rows} == {"ETH"}
    assert {row["local_hour"]: (row["episode_count"], row["last_day"]) for row in rows} == {
        hour: (
            len({min(number, 1) for number, at in seen if at.hour == hour}),
            max(at.date() for _, at in seen if at.hour == hour),
        )
        for hour in {at.hour for _, at in seen}
    }


def test_maintenance_hours_where_clocks_leave_one_out(warehouse: Warehouse, query: Any) -> None:
    """From 01:30 to 04:30 in Berlin, on the night that has no 02:00."""
    sundays = (
        datetime(year, 3, day, 1, tzinfo=UTC)
        for year in (NOW.year, NOW.year - 1)
        for day in range(31, 24, -1)
    )
    change = next(at for at in sundays if at.isoweekday() == 7 and at < NOW - DAY)
    words = {-90: "Normal", -30: "Maintenance", 30: "Maintenance", 90: "Maintenance", 120: "Normal"}
    for minutes, word in words.items():
        warehouse.commit([_chains(NOW - change - timedelta(minutes=minutes), word)])

    sql = RECIPES["19_maintenance_hours"].sql.replace(" 90 *", " 400 *")

    day = change.date()
    assert query(sql) == [("ETH", hour, 1, 1, day) for hour in (1, 3, 4)]


def test_usual_fee(answer: Answer) -> None:
    """40 of 50 days at 4, and the last five at more than 6: 4 is usual, 9 is high."""
    rows = answer("20_usual_fee")

    assert _pick(rows, "chain", "fee_coin_id", "usual_fee", "high_fee", "known_days") == [
        ("ETH", ETH, Decimal("0.001"), Decimal("0.001"), 49.0),
        ("TON", TON, Decimal("0.05"), Decimal("0.05"), 50.0),
        ("TRX", TRX, 4, 9, 50.0),
    ]
