"""The views: exact money, unknown as a value of its own, nothing that raises."""

from __future__ import annotations

from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal, localcontext
from itertools import product as product_of
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ccpay_io.feeds.poll import poll_id_at, utc_now
from ccpay_io.models import Drift
from ccpay_io.store.schema import sql_folder, view_docs
from ccpay_io.store.sealing import seal
from ccpay_io.store.writer import Warehouse

NETWORK = {
    "can_deposit": True,
    "can_withdraw": True,
    "precision": 18,
    "min_deposit_amount": Decimal(0),
    "min_withdraw_amount": Decimal(10),
    "max_withdraw_amount": Decimal(0),
    "needs_memo": False,
}
CHAINS = {"feed": "chains", "dataset": "chain", "cadence_s": 30}
NETWORKS = {"feed": "networks", "dataset": "coin_network"}
PRICES = {"feed": "prices", "dataset": "coin_price", "complete": False}
EXTREMES = (
    "0.000000000000000001",
    "100000000000000000",
    "0",
    "99999999999999999999.999999999999999999",
)


def _status(word: str) -> dict[str, object]:
    state = {"Normal": "normal", "Maintenance": "maintenance"}.get(word, "unknown")
    return {"state": state, "status_raw": word}


@pytest.fixture(scope="module")
def product() -> Any:
    """store.exact_product on a connection of its own."""
    con = duckdb.connect()
    con.execute("CREATE SCHEMA store")
    con.execute((sql_folder() / "views" / "00_exact_product.sql").read_text())
    yield lambda a, b: con.execute(
        "SELECT store.exact_product(?::VARCHAR::DECIMAL(38, 18), ?::VARCHAR::DECIMAL(38, 18))",
        [f"{a:f}", f"{b:f}"],
    ).fetchone()[0]
    con.close()


amounts = st.integers(0, 10**38 - 1).map(lambda n: Decimal(f"{n // 10**18}.{n % 10**18:018}"))
small = st.integers(0, 10**27).map(lambda n: Decimal(f"{n // 10**18}.{n % 10**18:018}"))


@given(a=amounts | small, b=amounts | small)
@settings(max_examples=400, deadline=None)
def test_a_product_is_exact_or_null(product: Any, a: Decimal, b: Decimal) -> None:
    """Equal to Python's exact product, rounded half up to 12 places; NULL only beyond 26 digits."""
    with localcontext() as context:
        context.prec = 100
        expected = (a * b).quantize(Decimal("1e-12"), ROUND_HALF_UP)

        found = product(a, b)

        assert expected == found or (found is None and expected >= Decimal("1e26"))


def test_no_view_raises_on_any_amount(
    warehouse: Warehouse, poll: Any, fee: Any, query: Any
) -> None:
    """The edges of DECIMAL(38, 18) as fee, price and limit: every view still answers."""
    pairs = dict(enumerate(product_of(EXTREMES, EXTREMES), start=1))
    warehouse.commit(
        [
            poll(0, {("ETH",): _status("Normal")}, **CHAINS),
            poll(
                1,
                {
                    (coin, "ETH"): NETWORK | {"min_withdraw_amount": Decimal(amount)}
                    for coin, (amount, _) in pairs.items()
                },
                **NETWORKS,
            ),
            poll(
                2,
                {(coin,): {"price_usd": Decimal(price)} for coin, (_, price) in pairs.items()},
                **PRICES,
            ),
            poll(3, {(coin, "ETH"): fee(amount, coin) for coin, (amount, _) in pairs.items()}),
            poll(8, {(coin, "ETH"): fee("1", coin) for coin in pairs}),
        ]
    )
    for doc, _ in view_docs():
        if doc.kind == "view":
            query(f'SELECT * FROM "{doc.name}"')

    rows = query(
        "SELECT coin_id, first(fee_amount ORDER BY valid_from), first(fee_usd ORDER BY valid_from)"
        " FROM withdraw_fee_history GROUP BY coin_id ORDER BY coin_id"
    )
    assert len(rows) == len(pairs)
    for coin, stored, usd in rows:
        amount, price = map(Decimal, pairs[coin])
        assert stored == amount
        assert usd is not None or amount * price > Decimal("1e25")


