"""`ccpay poll`: one poll of some or all feeds."""

import click

from ccpay_io.settings import load_settings
from ccpay_io.store.datasets import FEEDS


@click.command("poll")
@click.argument("feeds", nargs=-1, type=click.Choice(["all", *FEEDS]), metavar="[FEED...]|all")
def command(feeds: tuple[str, ...]) -> int:
    """Polls feeds once, through the Dagster assets; all of them if none is named.

    Feeds: chains, fiats, coins, networks, prices, fees, watchlist.

    Exits with 0 if all are ok or skipped, with 1 if every attempted feed failed, otherwise with 3
    (also after a partial poll or a refused pair).
    """
    settings = load_settings()
    wanted = FEEDS if not feeds or "all" in feeds else feeds
    from pipelines.command.polling import poll_feeds  # dagster, only now

    return poll_feeds(settings, [name for name in FEEDS if name in wanted])
