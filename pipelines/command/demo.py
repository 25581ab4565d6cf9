"""`ccpay demo`: a made-up history to look around in."""

from datetime import timedelta

import click
from rich.progress import Progress

from ccpay_io.demo import run_demo
from ccpay_io.feeds.poll import utc_now
from ccpay_io.feeds.session import open_warehouse
from ccpay_io.settings import load_settings
from pipelines.command.output import name_environment, stderr


@click.command("demo")
@click.option("--days", type=click.IntRange(1, 400), default=30, show_default=True)
def command(days: int) -> None:
    """Writes a history of the sandbox's world into the sandbox's warehouse."""
    settings = load_settings()
    name_environment(settings)
    until = utc_now().replace(second=0, microsecond=0)
    since = until - timedelta(days=days)
    with Progress(console=stderr()) as progress:
        bar = progress.add_task(f"{days} days")
        polls = run_demo(
            settings,
            open_warehouse(settings),
            since=since,
            until=until,
            on_progress=lambda done, total: progress.update(bar, completed=done, total=total),
        )
    click.echo(
        f"{polls} polls from {since:%Y-%m-%d} to {until:%Y-%m-%d} in"
        f" {settings.lake or settings.warehouse / 'ccpay.duckdb'}"
    )
