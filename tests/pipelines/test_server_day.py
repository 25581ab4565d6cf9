"""What a day of the default schedules leaves in PostgreSQL and on disk; pruning holds it."""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from ccpay_io.settings import Settings
from pipelines.feeds import FEEDS, cadences
from pipelines.jobs import run_config_of
from pipelines.pruning import prune_runs
from pipelines.schedules import REUSE_S

sys.path.insert(0, str(Path(__file__).parent))

from postgres import Postgres, postgres_server

# A day in twelve: two hours of polls, and of the board, which follows each fee poll.
SHARE, DAY_S = 12, 86_400
# docs/operations.md says 51 kilobytes a run, raw answers not included.
DOCUMENTED_KB = (35, 65)


def runs_of_a_day() -> dict[str, int]:
    """Job -> runs a day by the default schedules."""
    planned = {feed.job: DAY_S // getattr(cadences(), name) for name, feed in FEEDS.items()}
    return {**planned, "build_board": planned["poll_fees"]}


def live(defs: dg.Definitions, instance: dg.DagsterInstance) -> int:
    """Makes a share of a day's runs, in turns; how many."""
    configs = {feed.job: run_config_of(feed, REUSE_S.get(name, 0)) for name, feed in FEEDS.items()}
    made = 0
    for job, count in runs_of_a_day().items():
        for _ in range(count // SHARE):
            defs.resolve_job_def(job).execute_in_process(
                instance=instance, run_config=configs.get(job, {})
            )
            made += 1
    return made


@pytest.mark.torture
@pytest.mark.timeout(3000)
def test_a_day_of_runs_takes_what_the_documents_say_and_is_pruned(
    defs: dg.Definitions, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kilobytes a run as documented; a second day takes the room that pruning freed."""
    with postgres_server() as postgres:
        for name, value in postgres.environment.items():
            monkeypatch.setenv(name, value)
        home = settings.dagster_home
        home.mkdir(parents=True)
        production = Path(__file__).parents[2] / "deploy" / "dagster.yaml"
        (home / "dagster.yaml").write_text(production.read_text("utf-8"))
        with dg.DagsterInstance.from_config(str(home)) as instance:
            instance.get_runs(limit=1)
            empty = settled(postgres)
            runs = live(defs, instance)
            first = settled(postgres)
            assert prune_runs(instance, datetime.now(UTC) + timedelta(minutes=1)) == runs
            settled(postgres)
            live(defs, instance)
            second = settled(postgres)
            left = len(instance.get_runs())
    per_run = (first - empty) / runs / 1000
    day = sum(runs_of_a_day().values())
    raw = sum(file.stat().st_size for file in (settings.warehouse / "raw").rglob("*.zst"))
    print(  # noqa: T201
        f"{runs} runs: {per_run:.1f} kB each in PostgreSQL, {day} a day: {day * per_run / 1000:.0f}"
        f" MB; after pruning and as many again {(second - empty) / (first - empty):.2f} times that;"
        f" raw answers {raw / 1e6:.1f} MB; Dagster's folder {files_in(home)} files"
    )
    assert left == runs
    assert DOCUMENTED_KB[0] < per_run < DOCUMENTED_KB[1]
    assert second - empty < 1.3 * (first - empty)
    assert files_in(home) == 1


def settled(postgres: Postgres) -> int:
    """Bytes of the database after what its autovacuum does by itself within the hour."""
    postgres.ask("VACUUM ANALYZE")
    return int(postgres.ask("SELECT pg_database_size('dagster')"))


def files_in(folder: Path) -> int:
    """Files anywhere below a folder."""
    return sum(path.is_file() for path in folder.rglob("*"))
