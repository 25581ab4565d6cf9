from pathlib import Path

import dagster as dg
import pytest

from ccpay_io.alerts import deliver
from ccpay_io.sandbox.faults import Faults
from ccpay_io.settings import Settings
from pipelines.resources import CcpaymentResource, WarehouseResource
from pipelines.sensors import chain_watch, failed_runs, notice_delivery


@pytest.fixture
def evaluate_watch(
    instance: dg.DagsterInstance, ccpay: CcpaymentResource, warehouse: WarehouseResource
):
    """One evaluation of the chain watch."""

    def evaluate() -> dg.SensorResult:
        context = dg.build_sensor_context(instance=instance)
        return chain_watch(context, ccpay=ccpay, warehouse=warehouse)

    return evaluate


@pytest.fixture
def evaluate_delivery(instance: dg.DagsterInstance, warehouse: WarehouseResource):
    """One evaluation of the delivery sensor, from the cursor that the last one left."""
    cursor: list[str | None] = [None]

    def evaluate() -> dg.SensorResult | dg.SkipReason:
        context = dg.build_sensor_context(instance=instance, cursor=cursor[0])
        result = notice_delivery(context, warehouse=warehouse)
        if isinstance(result, dg.SensorResult):
            cursor[0] = result.cursor
        return result

    return evaluate


@pytest.fixture
def quick(settings: Settings, tmp_path: Path) -> None:
    """Asks again at once instead of after five seconds."""
    (tmp_path / "ccpay.toml").write_text("[alerts]\nconfirm_after_s = 0\n", "utf-8")


def test_the_first_look_is_a_materialization(evaluate_watch) -> None:
    """Everything is new, so the asset is materialized, with the metadata of a poll."""
    result = evaluate_watch()
    (event,) = result.asset_events
    assert event.asset_key == dg.AssetKey(["ccpay", "chain_status"])
    assert event.metadata["dagster/row_count"].value == 198


def test_a_look_without_news_leaves_no_event(evaluate_watch) -> None:
    """A change is an event; 2,880 looks a day are not."""
    for _ in range(3):
        result = evaluate_watch()
    assert result.asset_events == []
    assert "198 chains answered, 0 changed" in result.skip_reason.skip_message


def test_a_look_that_was_stored_is_a_sign_of_life(life_signs: list[str], evaluate_watch) -> None:
    """One a minute is enough, however often the sensor looks."""
    evaluate_watch()
    evaluate_watch()
    assert life_signs == ["/token-of-life"]


def test_a_look_that_could_not_be_stored_is_none(
    life_signs: list[str], evaluate_watch, warehouse: WarehouseResource
) -> None:
    """The tick fails, and the service that waits is not told that all is well."""
    private = warehouse.open().private
    private.parent.mkdir(parents=True, exist_ok=True)
    private.write_bytes(b"no database")
    with pytest.raises(Exception, match="warehouse"):
        evaluate_watch()
    assert life_signs == []


@pytest.mark.usefixtures("quick")
def test_maintenance_asks_for_delivery_at_once(
    evaluate_watch, evaluate_delivery, faults: Faults, warehouse: WarehouseResource
) -> None:
    """A chain that enters Maintenance is confirmed, told of, delivered, and asked for only once."""
    evaluate_watch()
    store = warehouse.open()
    deliver(store, warehouse.settings())
    faults.statuses["TRX"] = "Maintenance"
    result = evaluate_watch()
    assert len(result.asset_events) == 1
    (request,) = result.run_requests
    assert request.run_key.endswith(":1")

    asked = evaluate_delivery()
    assert [r.run_key for r in asked.run_requests] == [request.run_key]
    again = evaluate_delivery()
    assert "already asked for" in again.skip_reason.skip_message

    assert deliver(store, warehouse.settings()).sent == 1
    store.publish(force=True)
    assert "nothing is due" in evaluate_delivery().skip_message
    assert "TRX is in maintenance" in (store.root / "alerts.log").read_text("utf-8")


@pytest.mark.usefixtures("quick")
def test_delivery_waits_for_a_run_that_is_under_way(
    evaluate_watch,
    evaluate_delivery,
    faults: Faults,
    defs: dg.Definitions,
    instance: dg.DagsterInstance,
) -> None:
    """The run that the watch asked for drains everything, so no second one is started."""
    evaluate_watch()
    faults.statuses["TRX"] = "Maintenance"
    evaluate_watch()
    instance.create_run_for_job(
        defs.resolve_job_def("deliver_notices"), status=dg.DagsterRunStatus.STARTED
    )
    assert "under way" in evaluate_delivery().skip_message


