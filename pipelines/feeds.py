"""Which feed fills which asset, and what its readers look at.

Owns the table of feeds as Dagster sees them, their cadences and run times. Imports no dagster, so
that the command can use it cheaply. Called by assets, jobs, schedules, checks and the command.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ccpay_io.errors import ConfigError
from ccpay_io.feeds.collector import DEADLINE_SHARE, LIST_DEADLINE_S
from ccpay_io.settings import FeedSettings, load_settings

KEY_PREFIX = "ccpay"
# A hung run must not block its feed for hours, however slow its cadence is.
LONGEST_RUN_S = 3600


@dataclass(frozen=True)
class Feed:
    """One feed.

    Attributes:
        name: as in `ccpay poll NAME`.
        asset: last part of its asset key.
        view: the published view that shows what it knows now.
        state: column of the view that is "unknown" where there is no answer; None when a row
            without an answer is not in the view.
        may_be_empty: whether an empty view is normal (nothing is configured to be watched).
        by_need: whether a poll asks only for what is needed then; a shorter one is normal.
    """

    name: str
    asset: str
    view: str
    state: str | None = None
    may_be_empty: bool = False
    by_need: bool = False

    @property
    def job(self) -> str:
        """Name of the job that polls it."""
        return f"poll_{self.name}"


# In the order in which `ccpay poll all` asks: lists first, prices before the fees they value.
FEEDS: Mapping[str, Feed] = {
    feed.name: feed
    for feed in (
        Feed("chains", "chain_status", "chain_status_now", state="status"),
        Feed("fiats", "fiat_rate", "fiat_rate_now"),
        Feed("coins", "swap_coin", "swap_coin_now"),
        Feed("networks", "coin_network", "coin_network_now"),
        Feed("prices", "coin_price", "coin_price_now", by_need=True),
        Feed("fees", "withdraw_fee", "withdraw_fee_now", state="state"),
        Feed("watchlist", "watchlist", "address_validity_now", may_be_empty=True),
    )
}


def cadences() -> FeedSettings:
    """The cadences of ccpay.toml; the defaults when the settings cannot be used yet.

    Definitions must load on a machine without credentials. There a run fails with the reason, which
    is a better place to say it than a code location that does not load.
    """
    try:
        return load_settings().feeds
    except ConfigError:
        return FeedSettings()


def max_runtime_s(feed: Feed, cadence_s: int) -> int:
    """Seconds after which a run of this feed is certainly dead: twice its longest deadline."""
    sweep = DEADLINE_SHARE * cadence_s
    return min(LONGEST_RUN_S, int(2 * max(LIST_DEADLINE_S, sweep)))
