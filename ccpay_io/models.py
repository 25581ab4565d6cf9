"""The API's answers as frozen, exact models.

Owns what of an answer is believed: amounts are plain decimal strings and become Decimal, never
float; a list is read item by item, so that one bad item costs one item; whatever deviates from the
documented contract is reported as Drift. Does no IO and raises only ValueError (through pydantic),
which the client turns into its own errors.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import AliasGenerator, BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

_AMOUNT = re.compile(r"[0-9]{1,40}(\.[0-9]{1,18})?", re.ASCII)
_MAX_WHOLE_DIGITS = 20

DriftKind = Literal["new_field", "bad_value", "unknown_enum", "duplicate", "missing_field"]
Key = tuple[str | int, ...]


@dataclass(frozen=True)
class Drift:
    """One deviation from the documented contract.

    Attributes:
        endpoint: "getFiatList".
        path: where, e.g. "data.fiats[].usdRate".
        kind: what sort of deviation.
        value: the offending value or name, shortened.
        key: key of the entity that could not be read, if it could still be told.
        sample: the item as JSON, at most 500 characters.
    """

    endpoint: str
    path: str
    kind: DriftKind
    value: str
    key: Key | None
    sample: str


def parse_amount(text: object) -> Decimal:
    """An exact amount from the API's decimal string.

    Refuses what would have to be guessed or rounded: JSON numbers, signs, exponents, more than 18
    decimals, more than 20 whole digits (what DECIMAL(38, 18) holds).

    Raises:
        ValueError: it is not a plain decimal string.
    """
    if not isinstance(text, str) or not _AMOUNT.fullmatch(text):
        raise ValueError("not a plain decimal string with at most 18 decimals")
    amount = Decimal(text)
    if amount.adjusted() >= _MAX_WHOLE_DIGITS and amount:
        raise ValueError(f"more than {_MAX_WHOLE_DIGITS} digits before the point")
    return amount


def _parse_price(text: object) -> Decimal | None:
    return None if text in (None, "") else parse_amount(text)


def _text_or_nothing(text: object) -> object:
    return "" if text is None else text


Amount = Annotated[Decimal, BeforeValidator(parse_amount)]
Price = Annotated[Decimal | None, BeforeValidator(_parse_price)]
# Fields that nothing depends on (names, logos, links): absent or null is an empty string.
Note = Annotated[str, BeforeValidator(_text_or_nothing)]


class Item(BaseModel):
    """Base of all items: strict types, frozen, unknown fields kept apart for the drift report."""

    model_config = ConfigDict(
        frozen=True,
        strict=True,
        extra="allow",
        alias_generator=AliasGenerator(validation_alias=to_camel),
    )


class Chain(Item):
    """A chain of getChainList. `status` is the API's own word."""

    chain: str
    status: str
    is_evm: bool
    support_memo: bool
    confirmations: int | None = None
    chain_full_name: Note = ""
    explorer: Note = ""
    base_url: Note = ""
    logo_url: Note = ""

    model_config = ConfigDict(
        alias_generator=AliasGenerator(
            validation_alias=lambda name: "isEVM" if name == "is_evm" else to_camel(name)
        )
    )


class Fiat(Item):
    """A fiat of getFiatList; `usd_rate` is units of the fiat per 1 US dollar."""

    fiat_id: int
    symbol: str
    usd_rate: Amount
    mark: Note = ""
    logo_url: Note = ""


class SwapCoin(Item):
    """A coin of getSwapCoinList."""

    coin_id: int
    symbol: str
    logo_url: Note = ""


class CoinNetwork(Item):
    """One chain of a coin of getCoinList; amounts in units of the coin, maximum 0 = no limit."""

    chain: str
    can_deposit: bool
    can_withdraw: bool
    minimum_deposit_amount: Amount
    minimum_withdraw_amount: Amount
    maximum_withdraw_amount: Amount
    is_support_memo: bool
    precision: int
    contract: Note = ""
    chain_full_name: Note = ""


class Coin(Item):
    """A token of getCoinList; `price` in US dollars, None when the API has none."""

    coin_id: int
    symbol: str
    status: str
    price: Price = None
    coin_full_name: Note = ""
    logo_url: Note = ""
    networks: tuple[CoinNetwork, ...] = ()


