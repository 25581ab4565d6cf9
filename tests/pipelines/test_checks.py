import dagster as dg
import polars as pl
import pytest

from pipelines.checks import (
    Count,
    answer_floor,
    few_unknown,
    fresh,
    last_counts,
    not_empty,
    row_floor,
)
from pipelines.feeds import FEEDS

KEY = dg.AssetKey(["ccpay", "withdraw_fee"])


def frame(*states: str, stale: bool = False) -> pl.DataFrame:
    """A view with one row per state."""
    return pl.DataFrame(
        {
            "state": list(states),
            "is_stale": [stale] * len(states),
            "data_age_s": [7] * len(states),
        },
        schema={"state": pl.String, "is_stale": pl.Boolean, "data_age_s": pl.Int64},
    )


@pytest.mark.parametrize(
    ("feed", "rows", "passed"), [("fees", 1, True), ("fees", 0, False), ("watchlist", 0, True)]
)
def test_not_empty(feed: str, rows: int, passed: bool) -> None:
    """An empty view is a failure, but for a watch list with nothing on it."""
    assert not_empty(FEEDS[feed], frame(*["ok"] * rows), []).passed is passed


@pytest.mark.parametrize(
    ("counts", "passed"),
    [([], True), ([10], True), ([10, 10], True), ([8, 10], True), ([7, 10], False)],
)
def test_row_floor(counts: list[int], passed: bool) -> None:
    """A poll that covers less than 80 % of what the one before did is a failure."""
    polls = [Count(answered=0, asked=asked) for asked in counts]
    assert row_floor(FEEDS["fees"], frame(), polls).passed is passed


@pytest.mark.parametrize(
    ("polls", "passed"),
    [
        ([], True),
        ([Count(166, 166), Count(773, 773)], True),
        ([Count(8, 10)], True),
        ([Count(7, 10)], False),
    ],
)
def test_answer_floor(polls: list[Count], passed: bool) -> None:
    """A poll that asks for less is no failure; one that is answered for less than 80 % is."""
    assert answer_floor(FEEDS["prices"], frame(), polls).passed is passed


@pytest.mark.parametrize(("unknown", "passed"), [(0, True), (1, True), (2, False)])
def test_few_unknown(unknown: int, passed: bool) -> None:
    """More than 5 % without an answer is told."""
    states = ["unknown"] * unknown + ["ok"] * (20 - unknown)
    verdict = few_unknown(FEEDS["fees"], frame(*states), [])
    assert verdict.passed is passed
    assert verdict.metadata["unknown"] == unknown


@pytest.mark.parametrize(("stale", "passed"), [(False, True), (True, False)])
def test_fresh(stale: bool, passed: bool) -> None:
    """A view whose every row is stale is told."""
    assert fresh(FEEDS["fees"], frame("ok", "ok", stale=stale), []).passed is passed


def test_counts_are_what_polls_covered(instance: dg.DagsterInstance) -> None:
    """Answered and unknown together: a poll cut at its deadline covers as much as another."""
    for rows, unknown in ((10, 0), (4, 6)):
        metadata = {"dagster/row_count": rows, "unknown": unknown}
        instance.report_runless_asset_event(dg.AssetMaterialization(KEY, metadata=metadata))
    assert last_counts(instance, KEY) == [Count(4, 10), Count(10, 10)]


def test_a_check_before_the_first_publication_fails_and_does_not_break(
    defs: dg.Definitions, instance: dg.DagsterInstance
) -> None:
    """Somebody may run a check by hand before anything was polled."""
    key = dg.AssetKey(["ccpay", "fiat_rate"])
    job = dg.define_asset_job("only_checks", dg.AssetSelection.checks_for_assets(key))
    merged = dg.Definitions.merge(defs, dg.Definitions(jobs=[job]))
    result = merged.resolve_job_def("only_checks").execute_in_process(instance=instance)
    passed = {e.check_name: e.passed for e in result.get_asset_check_evaluations()}
    assert passed == {"not_empty": False, "row_floor": True, "fresh": True}
