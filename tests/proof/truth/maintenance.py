"""Maintenances with their bounds, and how much of each day a chain was known to be available."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from itertools import pairwise

from ccpay_io.feeds.poll import Poll
from truth.book import Book, Row, once
from truth.chains import Sight, sights
from truth.story import Key

_KNOWN = ("normal", "maintenance", "absent")
_SECOND = timedelta(seconds=1)


@dataclass
class Episode:
    """One maintenance of one chain.

    Attributes:
        after: the last moment at which another answer was known.
        polls: those in which it was seen.
        end: the first poll with another answer.
        beside: the first poll after the last of them, whatever it says.
    """

    chain: str
    after: datetime | None
    polls: list[Poll] = field(default_factory=list)
    end: Poll | None = None
    beside: Poll | None = None

    @property
    def began(self) -> datetime:
        """When it was first seen."""
        return self.polls[0].observed_at

    @property
    def last_seen(self) -> datetime:
        """When it was last seen."""
        return self.polls[-1].observed_at


def _chains(book: Book) -> set[Key]:
    return {key for snapshot in book.story("chain") for key in snapshot.now}


def episodes(book: Book) -> list[Episode]:
    """Every maintenance; what is unknown neither begins nor ends one."""
    return [episode for key in _chains(book) for episode in _episodes(book, key)]


def _episodes(book: Book, key: Key) -> Iterator[Episode]:
    going_on: Episode | None = None
    # What is new in the list was not there in the good poll before.
    seen = sights(book, key)
    before = [
        snapshot.poll.observed_at
        for snapshot in book.story("chain")
        if snapshot.is_good and snapshot.poll.observed_at < seen[0].poll.observed_at
    ]
    other = before[-1] if before else None
    for sight in seen:
        if going_on and sight.status != "maintenance":
            going_on.beside = going_on.beside or sight.poll
        if sight.status == "maintenance":
            going_on = going_on or Episode(key[0], other)
            going_on.polls.append(sight.poll)
            going_on.beside = None
        elif sight.status in _KNOWN:
            other = sight.poll.observed_at
            if going_on:
                going_on.end = sight.poll
                yield going_on
            going_on = None
    if going_on:
        yield going_on


@dataclass(frozen=True)
class Known:
    """A stretch of time between two polls in which a status is known."""

    status: str
    since: datetime
    until: datetime


def known_times(book: Book, key: Key) -> list[Known]:
    """Between two polls that are at most three cadences apart, what the first has answered."""
    seen = sights(book, key)
    return [
        Known(one.status, one.poll.observed_at, other.poll.observed_at)
        for one, other in pairwise(seen)
        if one.status in _KNOWN and _is_close(one, other)
    ]


def _is_close(one: Sight, other: Sight) -> bool:
    longer = timedelta(seconds=max(one.poll.cadence_s, other.poll.cadence_s))
    return other.poll.observed_at - one.poll.observed_at <= 3 * longer


@once
def maintenance_episode(book: Book) -> list[Row]:
    """The view."""
    known = {key[0]: known_times(book, key) for key in _chains(book)}
    return [_row(book, episode, known[episode.chain]) for episode in episodes(book)]


def _row(book: Book, episode: Episode, known: list[Known]) -> Row:
    ended_by = episode.end.observed_at if episode.end else None
    lasted = episode.last_seen - episode.began
    covered = sum((_common(k, episode.began, episode.last_seen) for k in known), start=timedelta())
    is_bounded = episode.after is not None and ended_by is not None
    return {
        "maintenance_id": f"{episode.chain}-{episode.polls[0].poll_id}",
        "chain": episode.chain,
        "started_after": episode.after,
        "started_by": episode.began,
        "ended_after": episode.last_seen,
        "ended_by": ended_by,
        "is_open": episode.end is None,
        "min_duration_s": lasted / _SECOND,
        "max_duration_s": (ended_by - episode.after) / _SECOND if is_bounded else None,
        "unknown_s": (lasted - covered) / _SECOND,
        "affected_coin_count": _affected(book, episode),
    }


def _affected(book: Book, episode: Episode) -> int | None:
    """Coins of the lists of its time: the one before it, and those that came during it."""
    lists = [
        snapshot
        for snapshot in book.story("coin_network")
        if snapshot.is_good
        and (not episode.end or snapshot.poll.observed_at < episode.end.observed_at)
    ]
    before = [s for s in lists if s.poll.observed_at <= episode.began][-1:]
    during = [s for s in lists if s.poll.observed_at > episode.began]
    coins = {
        key[0]
        for snapshot in (*before, *during)
        for key, said in snapshot.answered.items()
        if key[1] == episode.chain and said.state != "absent"
    }
    return len(coins) if lists else None


def _common(known: Known, since: datetime, until: datetime) -> timedelta:
    return max(min(known.until, until) - max(known.since, since), timedelta())


@once
def chain_availability_daily(book: Book) -> list[Row]:
    """Every UTC day of every chain."""
    return _available(book, "day", _days)


def chain_availability_monthly(book: Book) -> list[Row]:
    """Every UTC month of every chain."""
    return _available(book, "month", _months)


def _days(since: date, until: date) -> Iterator[tuple[date, date]]:
    for number in range((until - since).days + 1):
        day = since + timedelta(days=number)
        yield day, day + timedelta(days=1)


def _months(since: date, until: date) -> Iterator[tuple[date, date]]:
    month = since.replace(day=1)
    while month <= until:
        after = (month + timedelta(days=32)).replace(day=1)
        yield month, after
        month = after


def _by_day(known: list[Known]) -> dict[tuple[str, date], timedelta]:
    """How long each status is known on each UTC day."""
    lengths: dict[tuple[str, date], timedelta] = {}
    for one in known:
        for day, after in _days(one.since.date(), one.until.date()):
            since, until = (datetime(d.year, d.month, d.day, tzinfo=UTC) for d in (day, after))
            key = (one.status, day)
            lengths[key] = lengths.get(key, timedelta()) + _common(one, since, until)
    return lengths


def _available(book: Book, name: str, spans: object) -> list[Row]:
    assert callable(spans)
    rows: list[Row] = []
    for key in _chains(book):
        known = _by_day(known_times(book, key))
        mine = list(_episodes(book, key))
        first = sights(book, key)[0].poll.observed_at.date()
        for begin, end in spans(first, book.now.date()):
            since, until = (datetime(d.year, d.month, d.day, tzinfo=UTC) for d in (begin, end))
            rows.append({"chain": key[0], name: begin, **_span(book, known, mine, since, until)})
    return rows


def _span(
    book: Book,
    known: dict[tuple[str, date], timedelta],
    mine: list[Episode],
    since: datetime,
    until: datetime,
) -> Row:
    of = {
        status: sum(
            length // _SECOND
            for (of, day), length in known.items()
            if of == status and since.date() <= day < until.date()
        )
        for status in _KNOWN
    }
    total = sum(of.values())
    passed = (min(until, book.now) - since) // _SECOND
    began = sum(since <= episode.began < until for episode in mine)
    repaired = [
        Fraction((e.beside.observed_at - e.began) // timedelta.resolution, 10**6)
        for e in mine
        if e.end and e.beside and since <= e.end.observed_at < until
    ]
    return {
        **{f"{status}_s": length for status, length in of.items()},
        "unknown_s": (until - since) // _SECOND - total,
        "availability_pct": 100 * of["normal"] / total if total else None,
        "coverage_pct": 100 * total / passed if passed else None,
        "episode_count": began,
        "mttr_s": float(sum(repaired) / len(repaired)) if repaired else None,
        "mtbf_s": of["normal"] / began if began else None,
    }
