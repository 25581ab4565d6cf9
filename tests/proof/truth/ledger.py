"""Which polls there are, under which id, and which cadence was planned when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from ccpay_io.feeds.poll import Poll
from ccpay_io.store.datasets import FEED_DATASETS


def stored(polls: Sequence[Poll]) -> list[Poll]:
    """The polls of the ledger: each once, in the order of commits, with the ids that they get.

    An id is the poll's start, raised above the ids of polls of the same datasets that are stored
    already, and by one more while another poll has it.
    """
    kept: list[Poll] = []
    seen: set[tuple[str, str, datetime]] = set()
    taken: set[int] = set()
    last: dict[str, int] = {}
    for poll in polls:
        identity = (poll.feed, poll.writer, poll.started_at)
        if identity in seen:
            continue
        datasets = FEED_DATASETS[poll.feed]
        poll_id = max(poll.poll_id, *(1 + last.get(name, 0) for name in datasets))
        while poll_id in taken:
            poll_id += 1
        seen.add(identity)
        taken.add(poll_id)
        last |= dict.fromkeys(datasets, poll_id)
        kept.append(replace(poll, poll_id=poll_id))
    return kept


def cadences(polls: Sequence[Poll], feed: str) -> list[tuple[datetime, int]]:
    """Since when which cadence was planned: (start of the first poll with it, seconds)."""
    dated: list[tuple[datetime, int]] = []
    for poll in sorted(polls, key=lambda poll: poll.started_at):
        if poll.feed == feed and (not dated or dated[-1][1] != poll.cadence_s):
            dated.append((poll.started_at, poll.cadence_s))
    return dated
