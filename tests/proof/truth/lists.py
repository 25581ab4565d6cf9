"""What the swap list and the token list said over time."""

from __future__ import annotations

from truth.book import Book, Row
from truth.fees import answered_stretches
from truth.now import network


def swap_coin_history(book: Book) -> list[Row]:
    """Each coin that came onto the list or went from it, against the list before."""
    rows: list[Row] = []
    listed: set[object] = set()
    before = None
    for snapshot in book.story("swap_coin"):
        if not snapshot.is_good:
            continue
        now = {key for key, said in snapshot.now.items() if said.state == "ok"}
        rows += [
            {
                "coin_id": key[0],
                "coin": book.symbols.get(key[0]),
                "change": "added" if key in now else "removed",
                "started_after": before,
                "started_by": snapshot.poll.observed_at,
                "poll_id": snapshot.poll.poll_id,
            }
            for key in now ^ listed
        ]
        listed, before = now, snapshot.poll.observed_at
    return rows


def coin_network_history(book: Book) -> list[Row]:
    """One row per coin, chain and stretch of the same entry."""
    return [
        {
            **network(book, key, said),
            "valid_from": poll.observed_at,
            "valid_to": end.observed_at if end else None,
            "poll_id": poll.poll_id,
        }
        for key, stretches in answered_stretches(book, "coin_network").items()
        for said, poll, end in stretches
    ]
