import json

import dagster as dg
import pytest

from pipelines.delivery import ASK_AGAIN_S, dump_requested, load_requested, next_request
from pipelines.resources import WarehouseResource

NOW = 1_000_000.0


@pytest.mark.parametrize(
    ("due", "requested", "key"),
    [
        pytest.param([("a", 0)], {}, "a:1", id="first attempt"),
        pytest.param([("a", 2)], {"a:2": NOW - 60}, "a:3", id="next attempt of the ladder"),
        pytest.param([("a", 0)], {"a:1": NOW - 60}, None, id="asked for a minute ago"),
        pytest.param([("a", 0), ("b", 0)], {"a:1": NOW - 60}, "b:1", id="a new one beside it"),
        pytest.param([("a", 0), ("b", 0)], {}, "a:1", id="one run drains them all"),
    ],
)
def test_which_run_is_asked_for(
    due: list[tuple[str, int]], requested: dict[str, float], key: str | None
) -> None:
    """One run per set of due notices, and none for a set that was asked for already."""
    assert next_request(due, requested, NOW)[0] == key


def test_a_notice_that_stays_due_is_asked_for_again_under_another_key() -> None:
    """Dagster never starts a run_key twice, also when its run died before it did anything."""
    key, requested = next_request([("a", 0)], {"a:1": NOW - ASK_AGAIN_S}, NOW)
    assert key is not None
    assert key.startswith("a:1:again-")
    assert requested == {"a:1": NOW}


def test_what_is_no_longer_due_is_forgotten() -> None:
    """The cursor holds no more than what is due, however long this runs."""
    assert next_request([("b", 0)], {"a:1": NOW, "b:1": NOW}, NOW)[1] == {"b:1": NOW}


def test_the_cursor_is_plain_json() -> None:
    """What was asked for, and when; somebody may have to read it in the UI."""
    assert load_requested(None) == {}
    assert load_requested(dump_requested({"a:1": 5.0})) == {"a:1": 5.0}
    assert json.loads(dump_requested({"a:1": 5.0})) == {"a:1": 5.0}


def test_the_job_delivers_and_says_how_much(
    defs: dg.Definitions, instance: dg.DagsterInstance, warehouse: WarehouseResource
) -> None:
    """With nothing due the run succeeds and publishes nothing."""
    result = defs.resolve_job_def("deliver_notices").execute_in_process(instance=instance)
    assert result.success
    assert not (warehouse.settings().warehouse / "versions").exists()
