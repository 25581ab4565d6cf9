"""What payouts cost in a month: real from imported withdrawals, else an estimate that says so."""

from __future__ import annotations

from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal, localcontext
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

import duckdb
import pytest

from ccpay_io.config import BoardSettings, WatchSettings
from ccpay_io.settings import load_settings
from ccpay_io.store.watch import sync_watch_settings
from ccpay_io.store.writer import Warehouse

CHAINS = {"feed": "chains", "dataset": "chain"}
NETWORKS = {"feed": "networks", "dataset": "coin_network", "cadence_s": 3600}
COINS = {"feed": "networks", "dataset": "coin", "cadence_s": 3600}
PRICES = {"feed": "prices", "dataset": "coin_price", "complete": False}
FIATS = {"feed": "fiats", "dataset": "fiat"}
NETWORK = {
    "can_withdraw": True,
    "precision": 6,
    "min_withdraw_amount": Decimal(10),
    "max_withdraw_amount": Decimal(0),
}
NORMAL = {"state": "normal", "status_raw": "Normal"}
USDT, TRX, ETH = 1, 2, 3


@pytest.fixture
def configure(warehouse: Warehouse, tmp_path: Path) -> Any:
    """Writes the settings that views ask for."""

    def run(timezone: str = "UTC", **watch: Any) -> None:
        settings = replace(
            load_settings({}, cwd=tmp_path),
            board=BoardSettings(timezone=timezone),
            watch=WatchSettings(**watch),
        )
        with warehouse.transaction() as con:
            sync_watch_settings(con, settings)

    return run


@pytest.fixture
def withdraw(warehouse: Warehouse) -> Any:
    """Stores a withdrawal as `ccpay import` does."""

    def run(
        moment: str,
        chain: str = "TRX",
        fee: str | None = "4",
        fee_coin_id: int | None = TRX,
        amount: str = "100",
        coin_id: int = USDT,
    ) -> None:
        with warehouse.transaction() as con:
            con.execute(
                "INSERT INTO store.withdrawal SELECT (count(*) + 1)::VARCHAR, ?::TIMESTAMPTZ, ?, ?,"
                " ?::DECIMAL(38, 18), ?::DECIMAL(38, 18), ?, 'w.csv', now() FROM store.withdrawal",
                [moment, coin_id, chain, amount, fee, fee_coin_id if fee else None],
            )

    return run


@pytest.fixture
def world(warehouse: Warehouse, poll: Any, fee: Any) -> Any:
    """USDT on TRX for 4 TRX, on ETH for 0.001 ETH; TRX at 0.25 USD rises to 0.5, ETH is at 2000."""

    def at(minute: float, trx_price: str = "0.25", **fees: Any) -> None:
        prices = {(TRX,): {"price_usd": Decimal(trx_price)}, (ETH,): {"price_usd": Decimal(2000)}}
        pairs = {(USDT, "TRX"): fee("4", TRX, "TRX"), (USDT, "ETH"): fee("0.001", ETH, "ETH")}
        warehouse.commit(
            [
                poll(minute, {("TRX",): NORMAL, ("ETH",): NORMAL}, **CHAINS),
                poll(minute + 0.1, {(USDT,): {"coin": "USDT", "status": "Normal"}}, **COINS),
                poll(minute + 0.2, prices, **PRICES),
                poll(minute + 0.3, pairs),
            ]
        )

    at(0)
    at(5, "0.5")
    return at


MONTH = (
    "SELECT month::VARCHAR, chain, withdrawal_count, payout_amount::INTEGER, fee_usd::DOUBLE,"
    " avg_fee_usd::DOUBLE, cheapest_possible_usd::DOUBLE, avoidable_usd::DOUBLE, is_estimate,"
    " valued_count, compared_count FROM withdrawal_cost_monthly ORDER BY month, chain"
)


def test_withdrawals_are_valued_as_of_then(world: Any, withdraw: Any, query: Any) -> None:
    """Fee, price and cheapest route of then, which is another one after the price rose."""
    withdraw("2026-03-01 12:03:00+00")
    withdraw("2026-03-01 12:03:00+00", "ETH", "0.001", ETH)
    withdraw("2026-03-01 12:08:00+00", fee="4.5")

    assert query(MONTH) == [
        ("2026-03-01", "ETH", 1, 100, 2.0, 2.0, 1.0, 1.0, False, 1, 1),
        ("2026-03-01", "TRX", 2, 200, 3.25, 1.625, 3.0, 0.25, False, 2, 2),
    ]


