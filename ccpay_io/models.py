"""The API's answers as frozen, exact models.

Owns the shapes and what of a single value is believed: amounts are plain decimal strings and become
Decimal, never float; ids fit a BIGINT; names that identify something are printable. Does not walk
through answers (answers.py does) and does no IO. Imported by the client, the feeds and the tests.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Annotated, Generic, Literal, TypeVar

from pydantic import AliasGenerator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

_AMOUNT = re.compile(r"[0-9]{1,40}(\.[0-9]{1,18})?", re.ASCII)
_MAX_WHOLE_DIGITS = 20

DriftKind = Literal[
    "new_field",
    "bad_value",
    "unknown_enum",
    "duplicate",
    "missing_field",
    "unknown_code",
    "list_size",
]
Key = tuple[str | int, ...]


@dataclass(frozen=True)
class Drift:
    """One deviation from the documented contract.

    Attributes:
        endpoint: "getFiatList".
        path: where, e.g. "data.fiats[].usdRate".
        kind: what sort of deviation.
        value: the offending value or name, shortened.
        key: key of the entity that was left out because of this; None when nothing was left out,
            or when the key itself could not be read.
        sample: the item as JSON, at most 500 characters.
    """

    endpoint: str
    path: str
    kind: DriftKind
    value: str
    key: Key | None
    sample: str

    def redacted(self, redact: Callable[[str], str]) -> Drift:
        """The same without what `redact` hides: an answer may quote what was sent."""
        path, value, sample = map(redact, (self.path, self.value, self.sample))
        return replace(self, path=path, value=value, sample=sample)


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
    if amount and amount.adjusted() >= _MAX_WHOLE_DIGITS:
        raise ValueError(f"more than {_MAX_WHOLE_DIGITS} digits before the point")
    return amount


def _parse_price(text: object) -> Decimal | None:
    return None if text in (None, "") else parse_amount(text)


def _text_or_nothing(text: object) -> object:
    return "" if text is None else text


Amount = Annotated[Decimal, BeforeValidator(parse_amount)]
Price = Annotated[Decimal | None, BeforeValidator(_parse_price)]
Id = Annotated[int, Field(ge=0, lt=2**63)]
Count = Annotated[int | None, Field(ge=0, lt=2**31)]
# What identifies or decides: not empty, not blank, no control characters that SQL tools choke on.
Name = Annotated[str, Field(max_length=200, pattern=r"^[^\p{Cc}]*[^\p{Cc}\s][^\p{Cc}]*$")]
# What nothing depends on (full names, logos, links): absent or null is an empty string.
Note = Annotated[str, Field(pattern=r"^[^\x00]*$"), BeforeValidator(_text_or_nothing)]


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

    chain: Name
    status: Name
    is_evm: bool
    support_memo: bool
    confirmations: Count = None
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

    fiat_id: Id
    symbol: Name
    usd_rate: Amount
    mark: Note = ""
    logo_url: Note = ""


class SwapCoin(Item):
    """A coin of getSwapCoinList."""

    coin_id: Id
    symbol: Name
    logo_url: Note = ""


class CoinNetwork(Item):
    """One chain of a coin of getCoinList; amounts in units of the coin, maximum 0 = no limit."""

    chain: Name
    can_deposit: bool
    can_withdraw: bool
    minimum_deposit_amount: Amount
    minimum_withdraw_amount: Amount
    maximum_withdraw_amount: Amount
    is_support_memo: bool
    precision: Count = None
    contract: Note = ""
    chain_full_name: Note = ""


class Coin(Item):
    """A token of getCoinList; `price` in US dollars, None when the API has none."""

    coin_id: Id
    symbol: Name
    status: Name
    price: Price = None
    coin_full_name: Note = ""
    logo_url: Note = ""
    networks: tuple[CoinNetwork, ...] = ()


class Fee(Item):
    """`data.fee` of getWithdrawFee: an amount in units of the fee coin."""

    coin_id: Id
    coin_symbol: Name
    amount: Amount
    network_fee_inquiry_id: Annotated[str | None, Field(max_length=200)] = None

    model_config = ConfigDict(
        alias_generator=AliasGenerator(
            validation_alias=lambda name: (
                "networkFeeInquiryID" if name == "network_fee_inquiry_id" else to_camel(name)
            )
        )
    )


T = TypeVar("T", bound=Item)


@dataclass(frozen=True)
class Listed(Generic[T]):
    """A list answer: the items that could be read, and what deviates.

    `nameless` counts the items that were left out and whose key could not be read either: the list
    is then no proof that anything it does not name is gone.
    """

    items: tuple[T, ...]
    drift: tuple[Drift, ...] = ()
    nameless: int = 0


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
    drift: tuple[Drift, ...] = ()


@dataclass(frozen=True)
class CwalletUser:
    """getCwalletUserId: an id and its masked user name."""

    cwallet_user_id: str
    cwallet_user_name: str
    drift: tuple[Drift, ...] = ()
