"""The form of a file: encodings, delimiters, quotes, headers, and the numbers of lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from ccpay_io.errors import ConfigError
from ccpay_io.withdrawals.table import read_table

HEADER = "record_id,withdrawn_at,coin,chain,amount"
LINE = "W-1,2026-03-01 12:00,USDT,TRX,5"


def read(tmp_path: Path, content: str | bytes) -> object:
    """The table of a file with this content."""
    path = tmp_path / "file.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_table(path)


@pytest.mark.parametrize(
    "content",
    [
        f"{HEADER}\n{LINE}\n",
        f"{HEADER}\n{LINE}",
        f"{HEADER}\r\n{LINE}\r\n",
        f"\ufeff{HEADER}\n{LINE}\n",
        f"{HEADER}\n{LINE}\n".replace(",", ";"),
        f"\ufeff{HEADER}\r\n{LINE}\r\n\r\n;;;;\r\n".replace(",", ";"),
        f"{HEADER}\n{LINE}\n".replace(",", " , "),
        f'{HEADER}\n"W-1","2026-03-01 12:00","USDT","TRX","5"\n',
        f"{HEADER.upper()}\n{LINE}\n",
    ],
    ids=["plain", "no end", "crlf", "bom", "semicolons", "Excel", "spaces", "quotes", "capitals"],
)
def test_the_same_table_in_every_usual_form(tmp_path: Path, content: str) -> None:
    """What Excel, a database or an editor writes is read alike; blank lines are none."""
    (line,) = read(tmp_path, content).lines

    assert (line.number, line.fault) == (2, "")
    assert line.fields["record_id"] == "W-1"
    assert line.fields["withdrawn_at"] == "2026-03-01 12:00"
    assert line.fields["amount"] == "5"


def test_lines_are_numbered_as_an_editor_numbers_them(tmp_path: Path) -> None:
    """Blank lines and line ends inside quotes count."""
    lines = f'{HEADER},note\n\n{LINE},"of\ntwo lines"\n{LINE},\n\n{LINE}\n'

    table = read(tmp_path, lines)

    assert [line.number for line in table.lines] == [3, 5, 7]
    assert [line.fault for line in table.lines] == ["", "", "5 cells where the header has 6"]
    assert table.ignored == ["note"]


def test_a_quote_that_is_never_closed_is_told_where_it_opens(tmp_path: Path) -> None:
    """It swallows the rest of the file, so the rest is not read as if nothing had happened."""
    table = read(tmp_path, f'{HEADER}\n{LINE}\n"W-2,5\n{LINE}\n')

    assert [line.number for line in table.lines] == [2, 3]
    assert "not CSV" in table.lines[1].fault


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "no column record_id"),
        (LINE, "no column record_id"),
        (f"{HEADER}\n".replace(",", "\t"), "no column record_id"),
        ("record_id,withdrawn_at,coin\n", "no column chain, amount"),
        (f"{HEADER},fee_amount\n", "no column fee_coin"),
        (f"{HEADER},fee_coin\n", "no column fee_amount"),
        (f"{HEADER},fee_amout\n", "no column 'fee_amout'.*did you mean fee_amount"),
        (f"{HEADER},fee amount,fee coin\n", "did you mean fee_amount"),
        (f"{HEADER},amount\n", "column amount twice"),
        (f'"{HEADER}\n', "line 1 is not CSV"),
        (f"{HEADER}\n{LINE}\nW-2,M\xfcller".encode("latin-1"), "line 3 is not UTF-8"),
        (HEADER.encode("utf-16"), "line 1 is not UTF-8"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_file_that_cannot_be_read_as_a_table_is_refused(
    tmp_path: Path, content: str | bytes, said: str
) -> None:
    """One line that says what is wrong with the header or the encoding, one what to do."""
    with pytest.raises(ConfigError) as refused:
        read(tmp_path, content)

    assert refused.value.hint
    text = f"{refused.value} {refused.value.hint}"
    assert all(part in text for part in said.split(".*"))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """The name is in the message."""
    with pytest.raises(ConfigError, match=r"nowhere\.csv cannot be read"):
        read_table(tmp_path / "nowhere.csv")
