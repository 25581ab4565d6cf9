"""How many requests a day the settings mean, and what that risks.

Owns this arithmetic. Called by `ccpay up` and doctor before anything is polled, and for what the
pacer keeps back for the chains, lists and prices.
"""

from __future__ import annotations

from dataclasses import dataclass

from ccpay_io.errors import NothingPublished
from ccpay_io.feeds.prices import BATCH
from ccpay_io.feeds.sampling import allowance, longest_turn
from ccpay_io.settings import Settings
from ccpay_io.store.reading import Place, connect_published

DAY_S = 86_400
# What an account with every coin has; used until the first token list is known.
TYPICAL_PAIRS, TYPICAL_COINS = 1_800, 775


@dataclass(frozen=True)
class Plan:
    """Requests per day.

    Attributes:
        per_feed: feed -> requests per day; "watch" is the 30-second chain watch.
        pairs: (coin, chain) pairs that each fee poll asks for.
        estimated: whether `pairs` is a guess, because no token list is known yet.
    """

    per_feed: dict[str, int]
    pairs: int
    estimated: bool

    @property
    def total(self) -> int:
        """Requests per day, all feeds."""
        return sum(self.per_feed.values())


def plan_of(settings: Settings) -> Plan:
    """The plan that these settings mean, with the pairs that the warehouse knows."""
    known = _known_pairs(settings.place)
    pairs, coins = known or (TYPICAL_PAIRS, TYPICAL_COINS)
    watched = len(settings.watch.addresses) + len(settings.watch.cwallet_ids)
    feeds = settings.feeds
    # The snapshot of chains every five minutes takes a poll of the watch instead of asking.
    per_poll = {
        "watch": (feeds.watch_s, 1),
        "fiats": (feeds.fiats, 1),
        "coins": (feeds.coins, 1),
        "networks": (feeds.networks, 1),
        "prices": (feeds.prices, -(-coins // BATCH)),
        "fees": (feeds.fees, pairs),
        "watchlist": (feeds.watchlist, watched),
    }
    per_day = {name: DAY_S // cadence * n for name, (cadence, n) in per_poll.items()}
    return Plan(per_day, pairs, estimated=known is None)


def longest_age_s(settings: Settings, plan: Plan, daily_budget: int) -> int:
    """Seconds within which each fee is asked for, with this budget: the cadence if it reaches."""
    cadence_s = settings.feeds.fees
    left = daily_budget - int(sum(reserves(settings)) * DAY_S)
    return longest_turn(plan.pairs, allowance(left, DAY_S, cadence_s)) * cadence_s


def reserves(settings: Settings) -> tuple[float, float]:
    """Requests a second that the chains need, and that lists and prices need; fees leave them.

    A tenth more than planned, for repetitions and confirmations.
    """
    feeds = settings.feeds
    batches = -(-TYPICAL_COINS // BATCH)
    others = ((feeds.prices, batches), (feeds.fiats, 1), (feeds.coins, 1), (feeds.networks, 1))
    chains = 1 / max(1, feeds.watch_s)
    return 1.1 * chains, 1.1 * sum(count / max(1, cadence_s) for cadence_s, count in others)


def _known_pairs(place: Place) -> tuple[int, int] | None:
    """(pairs, fee coins) of the publication; None before the first fee poll."""
    try:
        with connect_published(place) as con:
            row = con.execute(
                "SELECT count(*), count(DISTINCT fee_coin_id) FROM withdraw_fee_now"
            ).fetchone()
    except NothingPublished:
        return None
    return (int(row[0]), int(row[1])) if row and row[0] else None