def test_a_fee_that_the_file_does_not_have_is_the_one_quoted_then(
    world: Any, withdraw: Any, query: Any
) -> None:
    """And makes the row an estimate; one that was free costs nothing, with or without a price."""
    withdraw("2026-03-01 12:03:00+00", fee=None)
    withdraw("2026-03-01 12:03:00+00", fee="0", fee_coin_id=99)

    assert query(MONTH) == [("2026-03-01", "TRX", 2, 200, 1.0, 0.5, 1.0, 0.0, True, 2, 2)]


@pytest.mark.parametrize(
    ("moment", "valued", "compared"),
    [
        ("2026-03-01 11:59:00+00", 0, 0),
        ("2026-03-01 12:19:00+00", 1, 1),
        # Three cadences after the last fee poll, nobody knows the routes; prices keep for an hour.
        ("2026-03-01 12:25:00+00", 1, 0),
        ("2026-03-01 19:00:00+00", 0, 0),
    ],
)
def test_what_was_not_known_then_is_left_out_and_counted(
    world: Any, withdraw: Any, query: Any, moment: str, valued: int, compared: int
) -> None:
    """Before the first poll and after the last, and never as a zero."""
    withdraw(moment)

    ((*_, cheapest, avoidable, is_estimate, values, comparisons),) = query(MONTH)

    assert (values, comparisons) == (valued, compared)
    assert (cheapest is None, avoidable is None) == (not compared, not compared)
    assert is_estimate == (not valued)


def test_only_usable_routes_are_possible(
    warehouse: Warehouse, poll: Any, world: Any, withdraw: Any, query: Any
) -> None:
    """Not in maintenance, not closed, not below the minimum, not without an answer."""

    def at(minute: float, chain: dict[str, object], **network: Any) -> None:
        warehouse.commit(
            [
                poll(minute, {("TRX",): chain, ("ETH",): NORMAL}, **CHAINS),
                poll(minute, {(USDT, "TRX"): NETWORK | network}, **NETWORKS),
            ]
        )
        if chain is NORMAL:
            world(minute + 0.1)
        withdraw(f"2026-03-01 12:{int(minute) + 3}:00+00", "ETH", "0.001", ETH)

    at(10, NORMAL)
    at(15, {"state": "maintenance", "status_raw": "Maintenance"})
    at(20, NORMAL, can_withdraw=False)
    at(25, NORMAL, min_withdraw_amount=Decimal(101))
    at(30, NORMAL, max_withdraw_amount=Decimal(99))
    at(35, NORMAL)
    warehouse.commit([poll(40, {(USDT, "ETH"): {"state": "refused", "refusal_code": 13004}},
                           gaps={"deadline": [(USDT, "TRX")]})])  # fmt: skip
    withdraw("2026-03-01 12:42:00+00", "ETH", "0.001", ETH)

    rows = query(
        "SELECT cheapest_usd::DOUBLE FROM store.withdrawal_valued ORDER BY record_id::INTEGER"
    )
    assert [cost for (cost,) in rows] == [1.0, 2.0, 2.0, 2.0, 2.0, 1.0, None]


def test_months_begin_in_the_configured_zone(
    world: Any, withdraw: Any, configure: Any, query: Any
) -> None:
    """Berlin's April begins at 22:00 UTC, as summer time has begun; its March at 23:00."""
    for moment in ("02-28 22:59:59", "02-28 23:00:00", "03-31 21:59:59", "03-31 22:00:00"):
        withdraw(f"2026-{moment}+00")
    sql = "SELECT month::VARCHAR, withdrawal_count FROM withdrawal_cost_monthly ORDER BY month"
    assert query(sql) == [("2026-02-01", 2), ("2026-03-01", 2)]

    configure("Europe/Berlin")

    assert query(sql) == [("2026-02-01", 1), ("2026-03-01", 2), ("2026-04-01", 1)]


def test_every_zone_of_the_settings_is_known_to_the_database(query: Any) -> None:
    """Else the setting would be taken, and months would silently be those of UTC."""
    known = {name for (name,) in query("SELECT name FROM pg_timezone_names()")}

    assert available_timezones() - {"localtime"} <= known


