"""Who is told what: the transitions of one poll as at most three notices per channel.

Owns which channel hears of an alert and what goes into one notice, a row of the outbox; delivery.py
goes on from there. One notice for what began, one for what ended, one
for reminders; after an outage of the API one digest of all. Paging services, which have one page
per notice and close it by its key, are told of each page's end by itself. Called by book.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import duckdb

from ccpay_io.alerts.channels import Channel, channels_of
from ccpay_io.alerts.engine import Moment
from ccpay_io.alerts.messages import Notice, word_notice
from ccpay_io.alerts.muting import API
from ccpay_io.alerts.outbox import Entry, put
from ccpay_io.alerts.subject import is_worse
from ccpay_io.alerts.telling import ENDING, Transition
from ccpay_io.settings import Settings


@dataclass(frozen=True)
class Bundle:
    """The transitions that one notice tells.

    Attributes:
        word: the transition of the notice: that of its parts, "opened" or "resolved" for a mix,
            "digest" for both after an outage.
        parts: at least one.
        incident: what a paging service knows it by; None: by its only part, or by the poll.
    """

    word: str
    parts: Sequence[Transition]
    incident: str | None = None


def write_notices(
    con: duckdb.DuckDBPyConnection,
    transitions: Sequence[Transition],
    moment: Moment,
    settings: Settings,
) -> int:
    """Writes what every channel should hear; returns the number of notices.

    Args:
        con: inside the poll's transaction, the new state already written.
        transitions: what the poll led to.
        moment: of the poll.
        settings: channels and their filters.
    """
    if not transitions:
        return 0
    written = 0
    # Most channels hear the same; what a chain in maintenance affects is looked up once for all.
    worded = dict[tuple[object, ...], Notice]()
    for channel in channels_of(settings):
        heard = [part for part in transitions if _hears(con, channel, part)]
        bundles = _pages(con, channel, heard) if channel.is_paging else _bundles(heard)
        for bundle in bundles:
            said = (bundle.word, *bundle.parts)
            if said not in worded:
                worded[said] = word_notice(con, bundle.word, bundle.parts, moment, settings)
            _insert(con, channel, bundle, worded[said], moment)
            written += 1
    return written


def _hears(con: duckdb.DuckDBPyConnection, channel: Channel, part: Transition) -> bool:
    """A channel hears what its filter lets through, and the rest of every story it has heard of."""
    if part.alert.kind == "delivery" and _is_left_out(con, channel, part):
        return False
    # Somebody has to hear that a channel fails, whatever else they asked for.
    is_wanted = not channel.kinds or part.alert.kind in (*channel.kinds, "delivery")
    is_new = part.word not in ENDING and not is_worse(channel.severity, part.alert.severity)
    return (is_wanted and is_new) or _has_heard(con, channel, part)


def _is_left_out(con: duckdb.DuckDBPyConnection, channel: Channel, part: Transition) -> bool:
    """That a channel takes no notices is for others to tell, and reminders for those who may."""
    if part.alert.key == channel.key or part.word != "reminder":
        return part.alert.key == channel.key
    # Two that fail would otherwise be reminded of each other for ever.
    row = con.execute(
        "SELECT 1 FROM store.alert_state WHERE kind = 'delivery' AND key = ? AND phase = 'firing'",
        [channel.key],
    ).fetchone()
    return row is not None


def _has_heard(con: duckdb.DuckDBPyConnection, channel: Channel, part: Transition) -> bool:
    row = con.execute(
        "SELECT 1 FROM store.alert_outbox"
        " WHERE channel = ? AND list_has_any(alert_ids, [?, ?]) LIMIT 1",
        [channel.key, part.incident, part.alert.alert_id],
    ).fetchone()
    return row is not None


def _bundles(heard: Sequence[Transition]) -> Iterator[Bundle]:
    begun = [part for part in heard if part.word not in (*ENDING, "reminder")]
    ended = [part for part in heard if part.word in ENDING]
    reminders = [part for part in heard if part.word == "reminder"]
    if begun and any(
        part.alert.kind == "source_health" and part.alert.key == API for part in ended
    ):
        yield Bundle("digest", [*ended, *begun])
    else:
        if begun:
            yield Bundle(_common_word(begun, "opened"), begun)
        if ended:
            yield Bundle(_common_word(ended, "resolved"), ended)
    if reminders:
        yield Bundle("reminder", reminders)


def _common_word(parts: Sequence[Transition], mixed: str) -> str:
    words = {part.word for part in parts}
    return words.pop() if len(words) == 1 else mixed


def _pages(
    con: duckdb.DuckDBPyConnection, channel: Channel, heard: Sequence[Transition]
) -> Iterator[Bundle]:
    """What began together is one page; it is closed when all of it is over.

    Reminders are left out: a paging service has its own.
    """
    opened = [part for part in heard if part.word == "opened"]
    if opened:
        yield Bundle("opened", opened)
    ended = dict[str, list[Transition]]()
    for part in heard:
        if part.word in ("opened", "reminder"):
            continue
        page, ids = _page_of(con, channel, part)
        if part.word in ENDING and not _is_any_open(con, ids):
            ended.setdefault(page, []).append(part)
        elif part.word in ("escalated", "flapping", "delisted"):
            yield Bundle(part.word, [part], page)
    for page, parts in ended.items():
        yield Bundle("resolved", parts, page)


def _page_of(
    con: duckdb.DuckDBPyConnection, channel: Channel, part: Transition
) -> tuple[str, list[str]]:
    """The page on which a channel first heard of this, and everything that stands on it."""
    row = con.execute(
        "SELECT incident, alert_ids FROM store.alert_outbox"
        " WHERE channel = ? AND list_contains(alert_ids, ?) ORDER BY poll_id LIMIT 1",
        [channel.key, part.incident],
    ).fetchone()
    return row or (part.incident, [part.incident])


def _is_any_open(con: duckdb.DuckDBPyConnection, alert_ids: list[str]) -> bool:
    row = con.execute(
        "SELECT 1 FROM store.alert_state WHERE told IS NOT NULL AND list_contains(?, told_id)",
        [alert_ids],
    ).fetchone()
    return row is not None


def _insert(
    con: duckdb.DuckDBPyConnection,
    channel: Channel,
    bundle: Bundle,
    notice: Notice,
    moment: Moment,
) -> None:
    first = bundle.parts[0]
    alone = len(bundle.parts) == 1
    base = f"{first.alert.alert_id}.{first.alert.sequence}" if alone else f"cycle-{moment.poll_id}"
    if bundle.incident and not alone:
        base = bundle.incident
    notice_id = f"{base}.{bundle.word}.{channel.key}"
    incident = bundle.incident or (first.incident if alone else f"cycle-{moment.poll_id}")
    put(
        con,
        Entry(
            notice_id,
            channel.key,
            bundle.word,
            notice.severity,
            notice.title,
            notice.body,
            notice.payload,
            moment.poll_id,
            moment.at,
            incident,
            _ids(bundle.parts),
            _ids([part for part in bundle.parts if part.word in ENDING]),
            notice.late_title,
        ),
    )


def _ids(parts: Sequence[Transition]) -> list[str]:
    return list(dict.fromkeys(x for part in parts for x in (part.alert.alert_id, part.incident)))
