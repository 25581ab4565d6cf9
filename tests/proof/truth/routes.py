"""Which chain is cheapest to pay out on, and why another one is excluded."""

from __future__ import annotations

from decimal import Decimal

from truth.book import Book, Row, once
from truth.fees import withdraw_fee_now
from truth.money import EXACT


@once
def payout_route_ranking(book: Book) -> list[Row]:
    """Every route of every coin."""
    fees = withdraw_fee_now(book)
    networks = {key: said.values for key, (said, _) in book.existing("coin_network").items()}
    chains = {key[0]: said.values for key, (said, _) in book.listed("chain").items()}
    excluded = {(f["coin_id"], f["chain"]): _reason(f) for f in fees}
    rows = []
    for fee in fees:
        key = (fee["coin_id"], fee["chain"])
        rivals = [f for f in fees if f["coin_id"] == fee["coin_id"]]
        usable = [f["fee_usd"] for f in rivals if excluded[f["coin_id"], f["chain"]] is None]
        default = [
            f["fee_usd"]
            for f in rivals
            if ("default_route", fee["coin"], f["chain"]) in book.watched
        ]
        mine = fee["fee_usd"] if excluded[key] is None else None
        memo = networks.get(key, {}).get("needs_memo")
        if memo is None:
            memo = chains.get(fee["chain"], {}).get("needs_memo")
        rows.append(
            {
                **{c: fee[c] for c in ("coin_id", "coin", "chain", "fee_usd", "route_state")},
                **{c: fee[c] for c in ("min_withdraw_amount", "max_withdraw_amount")},
                "cost_rank": _rank(mine, usable),
                "needs_memo": memo,
                "saves_vs_worst_usd": _less(max(usable, default=None), mine),
                "saves_vs_default_usd": _less(default[0] if default else None, mine),
                "reason_excluded": excluded[key],
                "data_age_s": fee["data_age_s"],
            }
        )
    return rows


def payout_route(book: Book, coin: str | int, amount: Decimal) -> list[Row]:
    """The routes of one coin, by symbol or id, that can take this amount."""
    rows = [r for r in payout_route_ranking(book) if str(coin) in (r["coin"], str(r["coin_id"]))]
    for row in rows:
        if row["reason_excluded"] is None:
            low, high = row["min_withdraw_amount"], row["max_withdraw_amount"]
            if low is not None and amount < low:
                row["reason_excluded"] = "below_minimum"
            elif high is not None and amount > high:
                row["reason_excluded"] = "above_maximum"
    for row in rows:
        usable = [
            r["fee_usd"]
            for r in rows
            if r["reason_excluded"] is None and r["coin_id"] == row["coin_id"]
        ]
        mine = row["fee_usd"] if row["reason_excluded"] is None else None
        row["cost_rank"] = _rank(mine, usable)
    return rows


def _reason(fee: Row) -> str | None:
    if fee["route_state"] != "usable":
        return str(fee["route_state"])
    if fee["is_stale"]:
        return "stale"
    reason: str | None = fee["fee_usd_reason"]
    return reason


def _rank(mine: Decimal | None, usable: list[Decimal]) -> int | None:
    return None if mine is None else 1 + sum(other < mine for other in usable)


def _less(other: Decimal | None, mine: Decimal | None) -> Decimal | None:
    return None if other is None or mine is None else EXACT.subtract(other, mine)
