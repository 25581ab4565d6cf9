"""Reads the `data` of an answer into models, and reports whatever deviates from the contract.

Owns what one bad value costs: a field that nothing depends on costs itself, a field that matters
costs its item, and only a missing list costs the answer. Raises ValueError, which the client turns
into WrongShape. Does no IO. Called by the client.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from ccpay_io.models import (
    AddressValidity,
    Coin,
    CoinNetwork,
    CoinPrices,
    CwalletUser,
    Drift,
    DriftKind,
    Fee,
    Id,
    Key,
    Listed,
    Name,
    T,
    WithdrawFee,
    parse_amount,
)

_ID_TEXT = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)
_ID: TypeAdapter[str | int] = TypeAdapter(Id, config={"strict": True})
_NAME: TypeAdapter[str | int] = TypeAdapter(Name, config={"strict": True})


class Unreadable(ValueError):
    """An answer without the one thing it was asked for.

    Attributes:
        drift: what is wrong with it, as it was reported.
    """

    def __init__(self, drift: tuple[Drift, ...]) -> None:
        super().__init__("; ".join(f"{one.path}: {one.kind} {one.value}" for one in drift))
        self.drift = drift


@dataclass
class Reader:
    """Collects drift while one answer is read."""

    endpoint: str
    found: dict[tuple[str, str, str, Key | None], Drift] = field(default_factory=dict)
    nameless: int = 0

    @property
    def drift(self) -> tuple[Drift, ...]:
        """What was found, each deviation once."""
        return tuple(self.found.values())

    def report(
        self, path: str, kind: DriftKind, value: object, item: object, key: Key | None = None
    ) -> None:
        """Notes a deviation; a new field once per path, a bad item once per item."""
        text = value if isinstance(value, str) else json.dumps(value, default=str)
        name = (path, kind, text[:100], key)
        if name not in self.found:
            sample = json.dumps(item, default=str, ensure_ascii=False)[:500]
            self.found[name] = Drift(self.endpoint, path, kind, text[:100], key, sample)

    def new_fields(self, raw: Any, known: str) -> None:
        """Reports the fields of `data` beside the documented one."""
        for name in raw if isinstance(raw, Mapping) else ():
            if name != known:
                self.report(f"data.{name}", "new_field", name, {name: raw[name]})

    def item(self, model: type[T], raw: object, path: str, key: Key | None) -> T | None:
        """One item, or None with a report when a field that matters cannot be read exactly."""
        try:
            read = model.model_validate(raw)
        except ValidationError as error:
            saved = self._without_bad_notes(model, raw, path, key, error)
            self.nameless += saved is None and key is None
            return saved
        for name in read.model_extra or ():
            self.report(f"{path}.{name}", "new_field", name, raw)
        return read

    def _without_bad_notes(
        self, model: type[T], raw: object, path: str, key: Key | None, error: ValidationError
    ) -> T | None:
        """The item without its unreadable optional fields, if nothing else is wrong with it."""
        bad = {str(one["loc"][0]) if one["loc"] else "": one for one in error.errors()}
        fatal = [name for name in bad if not isinstance(raw, Mapping) or _matters(model, name)]
        left_out = key if fatal else None
        for name in fatal or bad:
            self._report_bad(f"{path}.{name}" if name else path, bad[name], raw, left_out)
        if fatal or not isinstance(raw, Mapping):
            return None
        return self.item(model, {k: v for k, v in raw.items() if k not in bad}, path, key)

    def _report_bad(self, path: str, error: ErrorDetails, raw: object, key: Key | None) -> None:
        missing = error["type"] == "missing"
        shown = "" if missing else error["input"]
        self.report(path, "missing_field" if missing else "bad_value", shown, raw, key)

    def unique(self, items: Iterable[T], path: str, key_of: Callable[[T], Key]) -> tuple[T, ...]:
        """Items by key: identical duplicates are folded, contradicting ones left out.

        An item whose twin could not be read is contradicted too.
        """
        first: dict[Key, T] = {}
        torn = {drift.key for drift in self.found.values() if drift.key is not None}
        for item in items:
            key = key_of(item)
            if key not in first:
                first[key] = item
                continue
            same = first[key] == item
            torn |= set() if same else {key}
            sample = item.model_dump(mode="json")
            self.report(path, "duplicate", str(key), sample, None if same else key)
        return tuple(item for key, item in first.items() if key not in torn)


def _matters(model: type[T], alias: str) -> bool:
    """Whether an item is worthless without this field (the API's name)."""
    fields = model.model_fields.values()
    # A price is optional, but one that cannot be read exactly is not the same as none.
    return alias == "price" or any(f.validation_alias == alias and f.is_required() for f in fields)


def _key_of(kind: TypeAdapter[str | int], raw: object, name: str) -> Key | None:
    """The key of an item that may be unreadable otherwise, or None."""
    try:
        return (kind.validate_python(raw.get(name)),) if isinstance(raw, Mapping) else None
    except ValidationError:
        return None


def _array(data: object, name: str) -> list[Any]:
    found = data.get(name) if isinstance(data, Mapping) else None
    if not isinstance(found, list):
        raise ValueError(f"data.{name} is not an array")
    return found


def read_list(endpoint: str, data: object, name: str, model: type[T], key: str) -> Listed[T]:
    """Reads `data.<name>[]`, item by item.

    Args:
        endpoint: for reports.
        data: the answer's `data`.
        name: of the array.
        model: of an item.
        key: the API's name of the key field.

    Raises:
        ValueError: there is no such array.
    """
    path = f"data.{name}[]"
    reader = Reader(endpoint)
    kind = _NAME if key == "chain" else _ID
    read = [reader.item(model, raw, path, _key_of(kind, raw, key)) for raw in _array(data, name)]
    reader.new_fields(data, name)
    attribute = next(n for n, f in model.model_fields.items() if f.validation_alias == key)
    items = reader.unique(
        (item for item in read if item is not None), path, lambda i: (getattr(i, attribute),)
    )
    return Listed(items, reader.drift, reader.nameless)


def read_coins(endpoint: str, data: object) -> Listed[Coin]:
    """Reads getCoinList: coins, each with its networks, network by network.

    A network that cannot be read is reported under the key (coin id, chain) and left out; the coin
    and its other networks stay.

    Raises:
        ValueError: there is no `data.coins` array.
    """
    reader = Reader(endpoint)
    path = "data.coins[]"
    coins = []
    for raw in _array(data, "coins"):
        plain = {**raw, "networks": ()} if isinstance(raw, Mapping) else raw
        coin = reader.item(Coin, plain, path, _key_of(_ID, raw, "coinId"))
        if coin is not None:
            networks = _read_networks(reader, coin.coin_id, raw.get("networks"))
            coins.append(coin.model_copy(update={"networks": networks}))
    reader.new_fields(data, "coins")
    items = reader.unique(coins, path, lambda coin: (coin.coin_id,))
    return Listed(items, reader.drift, reader.nameless)


def _read_networks(reader: Reader, coin_id: int, networks: object) -> tuple[CoinNetwork, ...]:
    """The networks that can be read; the report on anything else in their place costs the coin."""
    path = "data.coins[].networks"
    if networks is None or networks == []:
        return ()
    if not isinstance(networks, Mapping):
        reader.report(path, "bad_value", networks, networks, (coin_id,))
        return ()
    found = []
    for chain, raw in networks.items():
        key = (coin_id, chain) if _key_of(_NAME, {"": chain}, "") else None
        network = reader.item(CoinNetwork, raw, f"{path}.*", key)
        if network is not None and network.chain != chain:
            reader.report(f"{path}.*.chain", "bad_value", network.chain, raw, key)
            reader.nameless += key is None
        elif network is not None:
            found.append(network)
    return tuple(found)


def read_prices(endpoint: str, data: object) -> CoinPrices:
    """Reads getCoinUSDTPrice: an object, coin id as a string -> price.

    Raises:
        ValueError: there is no `data.prices` object.
    """
    raw_prices = data.get("prices") if isinstance(data, Mapping) else None
    if not isinstance(raw_prices, Mapping):
        raise ValueError("data.prices is not an object")
    reader = Reader(endpoint)
    prices: dict[int, Decimal] = {}
    for coin_id, raw in raw_prices.items():
        if not _ID_TEXT.fullmatch(coin_id):
            reader.report("data.prices.*", "bad_value", coin_id, {coin_id: raw})
            continue
        try:
            prices[int(coin_id)] = parse_amount(raw)
        except ValueError:
            reader.report("data.prices.*", "bad_value", raw, {coin_id: raw}, (int(coin_id),))
    reader.new_fields(data, "prices")
    return CoinPrices(prices, reader.drift)


def read_fee(endpoint: str, data: object) -> WithdrawFee:
    """Reads getWithdrawFee; networkFeeInquiryID may stand in the fee or beside it.

    Raises:
        Unreadable: the fee is missing or not exact.
        ValueError: there is nothing to look for a fee in.
    """
    if not isinstance(data, Mapping):
        raise ValueError("data is not an object")
    reader = Reader(endpoint)
    fee = reader.item(Fee, data.get("fee"), "data.fee", None)
    if fee is None:
        raise Unreadable(reader.drift)
    inquiry = fee.network_fee_inquiry_id
    if len(data) > 1:
        beside = data.get("networkFeeInquiryID")
        inquiry = inquiry or (beside if isinstance(beside, str) else None)
        reader.new_fields({k: v for k, v in data.items() if k != "networkFeeInquiryID"}, "fee")
    return WithdrawFee(fee.coin_id, fee.coin_symbol, fee.amount, inquiry or None, reader.drift)


def read_validity(endpoint: str, data: object) -> AddressValidity:
    """Reads checkWithdrawalAddressValidity.

    Raises:
        ValueError: `data.addrIsValid` is not a boolean.
    """
    valid = data.get("addrIsValid") if isinstance(data, Mapping) else None
    if not isinstance(valid, bool):
        raise ValueError("data.addrIsValid is not a boolean")
    reader = Reader(endpoint)
    reader.new_fields(data, "addrIsValid")
    return AddressValidity(valid, reader.drift)


def read_user(endpoint: str, data: object) -> CwalletUser:
    """Reads getCwalletUserId.

    Raises:
        ValueError: id or name is missing.
    """
    fields: Mapping[str, Any] = data if isinstance(data, Mapping) else {}
    user, name = fields.get("cwalletUserId"), fields.get("cwalletUserName")
    if not isinstance(user, str) or not isinstance(name, str):
        raise ValueError("data.cwalletUserId and data.cwalletUserName are not both strings")
    reader = Reader(endpoint)
    reader.new_fields({k: v for k, v in fields.items() if k != "cwalletUserName"}, "cwalletUserId")
    return CwalletUser(user, name, reader.drift)
