"""All that the recomputed views start from: the polls, the moment of asking, what is watched."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cached_property, wraps
from typing import Any

from ccpay_io.feeds.poll import Poll
from ccpay_io.store.datasets import DATASETS, PRIMARY_FEED
from truth.ledger import cadences, stored
from truth.story import Key, Said, Snapshot, tell

Row = dict[str, Any]


@dataclass(frozen=True)
class Withdrawal:
    """A payout that the merchant made, as `ccpay import` stores it."""

    record_id: str
    at: datetime
    coin_id: int
    chain: str
    amount: Decimal
    fee_amount: Decimal | None
    fee_coin_id: int | None


@dataclass
class Book:
    """A history that is complete as of `now`.

    Attributes:
        polls: what was handed to the store, in that order, repeats included.
        now: the moment at which the views are asked.
        watched: (kind, name, value) of what ccpay.toml names.
        timezone: of months.
        withdrawals: what the merchant imported.
        records: rows of tables that no poll's answers tell: those of alerts.
        memory: views that were recomputed already (`once`).
    """

    polls: Sequence[Poll]
    now: datetime
    watched: Sequence[tuple[str, str, str | None]] = ()
    timezone: str = "UTC"
    withdrawals: Sequence[Withdrawal] = ()
    records: Mapping[str, Sequence[Row]] = field(default_factory=lambda: defaultdict(list))
    _stories: dict[str, list[Snapshot]] = field(default_factory=dict)
    _plans: dict[str, list[tuple[datetime, int]]] = field(default_factory=dict)
    memory: dict[tuple[Any, ...], list[Row]] = field(default_factory=dict)

    @cached_property
    def ledger(self) -> list[Poll]:
        """The polls as they are stored."""
        return stored(self.polls)

    @cached_property
    def price_polls(self) -> list[Poll]:
        """Those that answered about prices."""
        good = [poll for poll in self.ledger if poll.outcome in ("ok", "partial")]
        return [poll for poll in good if poll.feed in ("prices", "networks")]

    def plan(self, feed: str) -> list[tuple[datetime, int]]:
        """Since when which cadence of a feed was planned."""
        if feed not in self._plans:
            self._plans[feed] = cadences(self.ledger, feed)
        return self._plans[feed]

    def cadence_at(self, feed: str, moment: datetime) -> int | None:
        """The cadence in force at a moment; None before the feed's first poll."""
        found = [seconds for since, seconds in self.plan(feed) if since <= moment]
        return found[-1] if found else None

    def story(self, name: str) -> list[Snapshot]:
        """One snapshot per poll of a dataset."""
        if name not in self._stories:
            self._stories[name] = tell(self.ledger, name)
        return self._stories[name]

    def listed(self, name: str) -> dict[Key, tuple[Said, Poll]]:
        """Every entity that was ever listed: its last answer other than absent."""
        story = self.story(name)
        return story[-1].listed if story else {}

    def existing(self, name: str) -> dict[Key, tuple[Said, Poll]]:
        """Those that are not known to be gone."""
        story = self.story(name)
        return {
            key: said
            for key, said in self.listed(name).items()
            if story[-1].answered[key].state != "absent"
        }

    def age(self, moment: datetime) -> float:
        """Seconds between a moment and the asking."""
        return max(0.0, (self.now - moment).total_seconds())

    def is_late(self, feed: str, moment: datetime) -> bool | None:
        """Whether that is more than three cadences; None for a feed that was never polled."""
        cadence = self.cadence_at(feed, self.now)
        return None if cadence is None else self.now - moment > 3 * timedelta(seconds=cadence)

    def ageing(self, name: str, moment: datetime) -> Row:
        """The three columns that every `_now` view ends with."""
        is_stale = self.is_late(PRIMARY_FEED[name], moment)
        return {"observed_at": moment, "data_age_s": self.age(moment), "is_stale": is_stale}

    @cached_property
    def symbols(self) -> dict[int, str]:
        """coin_id -> symbol, from the token list, else from the swap list."""
        names: dict[int, str] = {}
        for name in ("swap_coin", "coin"):
            names |= {key[0]: said.values["coin"] for key, (said, _) in self.listed(name).items()}
        return names

    @cached_property
    def prices(self) -> dict[int, tuple[Decimal, datetime]]:
        """coin_id -> the last answered price and when it was answered."""
        return {
            key[0]: (said.values["price_usd"], poll.observed_at)
            for key, (said, poll) in self.existing("coin_price").items()
        }

    def is_stale_price(self, moment: datetime) -> bool:
        """More than three cadences of getCoinList, or of getCoinUSDTPrice without it."""
        late = self.is_late("networks", moment)
        late = self.is_late("prices", moment) if late is None else late
        return True if late is None else late


def once(view: Callable[..., list[Row]]) -> Callable[..., list[Row]]:
    """Recomputes a view once for each book; every caller gets rows of its own."""

    @wraps(view)
    def remembered(book: Book, *parameters: Any) -> list[Row]:
        asked = (view.__name__, *parameters)
        if asked not in book.memory:
            book.memory[asked] = view(book, *parameters)
        return [dict(row) for row in book.memory[asked]]

    return remembered


def named_time(poll: Poll) -> datetime:
    """The time that a poll_id tells: the poll's start, unless the id was raised."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=poll.poll_id)


def columns_of(name: str) -> tuple[str, ...]:
    """The compared columns of a dataset."""
    return tuple(DATASETS[name].values)
