"""Fees by day and by hour: the time from each poll to the next, cut where days and hours begin."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from truth.book import Book, Row, columns_of
from truth.fees import withdraw_fee_history
from truth.money import EXACT, weighted_mean
from truth.story import Key, Said, Snapshot

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# Averages of amounts with more digits than this before the point are not made.
_TOO_LARGE = Decimal("1e20")


@dataclass(frozen=True)
class Piece:
    """What was said of a pair in a part of a bucket that no poll and no edge divides.

    Attributes:
        us: how long it is known to have held, in microseconds.
        usd: what the fee was worth.
    """

    said: Said
    us: int
    usd: Decimal | None


def withdraw_fee_daily(book: Book) -> list[Row]:
    """One row per pair, UTC day and fee coin."""
    return [
        {"day": (_EPOCH + timedelta(days=bucket)).date(), **row}
        for bucket, row in _rolled(book, timedelta(days=1))
    ]


def withdraw_fee_hourly(book: Book) -> list[Row]:
    """One row per pair, hour and fee coin."""
    return [
        {"hour": _EPOCH + timedelta(hours=bucket), **row}
        for bucket, row in _rolled(book, timedelta(hours=1))
    ]


def _rolled(book: Book, length: timedelta) -> Iterator[tuple[int, Row]]:
    buckets: dict[Key, dict[int, list[Piece]]] = {}
    worth = {
        (r["coin_id"], r["chain"], r["poll_id"]): r["fee_usd"] for r in withdraw_fee_history(book)
    }
    began: dict[Key, tuple[Said, Decimal | None]] = {}
    for since, until, is_known, snapshot in _steps(book):
        for key, said in snapshot.now.items():
            before = began.get(key)
            if before is None or not said.same(before[0], columns_of("withdraw_fee")):
                before = began[key] = (said, worth.get((*key, snapshot.poll.poll_id)))
            if is_known and said.state in ("ok", "refused"):
                for bucket, lasted in _cut(since, until, length):
                    piece = Piece(said, lasted // _MICROSECOND, before[1])
                    buckets.setdefault(key, {}).setdefault(bucket, []).append(piece)
    for key, known in buckets.items():
        pair = {"coin_id": key[0], "coin": book.symbols.get(key[0]), "chain": key[1]}
        for bucket in range(min(known), max(known) + 1):
            for row in _rows(known.get(bucket, []), length // timedelta(seconds=1)):
                yield bucket, {**pair, **row}


def _steps(book: Book) -> Iterator[tuple[datetime, datetime, bool, Snapshot]]:
    """From each poll to the next: from when to when, whether the first is still known then."""
    latest = datetime.min.replace(tzinfo=UTC)
    for one, other in pairwise(book.story("withdraw_fee")):
        since = latest = max(latest, one.poll.observed_at)
        until = max(latest, other.poll.observed_at)
        longest = max(one.poll.cadence_s, other.poll.cadence_s)
        yield since, until, until - since <= 3 * timedelta(seconds=longest), one


def _cut(since: datetime, until: datetime, length: timedelta) -> Iterator[tuple[int, timedelta]]:
    while since < until:
        bucket = (since - _EPOCH) // length
        end = min(until, _EPOCH + (bucket + 1) * length)
        yield bucket, end - since
        since = end


def _rows(pieces: list[Piece], length_s: int) -> Iterator[Row]:
    known = [piece for piece in pieces if piece.said.state == "ok"]
    refused_s = sum(p.us for p in pieces if p.said.state == "refused") // 10**6
    coins = {piece.said.values["fee_coin_id"] for piece in known} or {None}
    rows = [_row([p for p in known if p.said.values["fee_coin_id"] == coin]) for coin in coins]
    unknown_s = length_s - refused_s - sum(row["ok_s"] for row in rows)
    for row in rows:
        yield {**row, "refused_s": refused_s, "unknown_s": unknown_s}


def _row(known: list[Piece]) -> Row:
    """The columns of one fee coin; `known` is in the order of time."""
    if not known:
        empty = (
            "fee_coin_id",
            "fee_coin",
            "open",
            "high",
            "low",
            "close",
            "average",
            "average_usd",
        )
        return {**dict.fromkeys(empty), "ok_s": 0, "usd_s": 0}
    amounts = [piece.said.values["fee_amount"] for piece in known]
    valued = [p for p in known if p.usd is not None and p.usd < _TOO_LARGE]
    average_usd = weighted_mean((p.usd, p.us) for p in valued if p.usd is not None)
    return {
        "fee_coin_id": known[0].said.values["fee_coin_id"],
        "fee_coin": known[-1].said.values["fee_coin"],
        "open": amounts[0],
        "high": max(amounts),
        "low": min(amounts),
        "close": amounts[-1],
        "average": weighted_mean(zip(amounts, (p.us for p in known), strict=True)),
        "average_usd": None
        if average_usd is None
        else EXACT.quantize(average_usd, Decimal("1e-12")),
        "ok_s": sum(p.us for p in known) // 10**6,
        "usd_s": sum(p.us for p in valued) // 10**6,
    }
