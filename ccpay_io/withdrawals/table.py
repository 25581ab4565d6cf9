"""A CSV file as numbered lines of named texts: encoding, delimiter, header, quoting.

Owns the form of the file and its column names. Does not know what the texts mean (lines.py).
Called by book.py. A file whose header cannot be used is refused at once; what is wrong further down
is told with its line, so that all of it can be corrected in one go.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from ccpay_io.errors import ConfigError, quoted

REQUIRED = ("record_id", "withdrawn_at", "coin", "chain", "amount")
# Both or neither: an amount without its coin says nothing.
FEE = ("fee_amount", "fee_coin")
COLUMNS = (*REQUIRED, *FEE)

_DELIMITERS = ",;"
_SEE_DOCS = "the first line names the columns: " + ", ".join(COLUMNS)


@dataclass(frozen=True)
class Line:
    """One line below the header.

    Attributes:
        number: of the line in the file; of its first line, where a quoted cell has several.
        fields: column -> text without surrounding space, "" where there is none.
        fault: why it has no fields; "" when it has.
    """

    number: int
    fields: Mapping[str, str]
    fault: str


@dataclass(frozen=True)
class Table:
    """A file.

    Attributes:
        lines: those with something in them, in the order of the file.
        ignored: names of columns that are not among `COLUMNS`.
    """

    lines: Sequence[Line]
    ignored: Sequence[str]


def read_table(file: Path) -> Table:
    """Reads a CSV file: UTF-8 with or without a byte order mark, commas or semicolons.

    Raises:
        ConfigError: it cannot be read, is not UTF-8, or its header lacks or repeats a column.
    """
    text = _text_of(file)
    delimiter = max(_DELIMITERS, key=text.partition("\n")[0].count)
    records = _records(text, delimiter)
    _, first, fault = next(records, (1, [], ""))
    if fault:
        raise ConfigError(f"{file.name}: line 1 is {fault}", hint=_SEE_DOCS)
    header = [name.lower() for name in first]
    _check_header(file.name, header)
    ignored = [name for name in header if name and name not in COLUMNS]
    return Table([_line(header, *record) for record in records if any(record[1:])], ignored)


def _text_of(file: Path) -> str:
    hint = "save it as CSV in UTF-8 (in Excel: CSV UTF-8) and import that file"
    try:
        content = file.read_bytes()
        return content.decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(
            f"{file} cannot be read: {error.strerror or error}", hint="name a file you may read"
        ) from None
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{file.name}: line {line} is not UTF-8 text", hint=hint) from None


def _check_header(file: str, header: Sequence[str]) -> None:
    """Refuses a header in which a column is missing, doubled, or misspelt and thus ignored."""
    for name in header:
        missing = [known for known in COLUMNS if known not in header]
        meant = [] if name in COLUMNS else get_close_matches(name, missing, 1, cutoff=0.85)
        if meant:
            raise ConfigError(
                f"{file}: there is no column {quoted(name, 40)!r}", hint=f"did you mean {meant[0]}?"
            )
    for name in COLUMNS:
        if header.count(name) > 1:
            raise ConfigError(f"{file} has the column {name} twice", hint="remove one of them")
    needed = COLUMNS if set(FEE) & set(header) else REQUIRED
    absent = [name for name in needed if name not in header]
    if absent:
        raise ConfigError(
            f"{file} has no column {', '.join(absent)}", hint=f"{_SEE_DOCS} (see docs/import.md)"
        )


def _records(text: str, delimiter: str) -> Iterator[tuple[int, list[str], str]]:
    """(line number, cells, what is wrong); after what is not CSV nothing can be told apart."""
    # newline="" leaves line ends to the csv module, as quoted cells may contain some.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        number = reader.line_num + 1
        try:
            cells = [cell.strip() for cell in next(reader)]
        except StopIteration:
            return
        except csv.Error as error:
            yield number, [], f"not CSV ({error}); nothing after it was checked"
            return
        yield number, cells if any(cells) else [], ""


def _line(header: Sequence[str], number: int, cells: Sequence[str], fault: str) -> Line:
    if not fault and len(cells) != len(header):
        fault = f"{len(cells)} cells where the header has {len(header)}"
    return Line(number, {} if fault else dict(zip(header, cells, strict=True)), fault)
