"""deploy/dagster.yaml on a real PostgreSQL."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
import yaml

from ccpay_io.settings import Settings
from pipelines.instance import TEMPLATE, prepare_home
from pipelines.pruning import prune_runs

sys.path.insert(0, str(Path(__file__).parent))

from postgres import PASSWORD, postgres_server

PRODUCTION = Path(__file__).parents[2] / "deploy" / "dagster.yaml"


@pytest.fixture
def on_postgres(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[dg.DagsterInstance]:
    """The instance of deploy/."""
    with postgres_server() as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        home = settings.dagster_home
        home.mkdir(parents=True)
        (home / "dagster.yaml").write_text(PRODUCTION.read_text("utf-8"), "utf-8")
        with dg.DagsterInstance.from_config(str(prepare_home(home))) as instance:
            yield instance


def test_it_says_what_the_embedded_one_says_but_for_the_storage() -> None:
    """A setting that is changed in one of the two files is changed in both."""
    production, embedded = (yaml.safe_load(p.read_text("utf-8")) for p in (PRODUCTION, TEMPLATE))
    assert production.pop("storage").keys() == {"postgres"}
    assert production == embedded


@pytest.mark.slow
def test_runs_are_kept_and_pruned_in_postgresql(
    defs: dg.Definitions, on_postgres: dg.DagsterInstance
) -> None:
    """A poll's run, its materialization and its end are in PostgreSQL, and no password is shown."""
    done = defs.resolve_job_def("poll_fiats").execute_in_process(instance=on_postgres)
    key = dg.AssetKey(["ccpay", "fiat_rate"])

    assert done.success
    assert on_postgres.get_run_by_id(done.run_id)
    assert on_postgres.get_latest_materialization_event(key)
    assert PASSWORD not in str(on_postgres.info_dict())
    home = Path(on_postgres.root_directory)
    assert [path.name for path in home.iterdir() if path.is_file()] == ["dagster.yaml"]
    assert not list(home.rglob("*.db"))

    assert prune_runs(on_postgres, datetime.now(UTC) + timedelta(minutes=1)) == 1
    assert on_postgres.get_run_by_id(done.run_id) is None
    assert key in on_postgres.all_asset_keys()
