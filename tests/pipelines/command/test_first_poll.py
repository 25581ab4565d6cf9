import dagster as dg

from pipelines.command.first_poll import LAUNCHED, close_dead_runs


def test_runs_that_died_with_an_earlier_up_are_closed(
    defs: dg.Definitions, instance: dg.DagsterInstance
) -> None:
    """Their feeds would wait for them; a run of somebody's `ccpay poll` may still be alive."""
    job = defs.resolve_job_def("poll_fees")
    started = dg.DagsterRunStatus.STARTED
    dead = instance.create_run_for_job(job, status=started, tags={LAUNCHED: "{}"})
    polling = instance.create_run_for_job(job, status=started)
    assert close_dead_runs(instance) == 1
    assert instance.get_run_by_id(dead.run_id).status == dg.DagsterRunStatus.FAILURE
    assert instance.get_run_by_id(polling.run_id).status == started
