"""What a line of the merchant's file says, checked text by text: exact amounts, known coins.

Owns what each column may hold and the words of each refusal. Does no IO but one: reading the names
that the warehouse knows. Called by book.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from difflib import get_close_matches

import duckdb

from ccpay_io.errors import quoted
from ccpay_io.models import parse_amount
from ccpay_io.withdrawals.table import FEE, REQUIRED, Line

# So many problems are shown; looking for what was meant takes milliseconds for each name.
SHOWN = 20

_TIME = re.compile(
    r"20\d\d-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?( ?(Z|UTC|[+-]\d\d(:?\d\d)?))?", re.ASCII
)
_EXPONENT = re.compile(r"[+-]?\d+([.,]\d*)?[eE][+-]?\d+", re.ASCII)
_ID = re.compile(r"[0-9]{1,18}", re.ASCII)
_LONGEST_ID = 200

# A fee coin need not be in any list, so what fees and prices name counts too.
_COINS = """
    SELECT coin_id, coin FROM coin
    UNION SELECT coin_id, coin FROM coin_price_now
    UNION SELECT fee_coin_id, fee_coin FROM withdraw_fee_now
"""


@dataclass(frozen=True)
class Withdrawal:
    """One withdrawal; amounts in units of the coin and of the fee coin, None where not told."""

    record_id: str
    withdrawn_at: datetime
    coin_id: int
    chain: str
    amount: Decimal
    fee_amount: Decimal | None
    fee_coin_id: int | None


@dataclass
class Names:
    """The coins and chains that the warehouse knows, also those that are no longer listed.

    Attributes:
        coins: symbol -> ids; symbols need not be unique.
        chains: symbol -> full name.
        guesses: how often a suggestion is still looked for.
    """

    coins: Mapping[str, frozenset[int]]
    chains: Mapping[str, str]
    guesses: int = SHOWN
    _ids: frozenset[int] = field(init=False)

    def __post_init__(self) -> None:
        self._ids = frozenset().union(*self.coins.values())

    def coin_id(self, text: str) -> int:
        """The id of a coin that is given by its id or its symbol.

        Raises:
            ValueError: there is none, or more than one.
        """
        if _ID.fullmatch(text) and int(text) in self._ids:
            return int(text)
        ids = frozenset().union(*(self.coins[symbol] for symbol in _spelt(text, self.coins)))
        if not ids:
            raise ValueError(f"is not a known coin{self._meant(text, self.coins)}")
        if len(ids) > 1:
            listed = ", ".join(map(str, sorted(ids)))
            raise ValueError(f"is the symbol of {len(ids)} coins; write the coin_id: {listed}")
        return min(ids)

    def chain(self, text: str) -> str:
        """The chain as the API spells it.

        Raises:
            ValueError: there is none.
        """
        found = _spelt(text, self.chains)
        if len(found) == 1:
            return found[0]
        named = [chain for chain, full in self.chains.items() if full.upper() == text.upper()]
        raise ValueError(f"is not a known chain{self._meant(text, self.chains, named)}")

    def _meant(self, text: str, names: Collection[str], named: Sequence[str] = ()) -> str:
        """What an unknown name may have been meant to be: those of that full name, or similar."""
        self.guesses -= 1
        if self.guesses < 0:
            return ""
        close = named or get_close_matches(text.upper(), names, 3)
        return f"; did you mean {', '.join(close)}?" if close else ""


def _spelt(text: str, names: Collection[str]) -> list[str]:
    """The names that are spelt like that; where none is, those that are but for their case."""
    if text in names:
        return [text]
    return [name for name in names if name.upper() == text.upper()]


def known_names(con: duckdb.DuckDBPyConnection) -> Names:
    """What this warehouse has been told of by any poll."""
    coins: dict[str, set[int]] = {}
    for coin_id, symbol in con.execute(_COINS).fetchall():
        if coin_id is not None:
            coins.setdefault(symbol or str(coin_id), set()).add(coin_id)
    chains = con.execute("SELECT chain, coalesce(chain_full_name, '') FROM chain").fetchall()
    return Names(
        {symbol: frozenset(ids) for symbol, ids in coins.items()},
        dict(chains),
    )


def check_line(line: Line, names: Names, now: datetime) -> tuple[Withdrawal | None, list[str]]:
    """The withdrawal of a line, or everything that is wrong with it."""
    if line.fault:
        return None, [line.fault]
    problems: list[str] = []

    def checked(column: str, parse: Callable[[str], object]) -> object:
        text = line.fields.get(column, "")
        if not text:
            if column in REQUIRED:
                problems.append(f"{column} is empty")
            return None
        try:
            return parse(text)
        except ValueError as error:
            problems.append(f"{column} {quoted(text, 40)!r} {error}")
            return None

    values = {
        "record_id": checked("record_id", _record_id),
        "withdrawn_at": checked("withdrawn_at", lambda text: _moment(text, now)),
        "coin_id": checked("coin", names.coin_id),
        "chain": checked("chain", names.chain),
        "amount": checked("amount", _positive),
        "fee_amount": checked("fee_amount", exact_amount),
        "fee_coin_id": checked("fee_coin", names.coin_id),
    }
    given = [name for name in FEE if line.fields.get(name)]
    if len(given) == 1:
        problems.append(f"{given[0]} is there without {(set(FEE) - set(given)).pop()}")
    return (None if problems else Withdrawal(**values)), problems  # type: ignore[arg-type]


def exact_amount(text: str) -> Decimal:
    """The amount, exactly as written.

    Raises:
        ValueError: it would have to be guessed or rounded.
    """
    if _EXPONENT.fullmatch(text):
        raise ValueError("has an exponent; write all its digits")
    if text[0] in "+-" and text[1:2].isdecimal():
        raise ValueError("has a sign; write it without")
    if "," in text or "'" in text or " " in text:
        raise ValueError("is not a number such as 1234.5: a point for decimals, no separators")
    whole, _, decimals = text.partition(".")
    if len(decimals) > 18 and (whole + decimals).isdecimal():
        raise ValueError(f"has {len(decimals)} decimals; at most 18 are kept")
    try:
        return parse_amount(text)
    except ValueError as error:
        reason = str(error)
        if reason.startswith("more than"):
            raise ValueError(f"has {reason}") from None
        raise ValueError("is not a number such as 1234.5") from None


def _positive(text: str) -> Decimal:
    amount = exact_amount(text)
    if not amount:
        raise ValueError("is nothing withdrawn")
    return amount


def _record_id(text: str) -> str:
    if _EXPONENT.fullmatch(text):
        raise ValueError("was shortened by a spreadsheet; make the column text there")
    if len(text) > _LONGEST_ID or not text.isprintable():
        raise ValueError(f"is not at most {_LONGEST_ID} printable characters")
    return text


def _moment(text: str, now: datetime) -> datetime:
    """The moment, in UTC; a time without an offset is UTC."""
    if not _TIME.fullmatch(text):
        raise ValueError("is not a time such as 2026-03-01T14:30:00+02:00 or 2026-03-01 12:30:00")
    try:
        moment = datetime.fromisoformat(text.replace(" UTC", "Z").replace("UTC", "Z"))
    except ValueError:
        raise ValueError("is not a time that exists") from None
    moment = moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    if moment > now:
        raise ValueError("lies in the future (a time without an offset is UTC)")
    return moment
