"""A transaction of a lake that lost to another, or its connection, is done again, whole.

Owns what can be done again, how often and after which pause. Taking turns (turns.py) keeps this
product's own writers from each other; this is for whatever takes no turn, such as somebody at a
DuckDB prompt, and for a catalog that restarts. Called by storage.py.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from typing import TypeVar

import duckdb

from ccpay_io.errors import WarehouseError

T = TypeVar("T")

ATTEMPTS = 6
FIRST_PAUSE_S = 0.2

log = logging.getLogger("ccpay.lake")

_CONFLICT = ("conflict", "could not serialize", "deadlock detected")
_CUT_OFF = ("server closed the connection", "connection to server", "terminating connection",
            "Unable to connect", "SSL connection", "no connection to the server",
            "could not receive data")  # fmt: skip


class CatalogAway(WarehouseError):
    """The catalog cannot be reached now: it restarts, or the address is wrong."""


def is_conflict(error: duckdb.Error) -> bool:
    """Whether another transaction changed what this one did."""
    return any(words in str(error).lower() for words in _CONFLICT)


def is_cut_off(error: duckdb.Error) -> bool:
    """Whether the catalog went away; whether a commit came through is then not known."""
    return any(words in str(error) for words in _CUT_OFF)


def again(attempt: Callable[[], T], cut_off: Callable[[], None]) -> T:
    """Calls `attempt` until it ends without a conflict, six times at most.

    Args:
        attempt: a whole transaction, of which a repetition changes nothing.
        cut_off: told when the connection was lost, before the next attempt.

    Raises:
        duckdb.Error, CatalogAway: what the last attempt raised, or what will be the same each time.
    """
    was_there = False
    for number in range(1, ATTEMPTS):
        try:
            return attempt()
        except (duckdb.Error, CatalogAway) as error:
            if isinstance(error, CatalogAway):
                # Who was there comes back; an address where nobody was yet is told at once.
                if not was_there:
                    raise
            elif is_cut_off(error):
                was_there = True
                cut_off()
            elif not is_conflict(error):
                raise
            # Jitter, or those that met once meet again.
            pause = random.uniform(0.5, 1) * FIRST_PAUSE_S * 2**number  # noqa: S311 - no secret
            log.warning(
                "attempt %d of %d is done again in %.1f s: %s",
                number, ATTEMPTS, pause, str(error).splitlines()[0],
            )  # fmt: skip
            time.sleep(pause)
    return attempt()