def test_a_fee_without_a_price_says_why(
    warehouse: Warehouse, poll: Any, fee: Any, query: Any
) -> None:
    """NULL with a reason, never zero."""
    refused = {"state": "refused", "refusal_code": 13004}
    warehouse.commit([poll(0, {(1, "ETH"): fee("1"), (2, "ETH"): refused})])

    rows = query(
        "SELECT coin_id, fee_usd, fee_usd_reason, refusal_code FROM withdraw_fee_now ORDER BY 1"
    )

    assert rows == [(1, None, "no_price", None), (2, None, "no_fee", 13004)]


def test_after_a_failed_fee_poll_every_pair_is_unknown(
    warehouse: Warehouse, poll: Any, fee: Any, query: Any
) -> None:
    """The age goes on counting from the last answer; no amount is shown as if it were current."""
    warehouse.commit([poll(0, {(1, "ETH"): fee("1")}), poll(5, None)])

    rows = query(
        "SELECT state, unknown_reason, fee_amount, route_state, observed_at::VARCHAR"
        " FROM withdraw_fee_now"
    )

    assert rows == [("unknown", "TimedOut", None, "unknown:TimedOut", "2026-03-01 12:00:10+00")]


SKIPPED = {"outcome": "skipped", "error_code": 11014, "error_name": "BreakerOpen"}


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        (SKIPPED, "11014 BreakerOpen"),
        ({"outcome": "failed", "error_name": "TimedOut"}, "TimedOut"),
        ({"outcome": "failed"}, "no_answer"),
        ({"outcome": "skipped", "error_code": 11014}, "11014"),
    ],
)
def test_a_poll_without_answers_leaves_every_pair_unknown_with_a_reason(
    warehouse: Warehouse,
    poll: Any,
    fee: Any,
    query: Any,
    fields: dict[str, object],
    reason: str,
) -> None:
    """Skipped is as silent as failed."""
    warehouse.commit([poll(0, {(1, "ETH"): fee("1")})])
    warehouse.commit([poll(5, {}, complete=False, **fields)])

    for view in ("withdraw_fee_now", "withdraw_fee_snapshot"):
        ((state, amount, why),) = query(
            f"SELECT state, fee_amount, unknown_reason FROM {view}"
            f" WHERE poll_id = (SELECT max(poll_id) FROM {view})"
        )
        assert (state, amount, why) == ("unknown", None, reason)
    assert query(
        "SELECT strftime(valid_from, '%H:%M'), strftime(valid_to, '%H:%M')"
        " FROM withdraw_fee_history"
    ) == [("12:00", "12:05")]


def _bounds(query: Any, chain: str) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = query(
        "SELECT status, strftime(started_after, '%M'), strftime(started_by, '%M'),"
        f" strftime(observed_at, '%M') FROM chain_status_now WHERE chain = '{chain}'"
    )
    return rows


def test_an_unreadable_chain_is_unknown_since_the_first_poll_that_could_not_read_it(
    warehouse: Warehouse, poll: Any, query: Any
) -> None:
    """Its own bounds, while the polls themselves are good; an outage after it changes nothing."""
    other = {("A",): _status("Normal")}
    warehouse.commit([poll(m, other | {("B",): _status("Normal")}, **CHAINS) for m in (0, 1)])
    warehouse.commit([poll(m, other, gaps={"bad_value": [("B",)]}, **CHAINS) for m in (2, 3)])
    assert _bounds(query, "B") == [("unknown", "01", "02", "01")]
    assert _bounds(query, "A") == [("normal", None, "00", "03")]

    warehouse.commit([poll(4, None, **CHAINS), poll(5, None, **CHAINS | SKIPPED)])

    assert _bounds(query, "B") == [("unknown", "01", "02", "01")]
    assert _bounds(query, "A") == [("unknown", "03", "04", "03")]


def test_unknown_bounds_of_absent_and_unrecognised_chains(
    warehouse: Warehouse, poll: Any, query: Any
) -> None:
    """An absence is last confirmed by the last good poll; an unseen word began before an outage."""
    warehouse.commit([poll(0, {("A",): _status("Normal"), ("B",): _status("Normal")}, **CHAINS)])
    warehouse.commit([poll(m, {("A",): _status("Frozen")}, **CHAINS) for m in (1, 2)])
    assert _bounds(query, "A") == [("unknown", "00", "01", "02")]
    assert _bounds(query, "B") == [("absent", "00", "01", "02")]

    warehouse.commit([poll(3, None, **CHAINS)])

    assert _bounds(query, "A") == [("unknown", "00", "01", "02")]
    assert _bounds(query, "B") == [("unknown", "02", "03", "02")]


