"""The cookbook's questions about where to pay out, and what that cost."""

from __future__ import annotations

from datetime import UTC, timedelta
from decimal import Decimal

from truth.book import Book, Row
from truth.chains import chain_status_now
from truth.costs import withdrawal_cost_in
from truth.fees import withdraw_fee_history, withdraw_fee_now
from truth.money import EXACT
from truth.now import coin_network_now, fiat_rate_now
from truth.ordering import only, ordered
from truth.routes import payout_route, payout_route_ranking

_EIGHT_DIGITS = Decimal(10**8)


def payout_cost_now(book: Book) -> list[Row]:
    """500 USDT on each chain, in EUR."""
    rates = [row["usd_rate"] for row in fiat_rate_now(book) if row["fiat"] == "EUR"]
    rows = [
        only(row, "cost_rank", "coin_id", "chain", "fee_usd", "needs_memo", "reason_excluded")
        | {"fee_fiat": _in_euro(row["fee_usd"], rates), "data_age_s": row["data_age_s"]}
        for row in payout_route(book, "USDT", Decimal(500))
    ]
    return ordered(rows, "coin_id", "cost_rank", "chain")


def _in_euro(fee: Decimal | None, rates: list[Decimal]) -> Decimal | None:
    if fee is None or not rates or fee >= _EIGHT_DIGITS:
        return None
    product = EXACT.multiply(fee, rates[0])
    return EXACT.quantize(product, Decimal("1e-4")) if product < _EIGHT_DIGITS else None


def monthly_cost(book: Book) -> list[Row]:
    """The month before the present one, in EUR."""
    month = (book.now.astimezone(UTC).date().replace(day=1) - timedelta(days=1)).replace(day=1)
    columns = ("month", "coin_id", "coin", "chain", "withdrawal_count", "payout_amount", "fee")
    rows = [
        only(row, *columns, "cheapest_possible", "avoidable", "is_estimate")
        | {"not_compared": _difference(row["withdrawal_count"], row["compared_count"])}
        for row in withdrawal_cost_in(book, "EUR")
        if row["month"] == month
    ]
    return ordered(rows, "-avoidable", "-fee", "coin_id", "chain")


def _difference(all_of: int | None, some: int | None) -> int | None:
    return None if all_of is None or some is None else all_of - some


def better_route(book: Book) -> list[Row]:
    """The cheapest route, where it is cheaper than the default one by more than a cent."""
    columns = ("coin_id", "coin", "chain", "fee_usd", "saves_vs_default_usd", "needs_memo")
    rows = [
        only(row, *columns, "min_withdraw_amount")
        for row in payout_route_ranking(book)
        if row["cost_rank"] == 1
        and row["saves_vs_default_usd"] is not None
        and row["saves_vs_default_usd"] > Decimal("0.01")
    ]
    return ordered(rows, "-saves_vs_default_usd", "coin_id", "chain")


def memo_routes(book: Book) -> list[Row]:
    """Routes that need a memo."""
    rows = [
        only(row, "coin_id", "coin", "chain", "cost_rank", "fee_usd", "reason_excluded")
        for row in payout_route_ranking(book)
        if row["needs_memo"]
    ]
    return ordered(rows, "coin", "coin_id", "chain")


def refused_pairs(book: Book) -> list[Row]:
    """Pairs that are refused now, since when."""
    since = {
        (row["coin_id"], row["chain"]): row["valid_from"]
        for row in withdraw_fee_history(book)
        if row["valid_to"] is None
    }
    rows = [
        only(row, "coin_id", "coin", "chain", "refusal_code", "can_withdraw")
        | {"refused_since": since[row["coin_id"], row["chain"]]}
        for row in withdraw_fee_now(book)
        if row["state"] == "refused"
    ]
    return ordered(rows, "-can_withdraw", "coin", "coin_id", "chain")


def affected_by_maintenance(book: Book) -> list[Row]:
    """Coins on chains in maintenance, each with its cheapest usable route."""
    best: dict[int, list[Row]] = {}
    for route in payout_route_ranking(book):
        if route["cost_rank"] == 1:
            best.setdefault(route["coin_id"], []).append(route)
    nothing = {"coin_id": None, "coin": None}
    rows = []
    for chain in chain_status_now(book):
        if chain["status"] != "maintenance":
            continue
        coins = [row for row in coin_network_now(book) if row["chain"] == chain["chain"]]
        for coin in coins or [nothing]:
            routes = best.get(coin["coin_id"], [])
            rows.append(
                only(chain, "chain", "started_after", "started_by")
                | only(coin, "coin_id", "coin")
                | {
                    "next_best_chain": min((r["chain"] for r in routes), default=None),
                    "next_best_usd": min((r["fee_usd"] for r in routes), default=None),
                }
            )
    return ordered(rows, "-started_by", "chain", "coin", "coin_id")
