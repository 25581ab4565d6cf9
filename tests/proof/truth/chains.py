"""Chain statuses: now, with the bounds of their beginning, and as stretches of polls."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ccpay_io.feeds.poll import Poll
from truth.book import Book, Row, named_time, once
from truth.story import Key, Said, Snapshot


@dataclass(frozen=True)
class Sight:
    """One chain in one poll."""

    poll: Poll
    said: Said

    @property
    def status(self) -> str:
        """Normal, maintenance, unknown or absent."""
        return self.said.state

    @property
    def raw(self) -> str | None:
        """The API's word."""
        return self.said.values.get("status_raw")


def sights(book: Book, key: Key) -> list[Sight]:
    """A chain in every poll since it was first mentioned; unknown until it can be read."""
    found: list[Sight] = []
    for snapshot in book.story("chain"):
        if key in snapshot.now or found:
            found.append(Sight(snapshot.poll, snapshot.now.get(key, Said("unknown"))))
    return found


def chain_status_history(book: Book) -> list[Row]:
    """Stretches of polls with the same status and the same word."""
    rows: list[Row] = []
    for key in _ever(book):
        stretches: list[list[Sight]] = []
        for sight in sights(book, key):
            last = stretches[-1][-1] if stretches else None
            if last and (last.status, last.raw) == (sight.status, sight.raw):
                stretches[-1].append(sight)
            else:
                stretches.append([sight])
        for number, stretch in enumerate(stretches):
            after = stretches[number + 1 : number + 2]
            rows.append(
                {
                    "chain": key[0],
                    "status": stretch[0].status,
                    "status_raw": stretch[0].raw,
                    "valid_from": stretch[0].poll.observed_at,
                    "valid_to": after[0][0].poll.observed_at if after else None,
                    "first_poll_id": stretch[0].poll.poll_id,
                    "last_poll_id": stretch[-1].poll.poll_id,
                    "poll_count": len(stretch),
                    "unknown_poll_count": sum(s.status == "unknown" for s in stretch),
                }
            )
    return rows


def _ever(book: Book) -> set[Key]:
    return {key for snapshot in book.story("chain") for key in snapshot.now}


@once
def chain_status_now(book: Book) -> list[Row]:
    """Every chain that was ever listed."""
    story = book.story("chain")
    return [_now(book, story, key) for key in book.listed("chain")]


def _now(book: Book, story: list[Snapshot], key: Key) -> Row:
    last = story[-1].now[key]
    listed = book.listed("chain")[key][0].values
    after, by = _bounds(story, key)
    known, since = _last_known(story, key)
    return {
        "chain": key[0],
        "chain_full_name": listed["chain_full_name"],
        "status": last.state,
        "status_raw": last.values.get("status_raw"),
        "started_after": after,
        "started_by": by,
        "last_known_status": known,
        "last_known_status_since": since,
        "unknown_reason": why(last),
        "needs_memo": listed["needs_memo"],
        "is_watched": is_watched(book, key[0]),
        **book.ageing("chain", story[-1].answered_in[key].observed_at),
    }


def why(said: Said) -> str | None:
    """Why a status is unknown; None when it is known."""
    if said.is_answer and said.state == "unknown":
        return f"unrecognised:{said.values['status_raw']}"
    return said.reason


def _bounds(story: list[Snapshot], key: Key) -> tuple[datetime | None, datetime]:
    """Between which moments the status began that the last poll shows.

    Polls without an answer are no other status, unless it is the unknown one that is dated: then
    they belong to it.
    """
    status = story[-1].now[key].state
    good = [s for s in story if s.is_good]
    by: datetime | None = None
    after: datetime | None = None
    for snapshot in reversed(story):
        said = snapshot.now.get(key)
        if said is not None and said.state == status:
            by = snapshot.poll.observed_at
        elif said is None:
            # It was not there yet: the good poll before the first mention did not list it.
            after = snapshot.poll.observed_at if snapshot in good else None
            if after:
                break
        elif said.is_answer:
            after = snapshot.poll.observed_at
            break
    assert by is not None
    return after, by


def _last_known(story: list[Snapshot], key: Key) -> tuple[str | None, datetime | None]:
    """The last status that was answered, and the first poll of its last run."""
    known: str | None = None
    since: datetime | None = None
    before: str | None = None
    for snapshot in story:
        said = snapshot.now.get(key)
        if said is None or not said.is_answer:
            continue
        if said.state not in ("unknown", before):
            known, since = said.state, named_time(snapshot.poll)
        before = said.state
    return known, since


def is_watched(book: Book, chain: str) -> bool:
    """Named, or carrying a watched coin; with nothing named, carrying any of the coins."""
    named: dict[str, set[Any]] = {"chain": set(), "coin": set()}
    for kind, name, _ in book.watched:
        named.setdefault(kind, set()).add(name)
    carried = set(book.existing("coin_network"))
    if named["chain"] or named["coin"]:
        coins = {c for c, name in book.symbols.items() if name in named["coin"]}
        return chain in named["chain"] or any(c in coins and on == chain for c, on in carried)
    return not carried or any(on == chain for _, on in carried)