@pytest.mark.parametrize(
    ("words", "status", "reason", "last_known"),
    [
        (["Normal"], "normal", None, "normal"),
        (["Normal", "Maintenance"], "maintenance", None, "maintenance"),
        (["Maintenance", "Frozen"], "unknown", "unrecognised:Frozen", "maintenance"),
        (["Maintenance", None], "unknown", "TimedOut", "maintenance"),
        (["Normal", None, "Maintenance"], "maintenance", None, "maintenance"),
    ],
)
def test_chain_status_now_tells_unknown_from_maintenance(
    warehouse: Warehouse,
    poll: Any,
    query: Any,
    words: list[str | None],
    status: str,
    reason: str | None,
    last_known: str,
) -> None:
    """An outage and an unseen word are unknown; last_known_status keeps what was answered."""
    for minute, word in enumerate(words):
        rows = None if word is None else {("TRX",): _status(word)}
        warehouse.commit([poll(minute, rows, **CHAINS)])

    assert [(status, reason, last_known)] == query(
        "SELECT status, unknown_reason, last_known_status FROM chain_status_now"
    )


def test_a_chain_that_is_no_longer_listed_is_absent(
    warehouse: Warehouse, poll: Any, query: Any
) -> None:
    """Absent is a status of its own, dated by the poll that no longer listed it."""
    warehouse.commit([poll(0, {("A",): _status("Normal"), ("B",): _status("Normal")}, **CHAINS)])
    warehouse.commit([poll(1, {("A",): _status("Normal")}, **CHAINS)])

    rows = query("SELECT chain, status, observed_at::VARCHAR FROM chain_status_now ORDER BY 1")

    assert rows == [
        ("A", "normal", "2026-03-01 12:01:10+00"),
        ("B", "absent", "2026-03-01 12:01:10+00"),
    ]


def test_chain_status_history_has_one_row_per_stretch(
    warehouse: Warehouse, poll: Any, query: Any
) -> None:
    """A maintenance with an outage inside: known stretches around an unknown one, polls counted."""
    words = ["Normal", "Normal", "Maintenance", None, None, "Maintenance", "Normal"]
    for minute, word in enumerate(words):
        warehouse.commit(
            [poll(minute, None if word is None else {("TRX",): _status(word)}, **CHAINS)]
        )

    rows = query(
        "SELECT status, poll_count, unknown_poll_count,"
        " strftime(valid_from, '%M'), strftime(valid_to, '%M')"
        " FROM chain_status_history ORDER BY valid_from"
    )

    assert rows == [
        ("normal", 2, 0, "00", "02"),
        ("maintenance", 1, 0, "02", "03"),
        ("unknown", 2, 2, "03", "05"),
        ("maintenance", 1, 0, "05", "06"),
        ("normal", 1, 0, "06", None),
    ]


def test_skipped_polls_are_an_unknown_stretch_of_a_chain(
    warehouse: Warehouse, poll: Any, query: Any
) -> None:
    """A ban says nothing about a chain: the status before it is not carried over."""
    normal = {("TRX",): _status("Normal")}
    warehouse.commit([poll(0, normal, **CHAINS)])
    warehouse.commit([poll(minute, None, **CHAINS | SKIPPED) for minute in (1, 2)])
    warehouse.commit([poll(3, normal, **CHAINS)])

    rows = query(
        "SELECT status, status_raw, poll_count, unknown_poll_count FROM chain_status_history"
        " ORDER BY valid_from"
    )

    assert rows == [("normal", "Normal", 1, 0), ("unknown", None, 2, 2), ("normal", "Normal", 1, 0)]


def test_fee_history_fills_nothing_across_unknown(
    warehouse: Warehouse, poll: Any, fee: Any, query: Any
) -> None:
    """A gap ends a row; the same answer after it begins another one."""
    same = {(1, "ETH"): fee("1"), (2, "ETH"): fee("1")}
    warehouse.commit([poll(0, same), poll(5, same)])
    warehouse.commit([poll(10, {(2, "ETH"): fee("1")}, gaps={"deadline": [(1, "ETH")]})])
    warehouse.commit(
        [poll(15, same), poll(20, None), poll(25, {(1, "ETH"): fee("2"), (2, "ETH"): fee("1")})]
    )

    rows = query(
        "SELECT coin_id, fee_amount::INTEGER, strftime(valid_from, '%M'), strftime(valid_to, '%M'),"
        " fee_amount_change_pct FROM withdraw_fee_history ORDER BY coin_id, valid_from"
    )

    assert rows == [
        (1, 1, "00", "10", None),
        (1, 1, "15", "20", 0.0),
        (1, 2, "25", None, 100.0),
        (2, 1, "00", "20", None),
        (2, 1, "25", None, 0.0),
    ]


