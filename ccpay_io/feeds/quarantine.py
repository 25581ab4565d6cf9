"""When an answer with code 10000 is not believed: an empty or suddenly much shorter list.

Owns the rule of the quarantine, as a pure function. A list that is quarantined is a failed poll
with the error `SuspectList`: nothing is stored as vanished, and the next polls decide. Called by
the collector.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import takewhile

from ccpay_io.errors import SuspectList
from ccpay_io.feeds.plan import ListMemory

# A shorter list is believed after this many identical answers over at least as many intervals.
CONFIRMATIONS = 3

# An account with no tokens is told so on its very first poll; for every other list, and later,
# an empty answer is never the truth.
_MAY_START_EMPTY = ("coins", "networks")


def judge_list(
    feed: str,
    endpoint: str,
    listed: int,
    membership_hash: str,
    memory: ListMemory,
    *,
    now: datetime,
    cadence_s: float,
) -> SuspectList | None:
    """Returns the error to record when the list is not to be believed, else None.

    Args:
        listed: length of the list that was served.
        membership_hash: of what it lists, in any order and at any value.
        memory: what the ledger remembers.
        now: when this poll started.
        cadence_s: the interval in which this feed is polled.
    """
    if listed == 0:
        first_of_all = memory.listed in (None, 0) and not memory.suspects
        believed = feed in _MAY_START_EMPTY and first_of_all
        return None if believed else SuspectList(endpoint, "the list is empty")
    if memory.listed is None or listed * 2 > memory.listed:
        return None
    run = list(takewhile(lambda seen: seen[0] == membership_hash, reversed(memory.suspects)))
    if len(run) + 1 >= CONFIRMATIONS:
        _, began = run[-1]
        if now - began >= timedelta(seconds=CONFIRMATIONS * cadence_s):
            return None
    return SuspectList(endpoint, f"the list has {listed} entries, the last one {memory.listed}")
