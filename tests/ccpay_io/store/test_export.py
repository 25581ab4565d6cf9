"""Files for spreadsheets: exact, whole, up to date, and never at the cost of a publication."""

from __future__ import annotations

import csv
import logging
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from killing import Step, kill_at

from ccpay_io.errors import NothingPublished
from ccpay_io.query import plain_decimal
from ccpay_io.store.datasets import AMOUNT
from ccpay_io.store.export import VIEWS, export, write_csv
from ccpay_io.store.publication import newest_version
from ccpay_io.store.reading import read
from ccpay_io.store.writer import Warehouse

pytestmark = pytest.mark.folder

SMALLEST, LARGEST = "0.000000000000000001", "99999999999999999999.999999999999999999"


def _publish(root: Path, *, on_step: Step) -> None:
    Warehouse(root, "test", on_step=on_step).publish(force=True)


@pytest.fixture
def told() -> Iterator[StringIO]:
    """What is logged about exports."""
    handler = logging.StreamHandler(StringIO())
    logging.getLogger("ccpay.export").addHandler(handler)
    yield handler.stream
    logging.getLogger("ccpay.export").removeHandler(handler)


def csv_rows(path: Path) -> list[dict[str, str]]:
    """The rows of an exported CSV file, as texts."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def fees_in(root: Path) -> tuple[list[str], list[str]]:
    """The fees of the exported files: as the CSV has them, as the Parquet file has them."""
    rows = csv_rows(root / "export" / "withdraw_fee_now.csv")
    frame = pl.read_parquet(root / "export" / "withdraw_fee_now.parquet")
    assert frame.schema["fee_amount"] == AMOUNT
    return [row["fee_amount"] for row in rows], [plain_decimal(fee) for fee in frame["fee_amount"]]


def test_each_publication_writes_the_files_anew(warehouse: Warehouse, poll: Any, fee: Any) -> None:
    """CSV and Parquet of each view, exact, with the columns of the view and when it was."""
    for minute, amount in enumerate(("1", SMALLEST, LARGEST, "100")):
        warehouse.commit([poll(minute, {(1, "ETH"): fee(amount)})])
        warehouse.publish(force=True)
        assert fees_in(warehouse.root) == ([amount], [amount])

    names = {path.name for path in (warehouse.root / "export").iterdir()} - {".lock"}
    assert names == {f"{view}.{kind}" for view in VIEWS for kind in ("csv", "parquet")}
    for view in VIEWS:
        frame = pl.read_parquet(warehouse.root / "export" / f"{view}.parquet")
        assert frame.columns == [*read(view, warehouse.root).columns, "exported_at"]
        assert frame.height == len(csv_rows(warehouse.root / "export" / f"{view}.csv"))


def test_a_csv_file_is_what_spreadsheets_and_programs_expect(tmp_path: Path) -> None:
    """A byte order mark, a header, plain decimals, ISO times in UTC, nothing for NULL."""
    moment = datetime(2026, 3, 1, 12, 0, 0, 250000, tzinfo=UTC)
    frame = pl.DataFrame(
        {
            "text": ['a,"b"', "Ünï", None],
            "amount": [Decimal("1.50"), Decimal(0), None],
            "count": [100, 0, None],
            "whole": [Decimal(100), Decimal(0), None],
            "at": [moment, moment.replace(microsecond=0), None],
            "flag": [True, False, None],
        },
        schema={
            "text": pl.String,
            "amount": AMOUNT,
            "count": pl.Int64,
            "whole": pl.Decimal(10, 0),
            "at": pl.Datetime("us", "UTC"),
            "flag": pl.Boolean,
        },
    )

    write_csv(frame, tmp_path / "file.csv")

    assert (tmp_path / "file.csv").read_bytes().decode("utf-8") == (
        "\ufefftext,amount,count,whole,at,flag\n"
        '"a,""b""",1.5,100,100,2026-03-01T12:00:00.250Z,true\n'
        "Ünï,0,0,0,2026-03-01T12:00:00Z,false\n"
        ",,,,,\n"
    )


@pytest.mark.parametrize("symbol", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_symbol_is_never_a_formula(tmp_path: Path, symbol: str) -> None:
    """Symbols are foreign text; a spreadsheet must not run them. Others stay as they are."""
    write_csv(pl.DataFrame({"coin": [symbol, "A=B", "1INCH"]}), tmp_path / "file.csv")

    found = [row["coin"] for row in csv_rows(tmp_path / "file.csv")]

    assert found == [f"'{symbol}", "A=B", "1INCH"]


def test_an_export_that_fails_costs_no_publication_and_is_told(
    warehouse: Warehouse, poll: Any, fee: Any, told: StringIO
) -> None:
    """One line says what is not up to date and why; the next publication mends it."""
    (warehouse.root / "export").write_text("not a folder", "utf-8")
    warehouse.commit([poll(0, {(1, "ETH"): fee("1")})])

    version = warehouse.publish(force=True)

    assert version == newest_version(warehouse.root)
    (said,) = told.getvalue().splitlines()
    assert "export is not up to date: " in said
    (warehouse.root / "export").unlink()
    warehouse.publish(force=True)
    assert fees_in(warehouse.root) == (["1"], ["1"])


def test_nothing_published_is_nothing_to_export(tmp_path: Path) -> None:
    """As for every reader."""
    with pytest.raises(NothingPublished):
        export(tmp_path)


def test_two_at_the_same_moment_both_leave_whole_files(
    warehouse: Warehouse, poll: Any, fee: Any
) -> None:
    """They wait for each other, not for the writers' lock; the newest publication is what stays."""
    warehouse.commit([poll(0, {(1, "ETH"): fee("1")})])
    warehouse.publish(force=True)
    threads = [threading.Thread(target=export, args=[warehouse.root]) for _ in range(3)]
    for thread in threads:
        thread.start()
    with warehouse.transaction():
        for thread in threads:
            thread.join(timeout=60)
    assert not any(thread.is_alive() for thread in threads)
    assert fees_in(warehouse.root) == (["1"], ["1"])


@pytest.mark.slow
@pytest.mark.parametrize("step", ["export:write", "export:replace"])
def test_a_kill_leaves_every_file_whole(
    warehouse: Warehouse, poll: Any, fee: Any, step: str
) -> None:
    """Kill -9 in an export: it was published, the files are the earlier ones, the next mends it."""
    warehouse.commit([poll(0, {(1, "ETH"): fee("1")})])
    warehouse.publish(force=True)
    warehouse.commit([poll(5, {(1, "ETH"): fee("2")})])
    kill_at(step, _publish, warehouse.root)
    assert read("withdraw_fee_now", warehouse.root)["fee_amount"].to_list() == [2]
    assert fees_in(warehouse.root) == (["1"], ["1"])

    warehouse.publish(force=True)

    assert fees_in(warehouse.root) == (["2"], ["2"])
    assert list((warehouse.root / "export").glob("*.tmp")) == []
