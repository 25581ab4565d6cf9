"""The questions that the board asks: the files in warehouse/board.

Owns how one file serves two readers: the build asks for all coins at once, a person who opens the
SQL of a chart sees the question of that chart, to run as it is. Lines that only one of them needs
end in `-- all coins`, `-- one coin` or `-- one chain`. A question about `sample` has sample.sql in
front when it is shown; the build makes a table of it once. Values are literals for both: rows of a
query with bound parameters pass through Python one by one, ten times as slowly.

Called by answers.py.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from ccpay_io.store.schema import sql_folder

_ALL = re.compile(r" *-- all coins$", re.MULTILINE)
_ONE = re.compile(r" *-- one (?:coin|chain)$", re.MULTILINE)
_PARAMETER = re.compile(r"\$(\w+)")
_QUESTION = re.compile(r"^-- question: (.+)\n(?:-- .*\n)*")

# What the page fills in, by what is chosen there.
CHOSEN = frozenset({"coin", "chain", "amount"})


def asked(name: str, known: Mapping[str, object]) -> str:
    """The statement of a question for all coins.

    Args:
        name: of the question.
        known: values of its parameters: moments, time zones, numbers of pairs.
    """
    return _filled(_without(_ONE, _ALL, _text(name)), known).strip()


def shown(name: str, known: Mapping[str, object]) -> str:
    """The statement as people see and run it; `$coin` and the like are left for the page.

    Args:
        name: of the question.
        known: values of the other parameters.
    """
    text = _without(_ALL, _ONE, _text(name))
    found = _QUESTION.match(text)
    question, body = (found[1], text[found.end() :]) if found else ("", text)
    if re.search(r"\bFROM sample\b", body):
        sample = _QUESTION.sub("", _without(_ALL, _ONE, _text("sample"))).strip()
        rest = f",\n\n{body[5:]}" if body.startswith("WITH ") else f"\n\n{body}"
        indented = sample.replace("\n", "\n    ")
        body = f"WITH sample AS (\n    {indented}\n){rest}"
    return f"-- {question}\n{_filled(body, known).strip()}\n"


def _filled(sql: str, known: Mapping[str, object]) -> str:
    return _PARAMETER.sub(
        lambda name: name[0] if name[1] in CHOSEN else _literal(known[name[1]]), sql
    )


def _text(name: str) -> str:
    return (sql_folder() / "board" / f"{name}.sql").read_text("utf-8")


def _without(dropped: re.Pattern[str], kept: re.Pattern[str], text: str) -> str:
    lines = [line for line in text.splitlines() if not dropped.search(line)]
    return kept.sub("", "\n".join(lines)) + "\n"


def _literal(value: object) -> str:
    if isinstance(value, datetime):
        return f"TIMESTAMPTZ '{value.isoformat(sep=' ')}'"
    if isinstance(value, list):
        return f"{value}::BIGINT[]"
    return "'" + str(value).replace("'", "''") + "'"