@pytest.mark.usefixtures("quick")
def test_an_outage_is_told_of_as_what_it_is(
    evaluate_watch, faults: Faults, warehouse: WarehouseResource
) -> None:
    """No chain is said to be in maintenance; one notice about the source asks for delivery."""
    evaluate_watch()
    faults.add("status:503", "getChainList")
    result = evaluate_watch()
    assert len(result.run_requests) == 1
    assert result.asset_events == []
    deliver(warehouse.open(), warehouse.settings())
    (told,) = (warehouse.open().root / "alerts.log").read_text("utf-8").splitlines()
    assert "maintenance" not in told.partition("|")[0]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("code:11002", "11002 Internal"),
        ("status:503", "HTTP 503"),
        ("html", "NotJson"),
        ("empty", "SuspectList"),
    ],
)
def test_a_failing_api_is_a_reason_and_no_error(
    evaluate_watch, faults: Faults, warehouse: WarehouseResource, fault: str, said: str
) -> None:
    """The tick says what failed; the attempt is in the ledger; nothing is materialized."""
    evaluate_watch()
    faults.add(fault, "getChainList")
    result = evaluate_watch()
    assert said in result.skip_reason.skip_message
    assert result.asset_events == []
    with warehouse.open().transaction() as con:
        (outcome,) = con.execute(
            "SELECT outcome FROM store.poll ORDER BY poll_id DESC LIMIT 1"
        ).fetchone()
    assert outcome == "failed"


def test_nothing_is_due_before_the_first_publication(evaluate_delivery) -> None:
    """A new installation has nothing to deliver, which is no error."""
    assert "nothing is due" in evaluate_delivery().skip_message


def test_failed_runs_are_logged_once_in_a_row(
    defs: dg.Definitions,
    instance: dg.DagsterInstance,
    faults: Faults,
    warehouse: WarehouseResource,
) -> None:
    """An outage is one line per job in the alert log, and a new failure after a success another.

    Nothing is returned: Dagster refuses a tick that skips one failure and reports another.
    """
    job = defs.resolve_job_def("poll_fiats")
    returned = []
    for broken in (True, True, False, True):
        faults.clear()
        if broken:
            faults.add("code:12002", "getFiatList")
        result = job.execute_in_process(instance=instance, raise_on_error=False)
        if broken:
            (event,) = [e for e in result.all_events if e.is_failure and e.is_job_event]
            context = dg.build_run_status_sensor_context(
                sensor_name="failed_runs",
                dagster_event=event,
                dagster_instance=instance,
                dagster_run=result.dagster_run,
            )
            returned.append(failed_runs(context.for_run_failure(), warehouse=warehouse))
    lines = (warehouse.open().root / "alerts.log").read_text("utf-8").splitlines()
    assert len(lines) == 2
    assert all("poll_fiats failed: getFiatList: 12002 IpNotInWhitelist" in line for line in lines)
    assert returned == [None, None, None]


def test_two_failures_in_one_tick_are_one_line(
    defs: dg.Definitions,
    instance: dg.DagsterInstance,
    faults: Faults,
    warehouse: WarehouseResource,
) -> None:
    """Dagster takes the tick, and the next one has nothing left to do."""
    job = defs.resolve_job_def("poll_fiats")

    def tick(cursor: str | None) -> str | None:
        context = dg.build_sensor_context(
            instance=instance,
            cursor=cursor,
            sensor_name="failed_runs",
            repository_def=defs.get_repository_def(),
            resources={"warehouse": warehouse},
        )
        return failed_runs.evaluate_tick(context).cursor

    # The first tick only remembers where the event log ends.
    job.execute_in_process(instance=instance)
    cursor = tick(None)
    faults.add("code:12002", "getFiatList")
    for _ in range(2):
        job.execute_in_process(instance=instance, raise_on_error=False)
    for _ in range(3):
        cursor = tick(cursor)
    lines = (warehouse.open().root / "alerts.log").read_text("utf-8").splitlines()
    assert len(lines) == 1
