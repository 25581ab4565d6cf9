"""What was known at a moment: the last poll by then, and nothing that came after it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from truth.book import Book, Row, once
from truth.chains import why
from truth.fees import answered_stretches, pairs, withdraw_fee_history, withdraw_fee_snapshot
from truth.money import usd
from truth.story import Snapshot


def last_by(story: list[Snapshot], moment: datetime) -> Snapshot | None:
    """The last poll of a dataset whose answers were there by then."""
    found = [snapshot for snapshot in story if snapshot.poll.observed_at <= moment]
    return max(found, key=lambda snapshot: snapshot.poll.observed_at) if found else None


def withdraw_fee_as_of(book: Book, moment: datetime) -> list[Row]:
    """Every pair of the last fee poll by then."""
    last = last_by(book.story("withdraw_fee"), moment)
    if last is None:
        return []
    return [row for row in withdraw_fee_snapshot(book) if row["poll_id"] == last.poll.poll_id]


def chain_status_as_of(book: Book, moment: datetime) -> list[Row]:
    """Every chain that had been listed, readable or not."""
    last = last_by(book.story("chain"), moment)
    if last is None:
        return []
    return [
        {
            "poll_id": last.poll.poll_id,
            "observed_at": last.poll.observed_at,
            "chain": key[0],
            "status": said.state,
            "status_raw": said.values.get("status_raw"),
            "unknown_reason": why(said),
        }
        for key, said in last.now.items()
    ]


def fiat_rate_as_of(book: Book, moment: datetime) -> list[Row]:
    """Every fiat that was listed: a failed poll names them without a rate."""
    last = last_by(book.story("fiat"), moment)
    if last is None:
        return []
    names = {key: said.values["fiat"] for key, (said, _) in book.listed("fiat").items()}
    return [
        {
            "poll_id": last.poll.poll_id,
            "observed_at": last.poll.observed_at,
            "fiat_id": key[0],
            "fiat": names.get(key),
            "usd_rate": said.values.get("usd_rate"),
            "unknown_reason": said.reason,
        }
        for key, said in pairs(last).items()
    ]


@once
def withdraw_fee_in(book: Book, fiat: str) -> list[Row]:
    """The history of fees in a fiat, each at the rate of its moment."""
    story = book.story("fiat")
    rows = []
    for row in withdraw_fee_history(book):
        last = last_by(story, row["valid_from"])
        rates = [
            said.values["usd_rate"]
            for said in (last.now.values() if last else ())
            if said.is_answer and said.values.get("fiat") == fiat
        ]
        rate = rates[0] if rates else None
        fits = row["fee_usd"] is not None and row["fee_usd"] < Decimal("1e20")
        value = usd(row["fee_usd"], rate) if fits else None
        reason = (
            ("no_fee_usd" if row["fee_usd"] is None else "no_rate" if rate is None else "too_large")
            if value is None
            else None
        )
        same = ("coin_id", "coin", "chain", "state", "fee_amount", "fee_coin", "fee_usd")
        rows.append(
            {
                **{column: row[column] for column in (*same, "valid_from", "valid_to")},
                "usd_rate": rate,
                "fee_fiat": value,
                "fee_fiat_reason": reason,
            }
        )
    return rows


def withdraw_fee_quantile(book: Book, share: Fraction) -> list[Row]:
    """The smallest fee that was not exceeded for this share of the known time."""
    held: dict[tuple[object, ...], list[tuple[object, int]]] = {}
    good = [
        snapshot.poll.observed_at for snapshot in book.story("withdraw_fee") if snapshot.is_good
    ]
    for key, stretches in answered_stretches(book, "withdraw_fee").items():
        for said, poll, end in stretches:
            if said.state == "ok":
                until = end.observed_at if end else max(good)
                lasted = (until - poll.observed_at) // (poll.observed_at.resolution)
                name = (*key, said.values["fee_coin_id"], said.values["fee_coin"])
                held.setdefault(name, []).append((said.values["fee_amount"], lasted))
    rows = []
    for name, fees in held.items():
        total = sum(lasted for _, lasted in fees)
        enough = [
            fee
            for fee, _ in fees
            if sum(lasted for other, lasted in fees if other <= fee) >= share * total
        ]
        if total:
            rows.append(
                {
                    **dict(zip(("coin_id", "chain", "fee_coin_id", "fee_coin"), name, strict=True)),
                    "coin": book.symbols.get(name[0]),
                    "fee_amount": min(enough),
                    "known_s": total / 10**6,
                }
            )
    return rows
