"""`ccpay import`: the merchant's own withdrawals, so that monthly costs are real."""

from pathlib import Path

import click

from ccpay_io.feeds.session import open_warehouse
from ccpay_io.settings import load_settings
from ccpay_io.withdrawals import import_withdrawals
from pipelines.command.output import name_environment, stderr


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Check the file and say what is new; store nothing.")
def command(file: Path, dry_run: bool) -> None:
    """Takes a CSV of your withdrawals; importing it twice changes nothing.

    The first line names the columns: record_id, withdrawn_at, coin, chain, amount and, if you know
    what each withdrawal cost, fee_amount and fee_coin. When any line is wrong nothing is imported.
    docs/import.md has an example.
    """
    settings = load_settings()
    name_environment(settings)
    done = import_withdrawals(open_warehouse(settings), file, dry_run=dry_run)
    if done.ignored:
        stderr().print(f"ignored columns: {', '.join(done.ignored)}", markup=False)
    verb = "to import" if dry_run else "imported"
    nothing = "; nothing was written (--dry-run)" if dry_run else ""
    click.echo(f"{file.name}: {done.new} {verb}, {done.known} already there{nothing}")
