"""Every view again, in plain Python from the polls: what the SQL is held against.

Written from the data dictionary, not from the SQL. Each function takes a Book and returns the
view's rows. Called by test_proof.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from truth import (
    alerts,
    asof,
    care,
    chains,
    costs,
    fees,
    hours,
    lists,
    maintenance,
    now,
    reference,
    rollups,
    routes,
    spikes,
)
from truth.book import Book, Row, Withdrawal

VIEWS: Mapping[str, Callable[[Book], list[Row]]] = {
    view.__name__: view
    for view in (
        reference.chain,
        reference.coin,
        reference.fiat,
        chains.chain_status_now,
        now.coin_price_now,
        now.coin_network_now,
        fees.withdraw_fee_now,
        now.fiat_rate_now,
        now.swap_coin_now,
        now.address_validity_now,
        now.cwallet_user_now,
        fees.withdraw_fee_snapshot,
        fees.withdraw_fee_history,
        rollups.withdraw_fee_daily,
        rollups.withdraw_fee_hourly,
        spikes.fee_spike_event,
        lists.swap_coin_history,
        lists.coin_network_history,
        chains.chain_status_history,
        fees.fiat_rate_history,
        hours.coin_price_history,
        hours.fee_by_hour_of_week,
        routes.payout_route_ranking,
        maintenance.maintenance_episode,
        alerts.alert_episode,
        alerts.notice_delivery,
        maintenance.chain_availability_daily,
        maintenance.chain_availability_monthly,
        costs.withdrawal_cost_monthly,
        care.poll_coverage,
        care.contract_drift,
        care.api_budget_now,
    )
}


@dataclass(frozen=True)
class Macro:
    """A table macro: with which parameters it is asked, and its rows for them."""

    rows: Callable[..., list[Row]]
    asked: Callable[[Book], list[tuple[Any, ...]]]


def _moments(book: Book) -> list[tuple[Any, ...]]:
    """Before the first poll, at polls and between them, and now."""
    first = min(poll.started_at for poll in book.ledger)
    last = max(poll.observed_at for poll in book.ledger)
    fees = [poll.observed_at for poll in book.ledger if poll.feed == "fees"]
    chosen = [first + (last - first) * share / 7 for share in range(8)]
    return [(first - timedelta(hours=1),), *((m,) for m in (*chosen, *fees[1::60], book.now))]


def _coins(book: Book) -> list[tuple[Any, ...]]:
    return [("USDT", Decimal(500)), (4, Decimal("0.5")), ("BNB", Decimal(0)), ("no such", 1)]


MACROS: Mapping[str, Macro] = {
    "payout_route": Macro(routes.payout_route, _coins),
    "withdraw_fee_as_of": Macro(asof.withdraw_fee_as_of, _moments),
    "chain_status_as_of": Macro(asof.chain_status_as_of, _moments),
    "fiat_rate_as_of": Macro(asof.fiat_rate_as_of, _moments),
    "withdrawal_cost_in": Macro(
        costs.withdrawal_cost_in, lambda book: [("eur",), ("KWD",), ("USD",), ("XXX",)]
    ),
    "withdraw_fee_in": Macro(asof.withdraw_fee_in, lambda book: [("EUR",), ("KWD",), ("XXX",)]),
    "fee_by_hour_of_week": Macro(
        hours.fee_by_hour_of_week, lambda book: [("Europe/Berlin",), ("Asia/Kathmandu",)]
    ),
    "withdraw_fee_quantile": Macro(
        lambda book, share: asof.withdraw_fee_quantile(book, Fraction(str(share))),
        lambda book: [(0.9,), (0.5,), (0.25,)],
    ),
}

__all__ = ["MACROS", "VIEWS", "Book", "Withdrawal"]