def test_a_fee_is_valued_with_the_price_known_at_the_time(
    warehouse: Warehouse, poll: Any, fee: Any, query: Any
) -> None:
    """A later price does not change what a fee was worth."""
    warehouse.commit(
        [
            poll(0, {(1,): {"price_usd": Decimal(2000)}}, **PRICES),
            poll(1, {(1, "ETH"): fee("0.5")}),
            poll(2, {(1,): {"price_usd": Decimal(3000)}}, **PRICES),
            poll(6, {(1, "ETH"): fee("0.25")}),
        ]
    )

    rows = query(
        "SELECT fee_usd::VARCHAR, price_age_s, price_change_pct"
        " FROM withdraw_fee_history ORDER BY valid_from"
    )

    assert rows == [("1000.000000000000", 60, None), ("750.000000000000", 240, 50.0)]


def test_a_price_that_is_confirmed_does_not_age(
    warehouse: Warehouse, poll: Any, fee: Any, query: Any
) -> None:
    """Unchanged for hours, but answered in each poll, by whichever of the two sources."""
    price = {(1,): {"price_usd": Decimal(1)}}
    networks = PRICES | {"feed": "networks", "cadence_s": 3600}
    warehouse.commit([poll(60 * hour, price, **networks) for hour in range(9)])
    warehouse.commit([poll(485, price, **PRICES), poll(490, {(1, "ETH"): fee("1")})])

    rows = query("SELECT fee_usd::INTEGER, price_age_s FROM withdraw_fee_history")

    assert rows == [(1, 300)]


def test_a_list_without_the_coin_confirms_no_price(
    warehouse: Warehouse, poll: Any, fee: Any, query: Any
) -> None:
    """A fee coin outside of the token list ages, however often the list is answered."""
    networks = PRICES | {"feed": "networks", "cadence_s": 3600}
    warehouse.commit([poll(0, {(7,): {"price_usd": Decimal(2)}}, **PRICES)])
    others = {(1,): {"price_usd": Decimal(1)}}
    warehouse.commit([poll(60 * hour, others, **networks) for hour in range(1, 24)])
    warehouse.commit([poll(1440, {(1, "ETH"): fee("1", 7)})])

    rows = query("SELECT fee_usd, price_usd::INTEGER, price_age_s FROM withdraw_fee_history")

    assert rows == [(None, 2, 86_400)]


def test_what_has_no_price_or_no_answer_has_no_age(
    warehouse: Warehouse, poll: Any, fee: Any, query: Any
) -> None:
    """NULL, not the age of the last poll and not zero, in history and now."""
    gaps = {"deadline": [(2, "ETH")]}
    warehouse.commit([poll(0, {(9,): {"price_usd": Decimal(2)}}, **PRICES)])
    warehouse.commit([poll(1, {(1, "ETH"): fee("1", 7)}, gaps=gaps)])

    assert query("SELECT price_usd, price_age_s FROM withdraw_fee_history") == [(None, None)]
    assert query("SELECT price_age_s FROM withdraw_fee_now WHERE coin_id = 1") == [(None,)]
    assert query("SELECT data_age_s, is_stale FROM withdraw_fee_now WHERE coin_id = 2") == [
        (None, True)
    ]


