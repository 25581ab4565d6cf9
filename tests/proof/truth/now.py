"""The simple `_now` views: what exists now, as it was last answered, with its age."""

from __future__ import annotations

from decimal import Decimal

from truth.book import Book, Row, columns_of
from truth.story import Key, Said


def fiat_rate_now(book: Book) -> list[Row]:
    """Fiats that are listed now."""
    return [
        {
            "fiat_id": key[0],
            "fiat": said.values["fiat"],
            "usd_rate": said.values["usd_rate"],
            **book.ageing("fiat", poll.observed_at),
        }
        for key, (said, poll) in book.existing("fiat").items()
    ]


def swap_coin_now(book: Book) -> list[Row]:
    """Coins that can be swapped now."""
    return [
        {
            "coin_id": key[0],
            "coin": said.values["coin"],
            **book.ageing("swap_coin", poll.observed_at),
        }
        for key, (said, poll) in book.existing("swap_coin").items()
    ]


def coin_price_now(book: Book) -> list[Row]:
    """Coins with a price, whichever list it came from; fees name those that are in no list."""
    in_fees = {
        said.values["fee_coin_id"]: said.values["fee_coin"]
        for said, _ in book.listed("withdraw_fee").values()
    }
    return [
        {
            "coin_id": coin_id,
            "coin": book.symbols.get(coin_id, in_fees.get(coin_id)),
            "price_usd": price,
            "observed_at": moment,
            "data_age_s": book.age(moment),
            "is_stale": book.is_stale_price(moment),
        }
        for coin_id, (price, moment) in book.prices.items()
    ]


def no_limit(amount: Decimal | None) -> Decimal | None:
    """A largest amount; the API says 0 for "no limit"."""
    return None if amount == 0 else amount


def network(book: Book, key: Key, said: Said) -> Row:
    """One entry of the token list."""
    return {
        "coin_id": key[0],
        "coin": book.symbols.get(key[0]),
        "chain": key[1],
        **{column: said.values[column] for column in columns_of("coin_network")},
        "max_withdraw_amount": no_limit(said.values["max_withdraw_amount"]),
    }


def coin_network_now(book: Book) -> list[Row]:
    """Where each coin lives now."""
    return [
        {**network(book, key, said), **book.ageing("coin_network", poll.observed_at)}
        for key, (said, poll) in book.existing("coin_network").items()
    ]


def address_validity_now(book: Book) -> list[Row]:
    """Watched addresses."""
    return [
        {
            **dict(zip(("label", "chain", "address"), key, strict=True)),
            "is_valid": said.values["is_valid"],
            **book.ageing("address_validity", poll.observed_at),
        }
        for key, (said, poll) in book.existing("address_validity").items()
    ]


def cwallet_user_now(book: Book) -> list[Row]:
    """Watched Cwallet ids."""
    return [
        {
            **dict(zip(("label", "cwallet_user_id"), key, strict=True)),
            "user_name": said.values["user_name"],
            **book.ageing("cwallet_user", poll.observed_at),
        }
        for key, (said, poll) in book.existing("cwallet_user").items()
    ]
