"""The example of docs/dagster.md: our definitions inside somebody else's code location."""

import importlib.util
from pathlib import Path
from types import ModuleType

import dagster as dg
import polars as pl
import pytest

from ccpay_io.sandbox import SANDBOX_APP_ID, SANDBOX_APP_SECRET

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "treasury.py"
FEE, COST = dg.AssetKey(["ccpay", "withdraw_fee"]), dg.AssetKey(["treasury", "usdt_payout_cost"])


@pytest.fixture
def theirs(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> ModuleType:
    """The example as a workspace loads it, where our own variables are not set."""
    for name in ("CCPAY_APP_ID", "CCPAY_APP_SECRET", "CCPAY_WAREHOUSE"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("TREASURY_PAY_ID", SANDBOX_APP_ID)
    monkeypatch.setenv("TREASURY_PAY_SECRET", SANDBOX_APP_SECRET)
    monkeypatch.setenv("TREASURY_WAREHOUSE", str(tmp_path / "treasury"))
    spec = importlib.util.spec_from_file_location("treasury_example", EXAMPLE)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_their_code_location_loads_with_everything_of_ours(theirs: ModuleType) -> None:
    """All our assets, jobs, schedules and sensors are in it, beside theirs."""
    # Dagster refuses a module that has more than one.
    assert [name for name, it in vars(theirs).items() if isinstance(it, dg.Definitions)] == ["defs"]
    dg.Definitions.validate_loadable(theirs.defs)
    keys = theirs.defs.resolve_all_asset_keys()
    assert {FEE, COST} <= set(keys)
    assert len(keys) == len(theirs.with_ccpay().resolve_all_asset_keys()) + 1
    sensors = {sensor.name for sensor in theirs.defs.sensors or []}
    assert {"chain_watch", "watch_updates"} <= sensors


# Dagster's own evaluation uses a parameter of its own that is in beta.
@pytest.mark.filterwarnings("ignore:.*include_sources:dagster.BetaWarning")
def test_their_asset_follows_our_fees_with_their_account_and_folder(
    theirs: ModuleType, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    """A poll into their folder makes their asset due; it reads what was published there."""
    evaluate = dg.evaluate_automation_conditions
    before = evaluate(theirs.defs, instance)
    for feed in ("coins", "networks", "prices", "fees"):
        job = theirs.defs.resolve_job_def(f"poll_{feed}")
        assert job.execute_in_process(instance=instance).success

    after = evaluate(theirs.defs, instance, cursor=before.cursor)
    assert (before.get_num_requested(COST), after.get_num_requested(COST)) == (0, 1)

    job = theirs.defs.resolve_implicit_global_asset_job_def()
    done = job.execute_in_process(instance=instance, asset_selection=[COST])
    made = pl.read_parquet("usdt_payout_cost.parquet")
    assert done.success
    assert len(made) > 2
    assert made["fee_usd"].is_sorted()
    assert made.schema["fee_usd"] == pl.Decimal(38, 12)
    assert (tmp_path / "treasury" / "ccpay.duckdb").exists()