@pytest.mark.parametrize("batched", [True, False])
def test_what_is_no_longer_listed_keeps_its_name(
    warehouse: Warehouse, poll: Any, fee: Any, query: Any, batched: bool
) -> None:
    """The history of a delisted coin is found by its symbol; its absence has no values."""
    coins, other = {"feed": "networks", "dataset": "coin"}, {(2,): {"coin": "USDC"}}
    polls = [
        poll(0, {(1,): {"coin": "USDT", "status": "Normal"}} | other, **coins),
        poll(1, {(1, "ETH"): fee("1")}),
        poll(2, other, **coins),
        poll(3, other | {(3,): {"coin": "ETH"}}, **coins),
        poll(4, {("TRX",): _status("Normal") | {"needs_memo": True}}, **CHAINS),
        poll(5, {}, **CHAINS),
    ]
    for batch in [polls] if batched else [[one] for one in polls]:
        warehouse.commit(batch)

    assert query("SELECT coin, status FROM coin WHERE coin_id = 1") == [("USDT", "Normal")]
    assert query("SELECT coin FROM withdraw_fee_history") == [("USDT",)]
    assert query("SELECT status, status_raw, needs_memo FROM chain_status_now") == [
        ("absent", None, True)
    ]
    assert query("SELECT state, coin FROM store.coin_span WHERE entity_id = 1 ORDER BY ALL") == [
        ("absent", None),
        ("ok", "USDT"),
    ]


@pytest.mark.parametrize(
    ("networks_cadence_s", "silent_for_min", "fee_usd"),
    [(None, 14, 2000), (None, 20, None), (3600, 20, 2000), (3600, 190, None)],
)
def test_a_fee_is_not_valued_with_a_stale_price(
    warehouse: Warehouse,
    poll: Any,
    fee: Any,
    query: Any,
    networks_cadence_s: int | None,
    silent_for_min: int,
    fee_usd: int | None,
) -> None:
    """Older than three cadences of getCoinList, or of the price feed alone; a gap is no price."""
    price = {(1,): {"price_usd": Decimal(2000)}}
    if networks_cadence_s:
        cadence = {"cadence_s": networks_cadence_s}
        warehouse.commit([poll(-60, {(1, "ETH"): NETWORK}, **NETWORKS | cadence)])
    warehouse.commit([poll(-5, price, **PRICES), poll(0, price, **PRICES)])
    warehouse.commit([poll(5, {}, gaps={"not_in_answer": [(1,)]}, **PRICES)])
    warehouse.commit([poll(10, None, **PRICES)])
    warehouse.commit([poll(silent_for_min, {(1, "ETH"): fee("1")})])

    rows = query(
        "SELECT fee_usd::INTEGER, price_usd::INTEGER, price_age_s FROM withdraw_fee_history"
    )

    assert rows == [(fee_usd, 2000, 60 * silent_for_min)]


def test_now_a_stale_price_is_a_reason(
    warehouse: Warehouse, poll: Any, fee: Any, query: Any
) -> None:
    """A fresh fee with an old price has no cost, says why and gets no rank."""
    now = utc_now()
    fresh = {"poll_id": poll_id_at(now), "started_at": now, "observed_at": now}
    warehouse.commit([poll(0, {(7,): {"price_usd": Decimal(1)}}, **PRICES)])
    warehouse.commit([poll(0, {(1, "ETH"): fee("2", 7)}, **fresh)])

    assert query(
        "SELECT fee_usd, fee_usd_reason, NULL FROM withdraw_fee_now WHERE price_age_s > 900"
    ) == [(None, "stale_price", None)]
    assert query("SELECT cost_rank, reason_excluded FROM payout_route_ranking") == [
        (None, "stale_price")
    ]
    assert query("SELECT is_stale FROM coin_price_now") == [(True,)]


def _ago(**span: float) -> dict[str, Any]:
    """The fields of a poll that was answered so long ago."""
    at = utc_now() - timedelta(**span)
    return {"poll_id": poll_id_at(at), "started_at": at, "observed_at": at}


@pytest.mark.parametrize(("cadence_s", "is_stale"), [(300, True), (3600, False)])
def test_a_new_cadence_counts_from_the_poll_that_brings_it(
    warehouse: Warehouse, poll: Any, fee: Any, query: Any, cadence_s: int, is_stale: bool
) -> None:
    """A pair that was last answered 20 minutes ago is stale by one cadence, not by the other."""
    warehouse.commit([poll(0, {(1, "ETH"): fee("1")}, **_ago(minutes=20))])
    failed = {"outcome": "failed", "error_name": "TimedOut", "cadence_s": cadence_s}
    warehouse.commit([poll(0, None, **_ago(minutes=1), **failed)])

    assert query("SELECT is_stale FROM withdraw_fee_now") == [(is_stale,)]


_REFUSED = {"state": "refused", "refusal_code": 13001}