class Fee(Item):
    """`data.fee` of getWithdrawFee: an amount in units of the fee coin."""

    coin_id: int
    coin_symbol: str
    amount: Amount


T = TypeVar("T", bound=Item)


@dataclass(frozen=True)
class Listed(Generic[T]):
    """A list answer: the items that could be read, and what deviates."""

    items: tuple[T, ...]
    drift: tuple[Drift, ...] = ()


@dataclass(frozen=True)
class CoinPrices:
    """getCoinUSDTPrice: coin id -> price in US dollars."""

    prices: Mapping[int, Decimal]
    drift: tuple[Drift, ...] = ()


@dataclass(frozen=True)
class WithdrawFee:
    """getWithdrawFee: the network fee of one (coin, chain), in units of the fee coin."""

    coin_id: int
    coin_symbol: str
    amount: Decimal
    network_fee_inquiry_id: str | None = None
    drift: tuple[Drift, ...] = ()


@dataclass(frozen=True)
class AddressValidity:
    """checkWithdrawalAddressValidity."""

    is_valid: bool


@dataclass(frozen=True)
class CwalletUser:
    """getCwalletUserId: an id and its masked user name."""

    cwallet_user_id: str
    cwallet_user_name: str


@dataclass
class Reader:
    """Collects items and drift while one answer is read."""

    endpoint: str
    found: dict[tuple[str, str, str, Key | None], Drift] = field(default_factory=dict)

    @property
    def drift(self) -> tuple[Drift, ...]:
        """What was found, each deviation once."""
        return tuple(self.found.values())

    def report(
        self, path: str, kind: DriftKind, value: object, item: object, key: Key | None = None
    ) -> None:
        """Notes a deviation; a new field once per path, a bad item once per item."""
        text = value if isinstance(value, str) else json.dumps(value, default=str)
        sample = json.dumps(item, default=str, ensure_ascii=False)[:500]
        drift = Drift(self.endpoint, path, kind, text[:100], key, sample)
        self.found.setdefault((path, kind, drift.value, key), drift)

    def item(self, model: type[T], raw: object, path: str, key: Key | None) -> T | None:
        """One item, or None with a report when a field that matters cannot be read exactly."""
        try:
            read = model.model_validate(raw)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join([path, *(str(part) for part in first["loc"][:1])])
            kind: DriftKind = "missing_field" if first["type"] == "missing" else "bad_value"
            shown = "" if kind == "missing_field" else first.get("input", "")
            self.report(where, kind, shown, raw, key)
            return None
        for name in read.model_extra or ():
            self.report(f"{path}.{name}", "new_field", name, raw)
        return read

    def unique(self, items: Iterable[T], path: str, key_of: Callable[[T], Key]) -> tuple[T, ...]:
        """Items by key: identical duplicates are folded, contradicting ones left out."""
        first: dict[Key, T] = {}
        torn: set[Key] = set()
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


def key_of_raw(raw: object, *names: str) -> Key | None:
    """The key of an item that may be unreadable otherwise, or None."""
    if not isinstance(raw, Mapping):
        return None
    values = [raw.get(name) for name in names]
    if all(isinstance(v, str | int) and not isinstance(v, bool) for v in values):
        return tuple(v for v in values if isinstance(v, str | int))
    return None


def read_list(
    endpoint: str, data: object, field_name: str, model: type[T], *key: str
) -> Listed[T]:
    """Reads `data.<field_name>[]`, item by item.

    Args:
        endpoint: for reports.
        data: the answer's `data`.
        field_name: name of the array.
        model: of an item.
        key: the API's names of the key fields.

    Raises:
        ValueError: there is no such array.
    """
    raw_items = data.get(field_name) if isinstance(data, Mapping) else None
    if not isinstance(raw_items, list):
        raise ValueError(f"data.{field_name} is not an array")
    path = f"data.{field_name}[]"
    reader = Reader(endpoint)
    read = [reader.item(model, raw, path, key_of_raw(raw, *key)) for raw in raw_items]
    attributes = [name for name in model.model_fields if to_camel(name) in key]
    items = reader.unique(
        (item for item in read if item is not None),
        path,
        lambda item: tuple(getattr(item, name) for name in attributes),
    )
    return Listed(items, reader.drift)


