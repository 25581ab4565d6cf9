from collections.abc import Callable
from typing import Any

import dagster as dg
import pytest

from ccpay_io.sandbox.faults import Faults
from pipelines.build import build_defs
from pipelines.feeds import FEEDS
from pipelines.jobs import run_config_of
from pipelines.resources import WarehouseResource

Run = Callable[..., dg.ExecuteInProcessResult]


@pytest.fixture
def poll(defs: dg.Definitions, instance: dg.DagsterInstance) -> Run:
    """Runs the real job of a feed on the real instance."""

    def run(feed: str, *, reuse_s: int = 0) -> dg.ExecuteInProcessResult:
        return defs.resolve_job_def(FEEDS[feed].job).execute_in_process(
            instance=instance,
            raise_on_error=False,
            run_config=run_config_of(FEEDS[feed], reuse_s),
        )

    return run


def metadata_of(result: dg.ExecuteInProcessResult) -> dict[str, Any]:
    """Metadata of the one materialization of a run."""
    (event,) = result.get_asset_materialization_events()
    return {key: value.value for key, value in event.materialization.metadata.items()}


def failure_of(result: dg.ExecuteInProcessResult) -> dg.Failure:
    """What the failed step of a run said."""
    (event,) = result.get_step_failure_events()
    data = event.step_failure_data.user_failure_data
    return dg.Failure(data.description, metadata=data.metadata)


def test_a_materialization_says_what_analysts_ask(poll: Run) -> None:
    """Rows, changes, lineage, time, columns with types, and a query to start from."""
    result = poll("fiats")
    assert result.success
    found = metadata_of(result)
    assert found["dagster/row_count"] == 155
    assert found["changed"] == 155
    assert found["outcome"] == "ok"
    assert found["requests"] == 1
    assert found["poll_id"] > 10**15
    assert found["published"].endswith(".duckdb")
    assert "FROM fiat_rate_now" in found["sql"]
    types = {column.name: column.type for column in found["dagster/column_schema"].columns}
    assert types["usd_rate"] == "DECIMAL(38,18)"


def test_checks_pass_on_the_first_two_rounds(poll: Run) -> None:
    """A new warehouse has no red check: neither before the first sweep nor when less is asked."""
    evaluations = [
        evaluation
        for feed in ("chains", "coins", "networks", "prices", "fees", "prices")
        for evaluation in poll(feed).get_asset_check_evaluations()
    ]
    assert {e.check_name for e in evaluations} == {
        "not_empty", "row_floor", "answer_floor", "fresh", "few_unknown",
    }  # fmt: skip
    red = [e for e in evaluations if not e.passed and e.severity == dg.AssetCheckSeverity.ERROR]
    assert red == []


def test_a_failed_poll_fails_the_asset(poll: Run, faults: Faults) -> None:
    """The run fails once, with the API's code and what to do, and nothing is materialized."""
    faults.add("code:12002", "getFiatList")
    result = poll("fiats")
    failure = failure_of(result)
    assert not result.success
    assert "12002 IpNotInWhitelist" in (failure.description or "")
    assert failure.metadata["code"].value == 12002
    assert "whitelist" in str(failure.metadata["hint"].value)
    assert result.get_asset_materialization_events() == []
    assert len(result.get_step_failure_events()) == 1


def test_a_partial_poll_warns(poll: Run, faults: Faults) -> None:
    """What was answered is stored; the metadata says how much is unknown and why."""
    for feed in ("chains", "coins", "networks"):
        poll(feed)
    faults.add("code:10001", "getWithdrawFee", match={"chain": "TRX"})
    result = poll("fees")
    found = metadata_of(result)
    assert result.success
    assert found["outcome"] == "partial"
    assert found["unknown"] > 0
    assert "10001 Failed" in found["warning"]


def test_what_an_api_echoes_is_redacted(
    poll: Run, faults: Faults, warehouse: WarehouseResource, instance: dg.DagsterInstance
) -> None:
    """A secret in an error message of the API is in neither the failure nor the event log."""
    secret = warehouse.settings().credentials.app_secret.reveal()
    faults.add(f"code:12003 you sent {secret}", "getFiatList")
    result = poll("fiats")
    log = "".join(str(entry) for entry in instance.all_logs(result.run_id))
    assert "12003" in log
    assert secret not in log


def test_a_young_poll_is_reused(poll: Run, faults: Faults) -> None:
    """A snapshot takes the watch's poll of a moment ago and asks nothing."""
    poll("chains")
    found = metadata_of(poll("chains", reuse_s=60))
    assert found["reused"] is True
    assert found["requests"] == 0
    assert faults.requests["getChainList"] == 1


def test_settings_that_cannot_be_used_fail_the_run_with_the_reason(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Missing credentials are told in the run, in one line with what to do."""
    monkeypatch.delenv("CCPAY_APP_ID")
    job = build_defs().resolve_job_def("poll_fiats")
    failure = failure_of(job.execute_in_process(instance=instance, raise_on_error=False))
    assert "CCPAY_APP_ID" in (failure.description or "")