@pytest.mark.parametrize(
    ("then", "ago", "change_pct"),
    [
        pytest.param(("4", 1), Decimal(4), 25, id="another fee"),
        pytest.param(("5", 1), Decimal(5), 0, id="the same fee"),
        pytest.param(("0", 1), Decimal(0), None, id="free"),
        pytest.param(("4", 2), None, None, id="charged in another coin"),
        pytest.param(None, None, None, id="refused"),
        pytest.param((), None, None, id="not there yet"),
    ],
)
def test_a_fee_is_compared_with_that_of_24_hours_before(
    warehouse: Warehouse, poll: Any, fee: Any, query: Any, then: Any, ago: Any, change_pct: Any
) -> None:
    """With the last poll by then, not with one before or after it."""
    key = (1, "ETH")
    was = {} if then == () else {key: fee(*then) if then else _REFUSED}
    warehouse.commit([poll(0, {key: fee("7")} if then != () else {}, **_ago(hours=26))])
    warehouse.commit([poll(0, was, **_ago(hours=24, minutes=2))])
    warehouse.commit([poll(0, {key: fee("9")}, **_ago(hours=23, minutes=50))])
    warehouse.commit([poll(0, {key: fee("5")}, **_ago(minutes=1))])

    rows = query("SELECT fee_amount_24h_ago, fee_amount_change_24h_pct FROM withdraw_fee_now")

    assert rows == [(ago, change_pct)]


@pytest.mark.parametrize("silent", ["the poll of then", "since then"])
def test_a_fee_is_not_compared_with_what_was_not_known(
    warehouse: Warehouse, poll: Any, fee: Any, query: Any, silent: str
) -> None:
    """A failed poll says nothing of a fee, be it now or 24 hours before."""
    rows = {(1, "ETH"): fee("5")}
    warehouse.commit([poll(0, rows, **_ago(hours=26))])
    failed = 24.5 if silent == "the poll of then" else 0.1
    for hours in (24.5, 12, 0.1):
        warehouse.commit([poll(0, None if hours == failed else rows, **_ago(hours=hours))])

    assert query("SELECT fee_amount_24h_ago FROM withdraw_fee_now") == [(None,)]


def test_a_fee_is_not_compared_with_another_poll_when_that_of_then_is_sealed(
    warehouse: Warehouse, poll: Any, fee: Any, query: Any
) -> None:
    """Of what is not sealed only that is known which has been so all the time."""
    for hours, amount in ((30, "4"), (26, "3"), (2, "5")):
        rows = {(1, "ETH"): fee(amount), (2, "ETH"): fee("8")}
        warehouse.commit([poll(0, rows, **_ago(hours=hours), cadence_s=86_400)])
    compared = "SELECT fee_amount_24h_ago FROM withdraw_fee_now ORDER BY coin_id"
    assert query(compared) == [(Decimal(3),), (Decimal(8),)]

    seal(warehouse, utc_now() + timedelta(days=70))
    warehouse.commit([poll(0, {(1,): {"price_usd": Decimal(1)}}, **PRICES | _ago(hours=1))])

    assert query(compared) == [(None,), (Decimal(8),)]


def test_a_stale_fee_is_compared_with_that_of_24_hours_before_its_poll(
    warehouse: Warehouse, poll: Any, fee: Any, query: Any
) -> None:
    """Not with that of 24 hours ago."""
    for hours in (49, 26, 24.5, 1):
        warehouse.commit([poll(0, {(1, "ETH"): fee(str(hours))}, **_ago(hours=hours))])

    rows = query("SELECT is_stale, fee_amount_24h_ago FROM withdraw_fee_now")

    assert rows == [(True, Decimal(26))]


def test_a_rate_history_has_one_row_per_rate(warehouse: Warehouse, poll: Any, query: Any) -> None:
    """Unchanged rates leave no row; an absence ends the last one."""
    as_fiats = {"feed": "fiats", "dataset": "fiat"}
    for minute, rate in ((0, "0.9"), (15, "0.9"), (30, "0.95"), (45, None)):
        rows = {(9,): {"fiat": "USD", "usd_rate": Decimal(1)}}
        if rate:
            rows[(1,)] = {"fiat": "EUR", "usd_rate": Decimal(rate)}
        warehouse.commit([poll(minute, rows, **as_fiats)])

    rows = query(
        "SELECT usd_rate::DOUBLE, strftime(valid_from, '%M'), strftime(valid_to, '%M')"
        " FROM fiat_rate_history WHERE fiat = 'EUR' ORDER BY valid_from"
    )

    assert rows == [(0.9, "00", "30"), (0.95, "30", "45")]
    assert query("SELECT fiat FROM fiat_rate_now") == [("USD",)]


