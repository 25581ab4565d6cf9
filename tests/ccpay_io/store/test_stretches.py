"""The change-only store: what is reconstructed equals what was written."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ccpay_io.feeds.poll import Answers, Poll, poll_id_at
from ccpay_io.store.datasets import AMOUNT, DATASETS, FEED_DATASETS
from ccpay_io.store.verify import verify
from ccpay_io.store.writer import Warehouse

ERRORS = {"failed": "TimedOut", "skipped": "BudgetExhausted"}
PAIRS = [(1, "ETH"), (1, "TRX"), (2, "ETH"), (2, "BSC"), (3, "SOL")]
SNAPSHOT = """
    SELECT poll_id, coin_id, chain, state, refusal_code, unknown_reason,
           fee_amount, fee_coin_id, fee_coin
    FROM withdraw_fee_snapshot ORDER BY ALL
"""

amounts = st.integers(0, 10**38 - 1).map(
    lambda n: Decimal(f"{n // 10**18}.{n % 10**18:018}")
) | st.sampled_from([Decimal("0.5"), Decimal("0.000000000000000001"), Decimal("1e17")])
answer = st.one_of(
    st.tuples(st.just("ok"), amounts, st.sampled_from([(7, "TRX"), (8, "MATIC")])),
    st.tuples(st.just("refused"), st.sampled_from([13004, 14004])),
    st.tuples(st.just("gap"), st.sampled_from(["deadline", "TimedOut", "not_asked"])),
    st.just(("same",)),
    st.just(("vanished",)),
)
history = st.lists(
    st.sampled_from(["failed", "skipped"])
    | st.lists(answer, min_size=len(PAIRS), max_size=len(PAIRS)),
    min_size=1,
    max_size=9,
)


class Model:
    """What the store should say, kept the plain way: every snapshot in full."""

    def __init__(self) -> None:
        self.last: dict[tuple[int, str], tuple[Any, ...]] = {}
        self.expected: list[tuple[Any, ...]] = []
        self.answers: dict[str, Answers] = {}

    def silent(self, poll_id: int, reason: str) -> None:
        """A failed or skipped poll: everything that exists is unknown."""
        self.answers = {}
        for pair in self.last:
            self.expected.append((poll_id, *pair, "unknown", None, reason, None, None, None))

    def poll(self, poll_id: int, script: list[tuple[Any, ...]]) -> None:
        """A poll that says something, or nothing, about each pair."""
        rows, gaps = [], {}
        for pair, told in zip(PAIRS, script, strict=True):
            said = self.last.get(pair) if told[0] == "same" else told
            if said is None:
                continue
            kind = said[0]
            if kind == "vanished":
                self.last.pop(pair, None)
                continue
            if kind == "gap":
                gaps.setdefault(said[1], []).append(pair)
                self.expected.append((poll_id, *pair, "unknown", None, said[1], None, None, None))
                continue
            self.last[pair] = said
            rows.append(_row(pair, said))
            self.expected.append((poll_id, *pair, *_shown(said)))
        self.answers = {"withdraw_fee": Answers(DATASETS["withdraw_fee"].frame(rows), gaps)}


def _row(pair: tuple[int, str], said: tuple[Any, ...]) -> dict[str, object]:
    row: dict[str, object] = {"coin_id": pair[0], "chain": pair[1], "state": said[0]}
    if said[0] == "refused":
        return row | {"refusal_code": said[1]}
    return row | {"fee_amount": said[1], "fee_coin_id": said[2][0], "fee_coin": said[2][1]}


def _shown(said: tuple[Any, ...]) -> tuple[Any, ...]:
    if said[0] == "refused":
        return ("refused", said[1], None, None, None, None)
    return ("ok", None, None, said[1], *said[2])


@given(script=history, batched=st.booleans())
@settings(max_examples=12, deadline=None)
def test_any_history_is_reconstructed_exactly(
    empty_private: Path, script: list[Any], batched: bool
) -> None:
    """Gaps, refusals, partial, failed and skipped polls, vanishing and returning pairs: every
    snapshot of every poll comes back row for row, and verify finds the store whole.
    """
    model, polls = Model(), []
    for number, said in enumerate(script):
        at = datetime(2026, 5, 1, tzinfo=UTC) + timedelta(minutes=5 * number)
        poll_id = poll_id_at(at)
        outcome = said if isinstance(said, str) else "ok"
        error = ERRORS.get(outcome)
        model.silent(poll_id, error) if error else model.poll(poll_id, said)
        polls.append(
            Poll(
                poll_id,
                "fees",
                outcome,
                at,
                at,
                1,
                model.answers,
                writer="t",
                cadence_s=300,
                error_name=error,
            )
        )
    with TemporaryDirectory() as folder:
        warehouse = Warehouse(Path(folder), "test")
        warehouse.private.parent.mkdir(parents=True)
        shutil.copyfile(empty_private, warehouse.private)
        for batch in [polls] if batched else [[poll] for poll in polls]:
            warehouse.commit(batch)
        con = duckdb.connect(str(warehouse.private), read_only=True)
        found = con.execute(SNAPSHOT).fetchall()
        con.close()

        assert sorted(model.expected, key=repr) == sorted(found, key=repr)
        assert [finding for finding in verify(warehouse) if not finding.ok] == []


def test_an_unchanged_answer_leaves_no_row(
    warehouse: Warehouse, poll: Any, fee: Any, query: Any
) -> None:
    """A new inquiry id and another order of the same answers are no change."""
    warehouse.commit([poll(0, {pair: fee("0.5") for pair in PAIRS})])
    later = {p: fee("0.5", network_fee_inquiry_id=f"new {p}") for p in reversed(PAIRS)}
    (second,) = warehouse.commit([poll(5, later)])

    assert second.totals.changed == 0
    assert query("SELECT count(*) FROM store.withdraw_fee_span") == [(5,)]
    assert query(
        "SELECT network_fee_inquiry_id FROM store.withdraw_fee_current c"
        " JOIN store.withdraw_fee_entity e USING (entity_id) WHERE e.coin_id = 1 AND chain = 'ETH'"
    ) == [("new (1, 'ETH')",)]


def test_an_unanswered_pair_is_unknown_and_not_carried_over(
    warehouse: Warehouse, poll: Any, fee: Any, query: Any
) -> None:
    """One pair without an answer among others shows unknown with its reason and no amount."""
    warehouse.commit([poll(0, {(1, "ETH"): fee("0.5"), (1, "TRX"): fee("1")})])
    warehouse.commit([poll(5, {(1, "ETH"): fee("0.5")}, gaps={"deadline": [(1, "TRX")]})])

    rows = query("SELECT chain, state, fee_amount, unknown_reason FROM withdraw_fee_now ORDER BY 1")

    assert [("ETH", "ok", Decimal("0.5"), None), ("TRX", "unknown", None, "deadline")] == rows


def test_a_change_is_bounded_by_the_last_confirmation(
    warehouse: Warehouse, poll: Any, query: Any
) -> None:
    """A status changed after the last poll that confirmed the old one, not the last change."""
    for minute, state in ((0, "normal"), (5, "normal"), (10, "maintenance")):
        row = {("TRX",): {"state": state, "status_raw": state}}
        warehouse.commit([poll(minute, row, feed="chains", dataset="chain")])

    rows = query("SELECT started_after::VARCHAR, started_by::VARCHAR FROM chain_status_now")

    assert rows == [("2026-03-01 12:05:10+00", "2026-03-01 12:10:10+00")]


def test_another_value_in_the_same_state_moves_no_bounds(
    warehouse: Warehouse, poll: Any, query: Any
) -> None:
    """Confirmations, flags and another word for the same status are stored, and date nothing."""
    chain = {"state": "maintenance", "status_raw": "Maintenance", "confirmations": 10}
    changes = [
        {"state": "normal", "status_raw": "Normal", "confirmations": 10},
        chain,
        chain | {"confirmations": 12},
        chain | {"status_raw": "Maintain", "is_evm": True},
        chain | {"status_raw": "Maintain", "needs_memo": True},
    ]
    for number, values in enumerate(changes):
        warehouse.commit([poll(5 * number, {("TRX",): values}, feed="chains", dataset="chain")])

    rows = query(
        "SELECT status_raw, needs_memo, started_after::VARCHAR, started_by::VARCHAR,"
        " last_known_status_since::VARCHAR FROM chain_status_now"
    )

    bounds = ("2026-03-01 12:00:10+00", "2026-03-01 12:05:10+00", "2026-03-01 12:05:00+00")
    assert rows == [("Maintain", True, *bounds)]
    assert query("SELECT count(*) FROM store.chain_span") == [(5,)]
    assert [finding for finding in verify(warehouse) if not finding.ok] == []


def test_what_is_listed_later_began_after_the_good_poll_before(
    warehouse: Warehouse, poll: Any, query: Any
) -> None:
    """A chain of the first poll has no lower bound; a new one has, over failures and a gap."""
    as_chains = {"feed": "chains", "dataset": "chain"}
    old = {("A",): {"state": "normal", "status_raw": "Normal"}}
    new = {("B",): {"state": "normal", "status_raw": "Normal"}}
    warehouse.commit([poll(0, old, **as_chains), poll(5, old, **as_chains)])
    warehouse.commit([poll(10, None, **as_chains)])
    warehouse.commit([poll(15, old, gaps={"bad_value": [("B",)]}, **as_chains)])
    warehouse.commit([poll(20, old | new, **as_chains)])

    rows = query("SELECT chain, started_after::VARCHAR, started_by::VARCHAR FROM chain_status_now")

    assert sorted(rows) == [
        ("A", None, "2026-03-01 12:00:10+00"),
        ("B", "2026-03-01 12:05:10+00", "2026-03-01 12:20:10+00"),
    ]


@pytest.mark.parametrize("name", list(DATASETS))
def test_tables_have_the_columns_of_their_dataset(name: str, query: Any) -> None:
    """Migration and dataset agree about names and order of the columns."""
    dataset = DATASETS[name]

    def columns(table: str) -> list[str]:
        sql = (
            "SELECT column_name FROM duckdb_columns()"
            " WHERE schema_name = 'store' AND table_name = ? ORDER BY column_index"
        )
        return [column for (column,) in query(sql, f"{name}_{table}")]

    assert ["entity_id", "first_poll_id", *dataset.keys] == columns("entity")
    at_rest = [
        column
        for value, kind in dataset.values.items()
        for column in ([f"{value}_digits", f"{value}_scale"] if kind == AMOUNT else [value])
    ]
    ends = ["entity_id", "from_no", "to_no", "state", "unknown_reason"]
    large = [f"{value}_large" for value, kind in dataset.values.items() if kind == AMOUNT]
    assert [*ends, *at_rest, *large] == columns("stretch")
    bookkeeping = [
        *("changed_poll_id", "changed_after", "changed_by", "answered_poll_id", "answered_at"),
        *("confirmed_at", "known_state", "known_poll_id", "since_no", "unknown_reason"),
    ]
    assert ["entity_id", "state", *dataset.values, *dataset.extras, *bookkeeping] == columns(
        "current"
    )


def test_every_dataset_is_written_by_some_feed() -> None:
    """No dataset is left over."""
    assert set(DATASETS) == {name for names in FEED_DATASETS.values() for name in names}


@pytest.fixture
def missing(query: Any) -> Callable[[], list[Any]]:
    """The remembered non-existent pairs."""
    return lambda: query("SELECT coin_id, chain, refusal_code FROM store.missing_pair")


def test_a_pair_that_does_not_exist_is_remembered_until_a_list_changes(
    warehouse: Warehouse, poll: Any, missing: Any
) -> None:
    """13001 is remembered; a status change forgets nothing, a new chain forgets all."""
    refused = {"state": "refused", "refusal_code": 13001}
    chain = {"state": "normal", "status_raw": "Normal"}
    as_chains = {"feed": "chains", "dataset": "chain"}
    warehouse.commit([poll(0, {("ETH",): chain}, **as_chains)])
    warehouse.commit([poll(5, {(1, "ETH"): refused})])
    assert missing() == [(1, "ETH", 13001)]

    warehouse.commit([poll(6, {("ETH",): {**chain, "state": "maintenance"}}, **as_chains)])
    assert missing() == [(1, "ETH", 13001)]

    warehouse.commit([poll(7, {("ETH",): chain, ("NEW",): chain}, **as_chains)])
    assert missing() == []


def test_an_amount_that_does_not_fit_is_an_error_and_not_null() -> None:
    """Polars turns a decimal that overflows into null without a word; the frame does not."""
    row = {"coin_id": 1, "price_usd": Decimal(10) ** 20, "state": "ok"}

    with pytest.raises(ValueError, match="price_usd"):
        DATASETS["coin_price"].frame([row])
