"""What a raw file says about its poll besides the answers: enough to make the same poll again.

Owns the header of a raw file, both ways: written by the collector, read by replay.py. What is in no
answer is in it: who asked and when, that a list was not believed, what the deadline left, whose
addresses were asked about. Does no IO.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ccpay_io.feeds.asked import Asked
from ccpay_io.feeds.poll import Poll
from ccpay_io.feeds.sampling import REASON
from ccpay_io.feeds.watchlist import watched_keys
from ccpay_io.settings import WatchSettings

# Files without this number are older and say too little; they are kept for people to read.
FORMAT = 2

# Reasons that a sweep gives to pairs whose calls it never saw the end of.
LEFT = ("deadline", "not_asked")


@dataclass(frozen=True)
class Told:
    """The header of a raw file, read.

    Attributes:
        poll: without what the answers say.
        error: (code, name, message) that the ledger has.
        cut_off: the deadline ended the poll before it had learned anything.
        left: reason -> pairs of a sweep that have no call.
        watched: dataset -> keys of what was asked about, in that order.
    """

    poll: Poll
    error: tuple[int | None, str, str] | None
    cut_off: bool
    left: dict[str, list[tuple[int, str]]]
    watched: dict[str, list[dict[str, str]]]


def header_of(poll: Poll, asked: Asked, watch: WatchSettings) -> dict[str, Any]:
    """The first line of a poll's raw file."""
    error = [poll.error_code, poll.error_name, poll.error_message] if poll.error_name else None
    return {
        "format": FORMAT,
        "feed": poll.feed,
        "poll_id": poll.poll_id,
        "started_at": poll.started_at.isoformat(),
        "observed_at": poll.observed_at.isoformat(),
        "writer": poll.writer,
        "cadence_s": poll.cadence_s,
        "requests": poll.requests,
        "outcome": poll.outcome,
        "error": error,
        "cut_off": asked.cut_off,
        "left": _left(asked),
        "left_out": _gaps(asked).get(REASON, []),
        "watched": watched_keys(watch) if poll.feed == "watchlist" else {},
    }


def told_by(header: dict[str, Any]) -> Told | None:
    """What a header says; None when it is of an earlier release."""
    if header.get("format") != FORMAT:
        return None
    poll = Poll(
        poll_id=header["poll_id"],
        feed=header["feed"],
        outcome=header["outcome"],
        started_at=datetime.fromisoformat(header["started_at"]),
        observed_at=datetime.fromisoformat(header["observed_at"]),
        requests=header["requests"],
        writer=header["writer"],
        cadence_s=header["cadence_s"],
    )
    error = header["error"]
    return Told(
        poll,
        (error[0], error[1], error[2]) if error else None,
        header["cut_off"],
        _read_left(header),
        header["watched"],
    )


def _left(asked: Asked) -> tuple[str, list[tuple[object, ...]]] | None:
    """A sweep ends early for one reason at most."""
    gaps = _gaps(asked)
    found = [(reason, gaps[reason]) for reason in LEFT if reason in gaps]
    return found[0] if found else None


def _gaps(asked: Asked) -> Mapping[str, list[tuple[object, ...]]]:
    fees = asked.answers.get("withdraw_fee")
    return fees.gaps if fees else {}


def _read_left(header: dict[str, Any]) -> dict[str, list[tuple[int, str]]]:
    left = [header["left"]] if header["left"] else []
    if header.get("left_out"):
        left.append((REASON, header["left_out"]))
    return {reason: [(coin_id, chain) for coin_id, chain in pairs] for reason, pairs in left}
