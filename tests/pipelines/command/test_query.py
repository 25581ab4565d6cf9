import csv
import json
from io import StringIO
from pathlib import Path

import polars as pl
import pytest

pytestmark = pytest.mark.usefixtures("filled")


def test_json_has_exact_amounts_as_strings(ccpay_command) -> None:
    """Decimals are strings without padding zeros; other types are JSON's own."""
    done = ccpay_command(
        "query",
        "SELECT 1.50::DECIMAL(38, 18) AS a, 100::DECIMAL(38, 18) AS b, 1e-18::DECIMAL(38, 18) AS c,"
        " NULL AS d, 7 AS e, TIMESTAMPTZ '2026-11-23 10:02:00+00' AS f, 'x' AS e",
        "--format",
        "json",
    )
    assert json.loads(done.out) == [
        {
            "a": "1.5",
            "b": "100",
            "c": "0.000000000000000001",
            "d": None,
            "e": 7,
            "f": "2026-11-23T10:02:00+00:00",
            "e_1": "x",
        }
    ]


def test_csv_has_a_header_and_exact_amounts(ccpay_command) -> None:
    """What a spreadsheet opens."""
    done = ccpay_command("query", "SELECT 1 AS n, 0.25::DECIMAL(38, 18) AS d", "--format", "csv")
    assert list(csv.reader(StringIO(done.out))) == [["n", "d"], ["1", "0.25"]]


def test_parquet_keeps_types(ccpay_command, tmp_path: Path) -> None:
    """A file of exact decimals for other tools."""
    out = tmp_path / "fees.parquet"
    sql = "SELECT coin, chain, fee_amount FROM withdraw_fee_now"
    assert ccpay_command("query", sql, "--format", "parquet", "--out", str(out)).code == 0
    frame = pl.read_parquet(out)
    assert frame.schema["fee_amount"] == pl.Decimal(38, 18)
    assert len(frame) > 12


def test_a_table_shows_all_columns_when_piped(ccpay_command) -> None:
    """A pipe has no width, so nothing is cut or folded."""
    done = ccpay_command("query", "SELECT repeat('x', 300) AS wide, '[red]' AS brackets")
    assert "x" * 300 in done.out
    assert "[red]" in done.out


@pytest.mark.parametrize(
    "sql",
    [
        "DROP TABLE store.poll",
        "COPY (SELECT 1) TO 'here.csv'",
        "SELECT * FROM read_csv('ccpay.toml')",
        "ATTACH 'other.duckdb'",
        "SET enable_external_access = true",
        "SELEC 1",
        "",
        "-- nothing",
        "SELECT * FROM no_such_view",
    ],
)
def test_what_is_not_a_read_is_refused(ccpay_command, sql: str) -> None:
    """Nothing but the published data can be reached; the reason is one line, the exit code 2."""
    done = ccpay_command("query", sql)
    assert done.code == 2
    assert done.out == ""
    assert len(done.err.splitlines()) == 2


def test_parquet_needs_a_file(ccpay_command) -> None:
    """Binary data is not for terminals."""
    assert ccpay_command("query", "SELECT 1", "--format", "parquet").code == 2


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_failed_query_leaves_the_file_as_it_was(ccpay_command, tmp_path: Path, form: str) -> None:
    """Neither SQL that is refused at once nor a row that fails late costs yesterday's export."""
    out = tmp_path / "fees.out"
    out.write_text("yesterday's", "utf-8")
    late = "SELECT CAST(if(range = 9999, 'x', '1') AS INTEGER) FROM range(10000)"
    before = sorted(tmp_path.iterdir())
    for sql in ("SELEC 1", "SELECT nothing", late):
        assert ccpay_command("query", sql, "--format", form, "--out", str(out)).code == 2
        assert out.read_text("utf-8") == "yesterday's"
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_missing_folder_is_bad_input(ccpay_command, tmp_path: Path, form: str) -> None:
    """One line that names the file, one that says what to do."""
    out = tmp_path / "missing" / "fees"
    done = ccpay_command("query", "SELECT 1", "--format", form, "--out", str(out))
    assert done.code == 2
    assert len(done.err.splitlines()) == 2
    assert str(out) in done.err


def test_a_link_stays_a_link_and_the_mode_stays(ccpay_command, tmp_path: Path) -> None:
    """What others rely on of an existing file is kept."""
    real, link = tmp_path / "real.csv", tmp_path / "link.csv"
    real.touch(mode=0o640)
    link.symlink_to(real)
    assert ccpay_command("query", "SELECT 1 AS n", "--format", "csv", "--out", str(link)).code == 0
    assert link.is_symlink()
    assert real.read_text("utf-8") == "n\n1\n"
    assert real.stat().st_mode & 0o777 == 0o640


def test_a_device_is_written_to(ccpay_command) -> None:
    """`--out /dev/stdout` and pipes: there is nothing to replace."""
    done = ccpay_command("query", "SELECT 1 AS n", "--format", "csv", "--out", "/dev/null")
    assert done.code == 0
    assert Path("/dev/null").is_char_device()
