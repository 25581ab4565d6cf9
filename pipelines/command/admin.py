"""`ccpay admin`: care of the warehouse."""

from datetime import UTC, datetime

import click

from ccpay_io.feeds.session import open_warehouse
from ccpay_io.settings import load_settings
from ccpay_io.store.sealing import seal
from ccpay_io.store.verify import verify
from pipelines.command.output import name_environment, print_table, stdout


@click.group("admin")
def command() -> None:
    """Care of the warehouse."""


@command.command("verify")
def verify_command() -> int:
    """Checks that everything the warehouse promises holds; exits with 1 if not."""
    settings = load_settings()
    name_environment(settings)
    findings = verify(open_warehouse(settings))
    rows = [["ok" if f.ok else "WRONG", f.what, f.detail] for f in findings]
    print_table(stdout(), ["", "promise", "found"], rows)
    return 0 if all(f.ok for f in findings) else 1


@command.command("seal")
def seal_command() -> int:
    """Moves each month that ended 48 hours ago into Parquet files below sealed/."""
    settings = load_settings()
    name_environment(settings)
    months = seal(open_warehouse(settings), datetime.now(UTC))
    for month in months:
        click.echo(f"sealed {month.first:%Y-%m}: {month.until_no - month.after_no} polls")
    if not months:
        click.echo("nothing to seal: a month is sealed 48 hours after it ends")
    return 0