def test_an_unknown_zone_makes_no_view_fail(
    warehouse: Warehouse, world: Any, withdraw: Any, query: Any
) -> None:
    """A row that no setting could have written: months are those of UTC."""
    with warehouse.transaction() as con:
        con.execute("INSERT INTO store.watch_setting VALUES ('board', 'timezone', 'Moon/Base')")
    withdraw("2026-03-01 12:03:00+00")

    assert query("SELECT month::VARCHAR FROM withdrawal_cost_monthly") == [("2026-03-01",)]


def test_without_withdrawals_a_month_is_an_estimate_and_says_so(
    warehouse: Warehouse, poll: Any, fee: Any, world: Any, configure: Any, query: Any
) -> None:
    """One payout on the default route at the time-weighted mean; else on the cheapest route."""
    for minute, amount in ((6, "4"), (10, "6"), (20, "6")):
        rows = {(USDT, "TRX"): fee(amount, TRX, "TRX"), (USDT, "ETH"): fee("0.001", ETH, "ETH")}
        warehouse.commit([poll(minute, rows)])

    prices = {(TRX,): {"price_usd": Decimal("0.5")}, (ETH,): {"price_usd": Decimal(2000)}}
    warehouse.commit([poll(20.2, prices, **PRICES)])

    # 4 TRX from 12:00:18 to 12:10, then 6 to 12:20; a quarter of the time at 0.25 USD, then at 0.5.
    mean = (4 * 582 + 6 * 600) / 1182 * 0.4375
    ((*row, fee_usd, avg, cheapest, avoidable, is_estimate, _, _),) = query(MONTH)
    assert row == ["2026-03-01", "ETH", None, None]
    assert (fee_usd, avg, cheapest, avoidable, is_estimate) == (2.0, 2.0, 2.0, 0.0, True)

    configure(default_routes={"USDT": "TRX"})
    ((_, chain, *_, fee_usd, _, cheapest, _, is_estimate, _, _),) = query(MONTH)
    assert (chain, fee_usd, cheapest) == ("TRX", pytest.approx(mean), 2.0)
    assert is_estimate

    configure(coins=("BTC",))
    assert query(MONTH) == []


def test_an_estimate_fills_nothing_across_unknown(
    warehouse: Warehouse, poll: Any, fee: Any, world: Any, query: Any
) -> None:
    """The time of a failed poll has no weight; a route known for minutes is not the cheapest."""
    eth = {(USDT, "ETH"): fee("0.001", ETH)}
    warehouse.commit([poll(10, eth | {(USDT, "TRX"): fee("0.1", TRX)})])
    warehouse.commit([poll(11, eth, gaps={"deadline": [(USDT, "TRX")]}), poll(60, eth)])

    rows = query("SELECT chain, fee_usd::DOUBLE FROM withdrawal_cost_monthly")

    assert rows == [("ETH", 2.0)]


def test_months_of_an_estimate_are_local_too(
    warehouse: Warehouse, poll: Any, fee: Any, world: Any, configure: Any, query: Any
) -> None:
    """A stretch over the end of a month has its part in each of them."""
    end_of_march = 30 * 1440 + 10 * 60
    configure("Europe/Berlin", default_routes={"USDT": "ETH"})
    cheaper = {(USDT, "TRX"): fee("4", TRX, "TRX"), (USDT, "ETH"): fee("0.0005", ETH)}
    world(end_of_march - 60)
    warehouse.commit([poll(end_of_march - 30, cheaper), poll(end_of_march + 30, cheaper)])
    world(end_of_march + 30)
    world(end_of_march + 60)

    ((march, first), (april, second)) = query(
        "SELECT month::VARCHAR, fee_usd::DOUBLE FROM withdrawal_cost_monthly ORDER BY month"
    )

    assert (march, april) == ("2026-03-01", "2026-04-01")
    assert first == pytest.approx(2.0, abs=0.01)
    # Local April begins at 22:00 UTC: half an hour at 1 USD, half an hour at 2.
    assert second == pytest.approx(1.5, abs=0.01)


