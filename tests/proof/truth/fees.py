"""Withdrawal fees: every snapshot, their history with what they were worth, and now."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from ccpay_io.feeds.poll import Poll
from truth.book import Book, Row, columns_of, once
from truth.chains import chain_status_now
from truth.money import change_pct, usd
from truth.now import coin_network_now
from truth.story import Key, Said, Snapshot

FEE = ("refusal_code", "fee_amount", "fee_coin_id", "fee_coin")


def pairs(snapshot: Snapshot) -> dict[Key, Said]:
    """The pairs of one fee poll: those that exist, and those it asked for in vain.

    A poll without answers shows the pairs that were there before it.
    """
    return {
        key: said
        for key, said in snapshot.now.items()
        if said.state != "absent"
        and (
            snapshot.is_good
            or (key in snapshot.answered and snapshot.answered[key].state != "absent")
        )
    }


def withdraw_fee_snapshot(book: Book) -> list[Row]:
    """Every pair of every fee poll."""
    return [
        {
            "poll_id": snapshot.poll.poll_id,
            "observed_at": snapshot.poll.observed_at,
            "coin_id": key[0],
            "coin": book.symbols.get(key[0]),
            "chain": key[1],
            "state": said.state,
            "unknown_reason": said.reason,
            **{column: said.values.get(column) for column in FEE},
        }
        for snapshot in book.story("withdraw_fee")
        for key, said in pairs(snapshot).items()
    ]


def answered_stretches(book: Book, name: str) -> dict[Key, list[tuple[Said, Poll, Poll | None]]]:
    """For each entity its answers: what, in which poll first, and which poll ended it.

    An answer lasts while the polls go on saying the same; one that says nothing ends it too.
    """
    open_: dict[Key, tuple[Said, Poll]] = {}
    found: dict[Key, list[tuple[Said, Poll, Poll | None]]] = {}
    columns = columns_of(name)
    for snapshot in book.story(name):
        for key, said in snapshot.now.items():
            going_on = open_.get(key)
            if going_on and going_on[0].same(said, columns):
                continue
            if going_on:
                found.setdefault(key, []).append((*going_on, snapshot.poll))
                del open_[key]
            if said.is_answer and said.state != "absent":
                open_[key] = (said, snapshot.poll)
    for key, going_on in open_.items():
        found.setdefault(key, []).append((*going_on, None))
    return found


@dataclass(frozen=True)
class Priced:
    """A coin's price as it was known at a moment.

    Attributes:
        price: the last that was answered.
        since: the poll that first told it, without an interruption after.
        held: the last moment at which it held: that of asking, or just before it became unknown.
    """

    price: Decimal
    since: datetime
    held: datetime


def price_at(book: Book, coin_id: int, moment: datetime) -> Priced | None:
    """The last price that was answered by then."""
    found: Priced | None = None
    holds = False
    for snapshot in book.story("coin_price"):
        at = snapshot.poll.observed_at
        if at > moment:
            break
        said = snapshot.now.get((coin_id,))
        if said is None:
            continue
        if not said.is_answer:
            if holds and found:
                found = replace(found, held=at - timedelta(microseconds=1))
        elif not holds or not found or found.price != said.values["price_usd"]:
            found = Priced(said.values["price_usd"], at, at)
        holds = said.is_answer
    return replace(found, held=moment) if found and holds else found


def priced(book: Book, coin_id: int, moment: datetime) -> tuple[Decimal, float, bool] | None:
    """Price, its age in seconds and whether that is too old; None without a price."""
    found = price_at(book, coin_id, moment)
    if found is None:
        return None
    sources = book.price_polls
    confirming = [p for p in sources if p.feed == "prices"] or sources
    age_from = max(
        [found.since, *(p.observed_at for p in confirming if p.observed_at <= found.held)]
    )
    last = max(p.observed_at for p in sources if p.observed_at <= found.held)
    cadence = book.cadence_at("networks", last)
    if cadence is None:
        cadence = book.cadence_at("prices", last)
    age = (moment - age_from).total_seconds()
    return found.price, age, cadence is None or age > 3 * cadence


@once
def withdraw_fee_history(book: Book) -> list[Row]:
    """One row per pair and stretch of the same answer."""
    rows = []
    for key, stretches in answered_stretches(book, "withdraw_fee").items():
        before: Row = {}
        for said, poll, end in stretches:
            fee = {column: said.values[column] for column in FEE}
            is_ok = said.state == "ok"
            known = priced(book, fee["fee_coin_id"], poll.observed_at) if is_ok else None
            price, age, is_stale = known or (None, None, True)
            is_same_coin = fee["fee_coin_id"] == before.get("fee_coin_id")
            row = {
                "coin_id": key[0],
                "coin": book.symbols.get(key[0]),
                "chain": key[1],
                "state": said.state,
                **fee,
                "fee_usd": None if is_stale else usd(fee["fee_amount"], price),
                "price_usd": price,
                "price_age_s": age,
                "valid_from": poll.observed_at,
                "valid_to": end.observed_at if end else None,
                "fee_amount_change_pct": change_pct(before.get("fee_amount"), fee["fee_amount"])
                if is_same_coin
                else None,
                "price_change_pct": change_pct(before.get("price_usd"), price)
                if is_same_coin
                else None,
                "poll_id": poll.poll_id,
            }
            rows.append(row)
            before = row
    return rows


def fiat_rate_history(book: Book) -> list[Row]:
    """One row per fiat and stretch of the same rate."""
    return [
        {
            "fiat_id": key[0],
            "fiat": said.values["fiat"],
            "usd_rate": said.values["usd_rate"],
            "valid_from": poll.observed_at,
            "valid_to": end.observed_at if end else None,
            "poll_id": poll.poll_id,
        }
        for key, stretches in answered_stretches(book, "fiat").items()
        for said, poll, end in stretches
    ]


@once
def withdraw_fee_now(book: Book) -> list[Row]:
    """The pairs of the last fee poll."""
    story = book.story("withdraw_fee")
    if not story:
        return []
    networks = {(row["coin_id"], row["chain"]): row for row in coin_network_now(book)}
    chains = {row["chain"]: row for row in chain_status_now(book)}
    rows = []
    for key, said in pairs(story[-1]).items():
        network = networks.get(key, {})
        listed = book.listed("withdraw_fee").get(key)
        moment = listed[1].observed_at if listed else None
        row = {
            "coin_id": key[0],
            "coin": book.symbols.get(key[0]),
            "chain": key[1],
            "state": said.state,
            "unknown_reason": said.reason,
            **{column: said.values.get(column) for column in FEE},
            **{c: network.get(c) for c in ("min_withdraw_amount", "max_withdraw_amount")},
            "can_withdraw": network.get("can_withdraw"),
            "route_state": _route_state(said, network, chains.get(key[1], {})),
            "poll_id": story[-1].poll.poll_id,
            "observed_at": moment,
            "data_age_s": None if moment is None else book.age(moment),
            "is_stale": moment is None or book.is_late("fees", moment),
        }
        rows.append(row | _valued_now(book, said) | _since_day_ago(key, said, story))
    return rows


def _since_day_ago(key: Key, said: Said, story: list[Snapshot]) -> Row:
    """What the last poll a day before the last one said of the pair, where that can be compared."""
    moment = story[-1].poll.observed_at - timedelta(hours=24)
    before = [snapshot for snapshot in story if snapshot.poll.observed_at <= moment]
    then = before[-1].now.get(key) if before else None
    is_comparable = (
        then is not None
        and (said.state, then.state) == ("ok", "ok")
        and then.values["fee_coin_id"] == said.values["fee_coin_id"]
    )
    fee = then.values["fee_amount"] if then is not None and is_comparable else None
    return {
        "fee_amount_24h_ago": fee,
        "fee_amount_change_24h_pct": change_pct(fee, said.values["fee_amount"])
        if is_comparable
        else None,
    }


def _valued_now(book: Book, said: Said) -> Row:
    if said.state != "ok":
        return {"fee_usd": None, "fee_usd_reason": "no_fee", "price_age_s": None}
    if said.values["fee_coin_id"] not in book.prices:
        return {"fee_usd": None, "fee_usd_reason": "no_price", "price_age_s": None}
    price, moment = book.prices[said.values["fee_coin_id"]]
    row: Row = {"fee_usd": None, "fee_usd_reason": None, "price_age_s": book.age(moment)}
    if book.is_stale_price(moment):
        return row | {"fee_usd_reason": "stale_price"}
    worth = usd(said.values["fee_amount"], price)
    return row | {"fee_usd": worth, "fee_usd_reason": "too_large" if worth is None else None}


def _route_state(said: Said, network: Row, chain: Row) -> str:
    """What blocks the route for certain, then what is not known, in this order."""
    status = chain.get("status")
    if status == "maintenance":
        return "blocked:maintenance"
    if status == "absent":
        return "blocked:chain_absent"
    if network.get("can_withdraw") is False:
        return "blocked:can_withdraw_false"
    if said.state == "refused":
        return f"blocked:{said.values['refusal_code']}"
    if not said.is_answer:
        return f"unknown:{said.reason}"
    if status == "unknown":
        return f"unknown:{chain['unknown_reason']}"
    return "usable"
