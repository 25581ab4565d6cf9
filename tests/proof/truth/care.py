"""How well the API was watched: what was planned, done and missed, and where answers deviated."""

from __future__ import annotations

import itertools
from collections import Counter
from datetime import UTC, date, datetime, timedelta

from ccpay_io.feeds.poll import Poll
from ccpay_io.store.datasets import FEED_DATASETS
from truth.book import Book, Row, columns_of, once

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# The number of the cadence in the feed's plan, and when the slot begins.
Slot = tuple[int, datetime]


def contract_drift(book: Book) -> list[Row]:
    """Each deviation, the first time it was seen."""
    first: dict[tuple[str, str, str, str], Row] = {}
    for poll in book.ledger:
        for drift in poll.drift:
            key = (drift.endpoint, drift.path, drift.kind, drift.value)
            first.setdefault(
                key,
                {
                    **dict(zip(("endpoint", "path", "kind", "value"), key, strict=True)),
                    "first_seen_at": poll.observed_at,
                    "sample": drift.sample,
                },
            )
    return list(first.values())


@once
def poll_coverage(book: Book) -> list[Row]:
    """Every UTC day since a feed's first poll, by feed."""
    rows: list[Row] = []
    for feed in FEED_DATASETS:
        polls = [poll for poll in book.ledger if poll.feed == feed]
        if polls:
            rows += _coverage(book, feed, polls)
    return rows


def _coverage(book: Book, feed: str, polls: list[Poll]) -> list[Row]:
    slots = _slots(book, feed, polls)
    tried = {_slot_of(book, feed, poll.started_at) for poll in polls}
    good = [poll for poll in polls if poll.outcome in ("ok", "partial")]
    filled = {_slot_of(book, feed, poll.started_at) for poll in good}
    changed = _changed(book, feed)
    gaps = _gaps(book, good)
    by_day: dict[date, list[Slot]] = {}
    for slot in slots:
        by_day.setdefault(slot[1].date(), []).append(slot)
    rows = []
    first = min(poll.started_at for poll in polls).date()
    for day in (first + timedelta(days=n) for n in range((book.now.date() - first).days + 1)):
        mine = [poll for poll in polls if poll.started_at.date() == day]
        planned = by_day.get(day, [])
        answered = sum(poll.answered for poll in mine)
        outcomes = Counter(poll.outcome for poll in mine)
        codes = Counter(poll.error_code for poll in mine if poll.error_code is not None)
        rows.append(
            {
                "day": day,
                "feed": feed,
                "planned": len(planned),
                **{o: outcomes[o] for o in ("ok", "partial", "failed", "skipped")},
                "missed": sum(slot not in tried for slot in planned),
                "longest_gap_s": max((s for s, touched in gaps if day in touched), default=None),
                "coverage_pct": 100 * sum(slot in filled for slot in planned) / len(planned)
                if planned
                else None,
                "change_pct": 100 * sum(changed[p.poll_id] for p in mine) / answered
                if answered
                else None,
                "requests": sum(poll.requests for poll in mine),
                "top_api_code": codes,
            }
        )
    return rows


def _slots(book: Book, feed: str, polls: list[Poll]) -> list[Slot]:
    """The planned slots: for each cadence, from the one that holds its first poll to the last that
    ended under it; the slot of this moment counts as soon as it has a poll.
    """
    plan = book.plan(feed)
    found: list[Slot] = []
    for number, (since, seconds) in enumerate(plan):
        length = timedelta(seconds=seconds)
        until = plan[number + 1][0] if number + 1 < len(plan) else book.now
        slot = _begin(since, length)
        while slot + length <= until:
            found.append((number, slot))
            slot += length
        if number + 1 == len(plan):
            last = _slot_of(book, feed, max(poll.started_at for poll in polls))
            found += [last] if last not in found else []
    return found


def _slot_of(book: Book, feed: str, moment: datetime) -> Slot:
    plan = book.plan(feed)
    number = [n for n, (since, _) in enumerate(plan) if since <= moment][-1]
    return number, _begin(moment, timedelta(seconds=plan[number][1]))


def _begin(moment: datetime, length: timedelta) -> datetime:
    return _EPOCH + length * ((moment - _EPOCH) // length)


def _gaps(book: Book, good: list[Poll]) -> list[tuple[float, set[date]]]:
    """Each time between two successful polls, and the last until now, with the days it touches."""
    moments = [*sorted(poll.observed_at for poll in good), book.now]
    return [
        (
            (after - before).total_seconds(),
            {
                before.date() + timedelta(days=n)
                for n in range((after.date() - before.date()).days + 1)
            },
        )
        for before, after in itertools.pairwise(moments)
    ]


def _changed(book: Book, feed: str) -> Counter[int]:
    """By poll_id: how many answers differ from the one before; what is new or gone is changed."""
    changed: Counter[int] = Counter()
    for name in FEED_DATASETS[feed]:
        story = book.story(name)
        last = None
        for snapshot in story:
            for key, said in snapshot.answered.items():
                was = last.answered.get(key) if last else None
                if not said.same(was, columns_of(name)):
                    changed[snapshot.poll.poll_id] += 1
            last = snapshot
    return changed


def api_budget_now(book: Book) -> list[Row]:
    """Nothing: no limits file stands behind polls that were never asked of an API."""
    return []