def test_costs_in_a_fiat_are_converted_at_the_rate_of_the_moment(
    warehouse: Warehouse, poll: Any, world: Any, withdraw: Any, query: Any
) -> None:
    """Two withdrawals, two rates; a rate that is too old, or no such fiat, is no rate."""
    for minute, rate in ((0, "0.9"), (6, "0.8")):
        rows = {(1,): {"fiat": "EUR", "usd_rate": Decimal(rate)}}
        warehouse.commit([poll(minute, rows, **FIATS)])
    withdraw("2026-03-01 12:03:00+00")
    withdraw("2026-03-01 12:08:00+00")
    withdraw("2026-03-01 12:30:00+00")
    sql = (
        "SELECT fiat, withdrawal_count, fee::DOUBLE, avg_fee::DOUBLE, cheapest_possible::DOUBLE,"
        " avoidable::DOUBLE, is_estimate, valued_count FROM withdrawal_cost_in('{}')"
    )

    # 1 USD at 0.9 and 2 USD at 0.8; the third has no rate, and its routes are not known.
    assert query(sql.format("eur")) == [("EUR", 3, 2.5, 1.25, 2.5, 0.0, True, 2)]
    assert query(sql.format("XXX")) == [("XXX", 3, None, None, None, None, True, 0)]
    assert query(sql.format("USD"))[0][1:4] == (3, 5.0, pytest.approx(5 / 3))


def test_an_estimate_in_a_fiat_takes_the_mean_rate_of_the_month(
    warehouse: Warehouse, poll: Any, world: Any, query: Any
) -> None:
    """Time-weighted, over the time in which it was known."""
    for minute, rate in ((0, "0.9"), (10, "0.8"), (40, "0.8")):
        warehouse.commit(
            [poll(minute, {(1,): {"fiat": "EUR", "usd_rate": Decimal(rate)}}, **FIATS)]
        )

    ((fee_eur, is_estimate),) = query("SELECT fee, is_estimate FROM withdrawal_cost_in('EUR')")

    ((fee_usd,),) = query("SELECT fee_usd FROM withdrawal_cost_monthly")
    assert is_estimate
    assert fee_eur == round(fee_usd * Decimal("0.825"), 12)


HUGE = "99999999999999999999.999999999999999999"


@pytest.mark.parametrize(
    ("amount", "price"),
    [("0.000000000000000001", HUGE), ("0", HUGE), (HUGE, "0"), (HUGE, "900000"), (HUGE, HUGE)],
)
def test_no_cost_raises_on_extreme_withdrawals(
    warehouse: Warehouse, poll: Any, fee: Any, withdraw: Any, query: Any, amount: str, price: str
) -> None:
    """Sums that do not fit are NULL, never an error and never wrong; nor does an estimate raise."""
    prices = {(TRX,): {"price_usd": Decimal(price)}}
    rates = {(1,): {"fiat": "EUR", "usd_rate": Decimal(price)}}
    pairs = {(USDT, "TRX"): fee(amount, TRX), (USDT, "ETH"): fee("1", TRX)}
    polls = [poll(0, prices, **PRICES), poll(0, rates, **FIATS), poll(1, pairs), poll(2, pairs)]
    warehouse.commit([*polls, poll(9, rates, **FIATS)])
    query("FROM withdrawal_cost_in('EUR')")
    for _ in range(3):
        withdraw("2026-03-01 12:02:30+00", fee=amount, amount=amount)

    query("FROM withdrawal_cost_in('EUR')")
    ((paid_out, fee_usd),) = query("SELECT payout_amount, fee_usd FROM withdrawal_cost_monthly")

    with localcontext() as context:
        context.prec = 100
        each = (Decimal(amount) * Decimal(price)).quantize(Decimal("1e-12"), ROUND_HALF_UP)
        assert paid_out == (None if amount == HUGE else 3 * Decimal(amount))
        assert fee_usd == (None if 3 * each >= Decimal("1e26") else 3 * each)


def test_means_are_rounded_half_up() -> None:
    """To 12 places, exactly."""
    con = duckdb.connect()
    con.execute("CREATE SCHEMA store")
    for name in ("00_exact_product", "05_exact_sum"):
        path = Path(__file__).parents[3] / "warehouse" / "views" / f"{name}.sql"
        con.execute(path.read_text("utf-8"))

    def mean(total: str, number: int) -> Any:
        return con.execute(
            f"SELECT store.exact_mean({total}::DECIMAL(38, 12), {number})"
        ).fetchone()[0]  # type: ignore[index]

    assert mean("1", 3) == Decimal("0.333333333333")
    assert mean("2", 3) == Decimal("0.666666666667")
    assert mean("0.000000000001", 2) == Decimal("0.000000000001")
    assert mean("99999999999999999999999999.999999999999", 1) == Decimal(
        "99999999999999999999999999.999999999999"
    )
    assert mean("1", 0) is None
    con.close()
