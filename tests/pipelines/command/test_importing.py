import re
from pathlib import Path

import pytest

from ccpay_io.settings import Settings
from ccpay_io.store.reading import connect_published

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "import.md").read_text("utf-8")
HEADER = "record_id,withdrawn_at,coin,chain,amount\n"


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """The file of the documentation."""
    found = re.search(r"```csv\n(.*?)```", PAGE, re.DOTALL)
    assert found
    path = tmp_path / "withdrawals.csv"
    path.write_text(found[1], "utf-8")
    return path


def imported(settings: Settings) -> int:
    """How many withdrawals readers see."""
    with connect_published(settings.warehouse) as con:
        ((count,),) = con.execute("SELECT count(*) FROM store.withdrawal").fetchall()
    return int(count)


def test_the_documented_example_does_what_the_page_says(
    ccpay_command, filled: Settings, example: Path
) -> None:
    """Its commands, in their order, print its lines; a third finds everything there already."""
    commands = re.findall(r"^    ccpay (import withdrawals.*)$", PAGE, re.MULTILINE)
    said = re.findall(r"^    (withdrawals\.csv: .*)$", PAGE, re.MULTILINE)
    assert len(commands) == len(said) == 2
    for command, line in zip(commands, said, strict=True):
        done = ccpay_command(*command.replace("withdrawals.csv", str(example)).split())
        assert (done.code, done.out) == (0, f"{line}\n")
    assert imported(filled) == 3
    again = ccpay_command("import", str(example))
    assert again.out == "withdrawals.csv: 0 imported, 3 already there\n"
    assert imported(filled) == 3


def test_the_documented_refusal_is_what_is_printed(
    ccpay_command, filled: Settings, tmp_path: Path
) -> None:
    """Exit code 2, one line for each problem with its number, and what to do."""
    lines = ["a,2025-10-02 08:00,USDT,TRX,1", "b,2025-10-02 08:00,USDT,TRX,abc"]
    lines.append("c,2025-10-02 08:00,USDT,Tron,1")
    (tmp_path / "withdrawals.csv").write_text(HEADER + "\n".join(lines), "utf-8")

    done = ccpay_command("import", str(tmp_path / "withdrawals.csv"))

    assert done.code == 2
    assert done.out == ""
    assert [f"    {line}" in PAGE for line in done.err.splitlines()] == [True] * 4


def test_ignored_columns_are_named(ccpay_command, filled: Settings, tmp_path: Path) -> None:
    """What the merchant may have meant to be imported is not dropped in silence."""
    file = tmp_path / "more.csv"
    file.write_text(f"txid,{HEADER}x,a,2025-10-02 08:00,USDT,TRX,1\n", "utf-8")
    done = ccpay_command("import", str(file), "--dry-run")
    assert done.code == 0
    assert "ignored columns: txid" in done.err


def test_before_the_first_poll_it_says_what_to_do(ccpay_command, example: Path) -> None:
    """That is no fault of the file: exit code 1, and nothing is made."""
    done = ccpay_command("import", str(example))
    assert done.code == 1
    assert "ccpay poll all" in done.err
    assert not (example.parent / "data").exists()