def read_coins(endpoint: str, data: object) -> Listed[Coin]:
    """Reads getCoinList: coins, each with its networks, network by network.

    A network that cannot be read is reported under the key (coin id, chain) and left out; the coin
    and its other networks stay.

    Raises:
        ValueError: there is no `data.coins` array.
    """
    raw_coins = data.get("coins") if isinstance(data, Mapping) else None
    if not isinstance(raw_coins, list):
        raise ValueError("data.coins is not an array")
    reader = Reader(endpoint)
    coins = []
    for raw in raw_coins:
        key = key_of_raw(raw, "coinId")
        networks = raw.get("networks") if isinstance(raw, Mapping) else None
        plain = {**raw, "networks": ()} if isinstance(raw, Mapping) else raw
        coin = reader.item(Coin, plain, "data.coins[]", key)
        if coin is not None:
            nets = _read_networks(reader, coin.coin_id, networks)
            coins.append(coin.model_copy(update={"networks": nets}))
    return Listed(reader.unique(coins, "data.coins[]", lambda c: (c.coin_id,)), reader.drift)


def _read_networks(reader: Reader, coin_id: int, networks: object) -> tuple[CoinNetwork, ...]:
    path = "data.coins[].networks"
    if networks is None:
        return ()
    if not isinstance(networks, Mapping):
        reader.report(path, "bad_value", networks, networks, (coin_id,))
        return ()
    found = []
    for chain, raw in networks.items():
        network = reader.item(CoinNetwork, raw, f"{path}.*", (coin_id, chain))
        if network is not None and network.chain != chain:
            reader.report(f"{path}.*.chain", "bad_value", network.chain, raw, (coin_id, chain))
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
        try:
            prices[int(coin_id)] = parse_amount(raw)
        except ValueError:
            key = (int(coin_id),) if coin_id.isdecimal() else None
            reader.report("data.prices.*", "bad_value", raw, {coin_id: raw}, key)
    return CoinPrices(prices, reader.drift)


def read_fee(endpoint: str, data: object) -> WithdrawFee:
    """Reads getWithdrawFee.

    Raises:
        ValueError: the fee is missing or not exact.
    """
    raw = data.get("fee") if isinstance(data, Mapping) else None
    reader = Reader(endpoint)
    fee = reader.item(Fee, raw, "data.fee", None)
    if fee is None:
        (drift,) = reader.drift
        raise ValueError(f"{drift.path}: {drift.kind} {drift.value}")
    inquiry = raw.get("networkFeeInquiryID") if isinstance(raw, Mapping) else None
    if inquiry is None and isinstance(data, Mapping):
        inquiry = data.get("networkFeeInquiryID")
    drift_found = tuple(d for d in reader.drift if d.value != "networkFeeInquiryID")
    return WithdrawFee(
        fee.coin_id,
        fee.coin_symbol,
        fee.amount,
        None if inquiry is None else str(inquiry),
        drift_found,
    )


def read_validity(endpoint: str, data: object) -> AddressValidity:
    """Reads checkWithdrawalAddressValidity.

    Raises:
        ValueError: `data.addrIsValid` is not a boolean.
    """
    valid = data.get("addrIsValid") if isinstance(data, Mapping) else None
    if not isinstance(valid, bool):
        raise ValueError("data.addrIsValid is not a boolean")
    return AddressValidity(valid)


def read_user(endpoint: str, data: object) -> CwalletUser:
    """Reads getCwalletUserId.

    Raises:
        ValueError: id or name is missing.
    """
    fields: Mapping[str, Any] = data if isinstance(data, Mapping) else {}
    user, name = fields.get("cwalletUserId"), fields.get("cwalletUserName")
    if not isinstance(user, str) or not isinstance(name, str):
        raise ValueError("data.cwalletUserId and data.cwalletUserName are not both strings")
    return CwalletUser(user, name)
