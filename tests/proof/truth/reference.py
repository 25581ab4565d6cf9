"""chain, coin and fiat: whatever was ever listed, as it was last listed."""

from __future__ import annotations

from datetime import datetime

from truth.book import Book, Row, named_time
from truth.story import Key


def first_listed(book: Book, name: str) -> dict[Key, datetime]:
    """The id, as a time, of the first poll that listed each entity, readable or not."""
    first: dict[Key, datetime] = {}
    for snapshot in book.story(name):
        for key in snapshot.mentioned:
            first.setdefault(key, named_time(snapshot.poll))
    return first


def chain(book: Book) -> list[Row]:
    """The view `chain`."""
    return _listed(
        book,
        "chain",
        *("chain_full_name", "explorer_url", "tx_url_template", "is_evm", "needs_memo"),
        *("confirmations", "logo_url"),
    )


def fiat(book: Book) -> list[Row]:
    """The view `fiat`."""
    return _listed(book, "fiat", "fiat", "mark", "logo_url")


def _listed(book: Book, name: str, *columns: str) -> list[Row]:
    first = first_listed(book, name)
    key_name = "chain" if name == "chain" else f"{name}_id"
    return [
        {
            key_name: key[0],
            **{column: said.values[column] for column in columns},
            "first_seen_at": first[key],
            "last_seen_at": poll.observed_at,
        }
        for key, (said, poll) in book.listed(name).items()
    ]


def coin(book: Book) -> list[Row]:
    """The view `coin`: the token list first, then what only the swap list knows."""
    tokens, swaps = book.listed("coin"), book.listed("swap_coin")
    first = {name: first_listed(book, name) for name in ("coin", "swap_coin")}
    rows = []
    for key in tokens.keys() | swaps.keys():
        found = [listed[key] for listed in (tokens, swaps) if key in listed]
        rows.append(
            {
                "coin_id": key[0],
                "coin": found[0][0].values["coin"],
                "coin_full_name": found[0][0].values.get("coin_full_name"),
                "status": found[0][0].values.get("status"),
                "logo_url": found[0][0].values["logo_url"],
                "first_seen_at": min(seen[key] for seen in first.values() if key in seen),
                "last_seen_at": max(poll.observed_at for _, poll in found),
            }
        )
    return rows
