"""Importing: all lines or none, once however often, and nothing is lost by a kill."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from killing import Step, kill_at

from ccpay_io.errors import ConfigError, NothingPublished
from ccpay_io.store.publication import newest_version
from ccpay_io.store.reading import connect_published
from ccpay_io.store.verify import verify
from ccpay_io.store.writer import Warehouse
from ccpay_io.withdrawals import Imported, import_withdrawals

GOOD = "W-1,2025-10-02T09:15:00+02:00,USDT,TRX,500,1.5,TRX"
PAID_IN_MATIC = "W-2,2025-10-03 10:00:00,1280,polygon,0.000000000000000001,0.1,matic"
WITHOUT_A_FEE = "W-3,2025-10-04 10:00:00,UsdT,TON,99999999999999999999.999999999999999999,,"


def _import(root: Path, file: Path, *, on_step: Step) -> None:
    import_withdrawals(Warehouse(root, "test", on_step=on_step), file)


def published_ids(warehouse: Warehouse) -> list[str]:
    """record_ids that readers see."""
    with connect_published(warehouse.root) as con:
        rows = con.execute("SELECT record_id FROM store.withdrawal ORDER BY 1").fetchall()
    return [record_id for (record_id,) in rows]


def test_a_file_is_stored_exactly_and_published(
    warehouse: Warehouse, file_of: Any, stored: Any
) -> None:
    """Amounts to the last of 18 decimals, moments in UTC, coins by id, chains as the API spells."""
    done = import_withdrawals(warehouse, file_of(GOOD, PAID_IN_MATIC, WITHOUT_A_FEE))

    assert done == Imported(3, 0, [])
    assert stored() == [
        ("W-1", datetime(2025, 10, 2, 7, 15, tzinfo=UTC), 1280, "TRX",
         Decimal(500), Decimal("1.5"), 1482),
        ("W-2", datetime(2025, 10, 3, 10, 0, tzinfo=UTC), 1280, "POLYGON",
         Decimal("0.000000000000000001"), Decimal("0.1"), 1600),
        ("W-3", datetime(2025, 10, 4, 10, 0, tzinfo=UTC), 1281, "TON",
         Decimal("99999999999999999999.999999999999999999"), None, None),
    ]  # fmt: skip
    assert stored("SELECT DISTINCT source_file FROM store.withdrawal") == [("withdrawals.csv",)]
    assert published_ids(warehouse) == ["W-1", "W-2", "W-3"]


def test_importing_again_changes_nothing(warehouse: Warehouse, file_of: Any, stored: Any) -> None:
    """The same file, the same lines in another file, spelt otherwise, or twice in one."""
    everything = "SELECT * FROM store.withdrawal ORDER BY 1"
    import_withdrawals(warehouse, file_of(GOOD))
    first = stored(everything)

    same = "W-1,2025-10-02 07:15:00Z,1280,trx,500.000,1.50,trx"
    again = import_withdrawals(warehouse, file_of(same, GOOD, name="another.csv"))

    assert (again.new, again.known) == (0, 2)
    assert stored(everything) == first
    longer = import_withdrawals(warehouse, file_of(GOOD, PAID_IN_MATIC))
    assert (longer.new, longer.known) == (1, 1)
    assert len(stored()) == 2


@pytest.mark.parametrize(
    ("line", "was"),
    [
        (GOOD.replace("500", "501"), "amount 500"),
        (GOOD.replace("USDT", "UsdT"), "coin_id 1280"),
        (GOOD.replace(",TRX,", ",TON,"), "chain TRX"),
        (GOOD.replace("09:15", "09:16"), "withdrawn_at 2025-10-02 07:15:00+00:00"),
        (GOOD.replace("1.5,TRX", ","), "fee_amount 1.5, fee_coin_id 1482"),
    ],
)
def test_a_record_that_comes_back_with_other_values_is_refused(
    warehouse: Warehouse, file_of: Any, stored: Any, line: str, was: str
) -> None:
    """Which of the two is right only the merchant knows; the earlier one stays."""
    import_withdrawals(warehouse, file_of(GOOD))

    with pytest.raises(ConfigError, match="nothing was imported") as refused:
        import_withdrawals(warehouse, file_of(PAID_IN_MATIC, line))

    assert f"line 3: record W-1 was imported with {was} before" in str(refused.value)
    assert [row[:1] for row in stored()] == [("W-1",)]


def test_a_record_that_is_twice_in_a_file_with_other_values_is_refused(
    warehouse: Warehouse, file_of: Any
) -> None:
    """The message names both lines."""
    with pytest.raises(ConfigError, match="line 4: record W-1 has amount 500 on line 2"):
        import_withdrawals(warehouse, file_of(GOOD, PAID_IN_MATIC, GOOD.replace("500", "5")))


def test_one_wrong_line_keeps_all_others_out(
    warehouse: Warehouse, file_of: Any, stored: Any
) -> None:
    """Nothing is stored or published; problems are told by line, the first 20 of them."""
    wrong = [GOOD.replace("W-1", f"X-{n}").replace("500", "abc") for n in range(30)]

    with pytest.raises(ConfigError) as refused:
        import_withdrawals(warehouse, file_of(PAID_IN_MATIC, *wrong))

    told = str(refused.value).splitlines()
    assert told[0] == "withdrawals.csv has 30 problems, nothing was imported"
    assert told[1] == "  line 3: amount 'abc' is not a number such as 1234.5"
    assert len(told) == 22
    assert told[-1] == "  and 10 more"
    assert stored() == []
    assert newest_version(warehouse.root) is None


def test_a_dry_run_says_the_same_and_stores_nothing(
    warehouse: Warehouse, file_of: Any, stored: Any
) -> None:
    """New and known are counted, problems are told, the warehouse and its publication stay."""
    import_withdrawals(warehouse, file_of(GOOD))
    version = newest_version(warehouse.root)

    done = import_withdrawals(warehouse, file_of(GOOD, PAID_IN_MATIC), dry_run=True)

    assert (done.new, done.known) == (1, 1)
    with pytest.raises(ConfigError, match="1 problem,"):
        import_withdrawals(warehouse, file_of(GOOD.replace("500", "x")), dry_run=True)
    assert len(stored()) == 1
    assert newest_version(warehouse.root) == version


def test_a_file_without_lines_imports_nothing(warehouse: Warehouse, file_of: Any) -> None:
    """A month without withdrawals is no error."""
    assert import_withdrawals(warehouse, file_of()) == Imported(0, 0, [])


@pytest.mark.parametrize("polled", [False, True])
def test_before_the_first_poll_there_is_nothing_to_check_against(
    tmp_path: Path, file_of: Any, polled: bool
) -> None:
    """It says what to run; where there is no warehouse none is made."""
    warehouse = Warehouse(tmp_path / "new", "test")
    if polled:
        warehouse.commit([])

    with pytest.raises(NothingPublished) as refused:
        import_withdrawals(warehouse, file_of(GOOD))

    assert "ccpay poll all" in refused.value.hint
    assert warehouse.root.exists() == polled


@pytest.mark.slow
@pytest.mark.parametrize(("step", "kept"), [("commit", 0), ("publish:copy", 2)])
def test_a_kill_leaves_the_whole_file_or_nothing_of_it(
    warehouse: Warehouse, file_of: Any, stored: Any, step: str, kept: int
) -> None:
    """Kill -9 just before the commit and just after it: repeating the import ends in the same."""
    file = file_of(GOOD, PAID_IN_MATIC)
    warehouse.publish(force=True)
    kill_at(step, _import, warehouse.root, file)
    assert published_ids(warehouse) == []
    assert [finding for finding in verify(warehouse) if not finding.ok] == []
    assert len(stored()) == kept

    done = import_withdrawals(warehouse, file)

    assert (done.new, done.known) == (2 - kept, kept)
    assert published_ids(warehouse) == ["W-1", "W-2"]