def test_a_rate_history_fills_nothing_across_unknown(
    warehouse: Warehouse, poll: Any, query: Any
) -> None:
    """A failed poll, a skipped one and a gap each end a row; the same rate begins another."""
    as_fiats = {"feed": "fiats", "dataset": "fiat"}
    eur = {(1,): {"fiat": "EUR", "usd_rate": Decimal("0.9")}}
    warehouse.commit([poll(0, eur, **as_fiats), poll(5, None, **as_fiats)])
    warehouse.commit([poll(10, eur, **as_fiats), poll(15, None, **as_fiats | SKIPPED)])
    warehouse.commit([poll(20, eur, **as_fiats), poll(25, eur, **as_fiats)])
    warehouse.commit([poll(30, {}, gaps={"bad_value": [(1,)]}, **as_fiats)])
    warehouse.commit([poll(35, eur, **as_fiats)])

    rows = query(
        "SELECT usd_rate::DOUBLE, strftime(valid_from, '%M'), strftime(valid_to, '%M')"
        " FROM fiat_rate_history ORDER BY valid_from"
    )

    spans = [("00", "05"), ("10", "15"), ("20", "30"), ("35", None)]
    assert rows == [(0.9, *span) for span in spans]


def test_routes_are_ranked_with_reasons_for_exclusions(
    warehouse: Warehouse, poll: Any, fee: Any, query: Any
) -> None:
    """The cheapest usable first; maintenance, closed withdrawals, limits, silence: no rank."""
    now = utc_now()
    at = {"started_at": now - timedelta(seconds=5), "observed_at": now, "poll_id": None}

    def recent(number: int, rows: Any, **more: Any) -> Any:
        moment = now + timedelta(microseconds=number)
        return poll(0, rows, **more, **{**at, "poll_id": number, "started_at": moment})

    networks = {(1, c): NETWORK for c in ("A", "B", "C", "D", "E")}
    networks[(1, "C")] = NETWORK | {"can_withdraw": False}
    networks[(1, "E")] = NETWORK | {"min_withdraw_amount": Decimal(1000)}
    chains = {(c,): _status("Normal") for c in "ABCDE"} | {("D",): _status("Maintenance")}
    coin = {(1,): {"coin": "USDT", "status": "Normal"}}
    fees = {(1, c): fee(amount, 7) for c, amount in zip("ABCDE", "21134", strict=True)}
    warehouse.commit(
        [
            recent(1, chains, **CHAINS),
            recent(2, networks, **NETWORKS),
            recent(3, coin, feed="networks", dataset="coin"),
            recent(4, {(7,): {"price_usd": Decimal("0.5")}}, **PRICES),
            recent(5, fees),
        ]
    )

    rows = query(
        "SELECT cost_rank, chain, fee_usd::DOUBLE, reason_excluded FROM payout_route('USDT', 500)"
        " ORDER BY cost_rank NULLS LAST, chain"
    )

    assert rows == [
        (1, "B", 0.5, None),
        (2, "A", 1.0, None),
        (None, "C", 0.5, "blocked:can_withdraw_false"),
        (None, "D", 1.5, "blocked:maintenance"),
        (None, "E", 2.0, "below_minimum"),
    ]
    assert len(query("FROM payout_route(1, 500)")) == 5
    assert [(Decimal("1.5"),)] == query(
        "SELECT saves_vs_worst_usd FROM payout_route_ranking WHERE chain = 'B'"
    )


def test_drift_is_kept_once_with_its_first_sample(
    warehouse: Warehouse, poll: Any, fee: Any, query: Any
) -> None:
    """The same deviation in later polls is not news."""
    drift = Drift("getWithdrawFee", "data.fee.extra", "new_field", "extra", None, '{"extra": 1}')
    for minute in (0, 5):
        warehouse.commit([poll(minute, {(1, "ETH"): fee("1")}, drift=(drift,))])

    assert query("SELECT endpoint, kind, first_seen_at::VARCHAR FROM contract_drift") == [
        ("getWithdrawFee", "new_field", "2026-03-01 12:00:10+00")
    ]
