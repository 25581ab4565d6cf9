"""What the decorators of all feed assets have in common.

Owns key prefix, kinds, owners, tags and the freshness policy. Called by the asset modules only.
"""

from datetime import timedelta
from typing import Any

import dagster as dg

from pipelines.feeds import FEEDS, KEY_PREFIX, cadences


def key_of(asset: str) -> dg.AssetKey:
    """The full key of one of this project's assets."""
    return dg.AssetKey([KEY_PREFIX, asset])


def feed_asset(
    name: str, *, endpoint: str, group: str, deps: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Arguments for `@dg.asset` of the feed `name`.

    Args:
        endpoint: of the API, as the tag shows it.
        group: in the catalog.
        deps: names of assets whose answers decide what this one asks.
    """
    feed = FEEDS[name]
    cadence = timedelta(seconds=getattr(cadences(), name))
    return {
        "key": key_of(feed.asset),
        "deps": [key_of(dep) for dep in deps],
        "group_name": group,
        "kinds": {"python", "duckdb"},
        "owners": ["team:treasury-data"],
        "tags": {"ccpay/feed": name, "ccpay/endpoint": endpoint},
        "metadata": {"view": feed.view, "cadence_s": int(cadence.total_seconds())},
        "freshness_policy": dg.FreshnessPolicy.time_window(
            fail_window=3 * cadence, warn_window=2 * cadence
        ),
    }
