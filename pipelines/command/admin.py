"""`ccpay admin`: care of the warehouse. docs/care.md says what each command covers."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.progress import Progress

from ccpay_io.care.backup import make_backup
from ccpay_io.care.migrate import migrate
from ccpay_io.care.rebuild import Rebuilt, rebuild
from ccpay_io.care.restore import restore
from ccpay_io.feeds.session import open_warehouse
from ccpay_io.settings import Settings, load_settings, place_at
from ccpay_io.store.lake.address import Lake
from ccpay_io.store.sealing import seal
from ccpay_io.store.verify import Finding, verify
from ccpay_io.store.writer import Warehouse
from pipelines.command.output import name_environment, print_table, stderr, stdout

FOLDER = click.Path(file_okay=False, path_type=Path)


@click.group("admin")
def command() -> None:
    """Care of the warehouse."""


@command.command("verify")
def verify_command() -> int:
    """Checks that everything the warehouse promises holds; exits with 1 if not."""
    settings = load_settings()
    name_environment(settings)
    return _show(verify(open_warehouse(settings)))


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


@command.command("backup")
@click.argument("folder", type=FOLDER)
def backup_command(folder: Path) -> None:
    """Copies the warehouse into a new FOLDER, while everything is running.

    The writers' file, raw answers, sealed months and the limits; not Dagster's records, nor .env
    and ccpay.toml. On the same file system raw answers and sealed months take no space.
    """
    settings = load_settings()
    name_environment(settings)
    with _bar("files") as moved:
        made = make_backup(open_warehouse(settings), folder.absolute(), on_progress=moved)
    rows = [[name, str(files), _size(size)] for name, (files, size) in made.parts.items()]
    print_table(stdout(), ["part", "files", "size"], rows, right=["files", "size"])
    click.echo(f"{made.polls} polls in {made.folder}")


@command.command("restore")
@click.argument("backup", type=FOLDER)
def restore_command(backup: Path) -> int:
    """Puts a BACKUP into the warehouse's folder, publishes it and verifies it.

    The backup is checked first, and the folder must not have a warehouse. A restore that was cut
    off is completed by the same command. Exits with 1 if a promise does not hold.
    """
    settings = load_settings()
    name_environment(settings)
    with _bar("bytes checked") as moved:
        done = restore(open_warehouse(settings), backup.absolute(), on_progress=moved)
    told = done.manifest
    code = _show(done.findings)
    click.echo(f"{told.polls} polls in {settings.warehouse}, as of {told.made_at}")
    return code


@command.command("rebuild")
@click.option(
    "--from",
    "backup",
    type=FOLDER,
    help="The backup that has the history from before the raw answers.",
)
def rebuild_command(backup: Path | None) -> None:
    """Makes the writers' file anew from raw answers, while everything is running.

    The old file stays in place until the new one is complete and verified, and under another name
    after that. A rebuild that would lose a poll stops and changes nothing.
    """
    settings = load_settings()
    name_environment(settings)
    with _bar("polls") as moved:
        warehouse = open_warehouse(settings)
        done = rebuild(warehouse, backup=backup and backup.absolute(), on_progress=moved)
    click.echo(_told(done))


@command.command("migrate")
@click.argument("source")
@click.argument("target")
@click.option("--data-path", help="Where a lake keeps its files; CCPAY_DATA_PATH if not given.")
def migrate_command(source: str, target: str, data_path: str | None) -> int:
    """Moves the warehouse from SOURCE to TARGET: folders, or ducklake:postgres:... as in .env.

    Stop what polls first. Everything is compared row for row; the source stays as it is. A
    migration that was cut off is completed by the same command. Exits with 1 if a promise does not
    hold.
    """
    settings = load_settings()
    name_environment(settings)
    was, becomes = place_at(source), place_at(target, data_path)
    with _bar("parts") as moved:
        done = migrate(_at(was, settings), _at(becomes, settings), on_progress=moved)
    code = _show(done.findings)
    earlier = f", {done.kept} of them by an earlier attempt" if done.kept else ""
    click.echo(
        f"{done.rows} rows are the same in both{earlier}; {done.raw_files} raw answers moved"
    )
    click.echo(f"now set CCPAY_WAREHOUSE to {becomes} on every machine")
    return code


def _at(place: Path | Lake, settings: Settings) -> Warehouse:
    lake = place if isinstance(place, Lake) else None
    folder = settings.warehouse if isinstance(place, Lake) else place
    return open_warehouse(replace(settings, warehouse=folder, lake=lake))


def _told(done: Rebuilt) -> str:
    base = f"{done.from_backup} polls from the backup, " if done.from_backup else ""
    made = f"{base}{done.made_again} made again, published"
    if done.carried is None:
        return f"{made}; without alerts and imported withdrawals: there was no file to take them of"
    if done.carried.differing:
        return f"{made}; {done.carried.differing} of them are read differently than before"
    return f"{made}; the ledger is as it was"


@contextmanager
def _bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar that does not know its length yet."""
    with Progress(console=stderr(), transient=True) as progress:
        bar = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(bar, completed=done, total=total)


def _show(findings: Sequence[Finding]) -> int:
    rows = [["ok" if f.ok else "WRONG", f.what, f.detail] for f in findings]
    print_table(stdout(), ["", "promise", "found"], rows)
    return 0 if all(f.ok for f in findings) else 1


def _size(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 100_000 else f"{size / 1e3:.1f} kB"
