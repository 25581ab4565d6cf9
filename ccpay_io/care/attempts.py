"""Which polls a rebuild has to make again, and in which order.

Owns the list: from the ledger, in the order of its numbers, or, where there is no ledger any more,
from the raw files, in the order of their times of observation. Changes nothing. Called by
rebuild.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from ccpay_io.care.files import files_below
from ccpay_io.errors import WarehouseError
from ccpay_io.feeds.poll import Outcome, Poll, RawFile
from ccpay_io.feeds.replay import replay
from ccpay_io.store.raw import read_header, read_raw

Key = tuple[str, str, datetime]


@dataclass(frozen=True)
class Attempt:
    """A poll of the past.

    Attributes:
        poll_id: as in the ledger; without a ledger, as the raw file has it.
        key: (feed, writer, started_at), what tells one poll from all others.
        raw: its raw file; None when it has none.
        failed: the ledger's row of a poll without answers: all there is to know of it.
        in_ledger: whether the ledger gave the poll_id.
    """

    poll_id: int
    key: Key
    raw: RawFile | None
    failed: dict[str, Any] | None = None
    in_ledger: bool = True

    async def poll(self, root: Path) -> Poll:
        """The poll, as it was committed.

        Raises:
            WarehouseError: it had answers, and its raw file is damaged or of an earlier release.
        """
        try:
            return await self._replayed(root)
        except (OSError, ValueError, LookupError, WarehouseError) as error:
            if self.failed:
                return _without_answers(self.poll_id, self.failed, self.raw)
            name = self.raw.name if self.raw else self.poll_id
            raise WarehouseError(
                f"raw file {name} cannot be used: {error}; the warehouse is as it was",
                hint="name a backup that has this poll: `ccpay admin rebuild --from BACKUP`",
            ) from error

    async def _replayed(self, root: Path) -> Poll:
        if self.raw is None:
            raise LookupError("there is none")
        sha256, lines = read_raw(root, self.raw.name)
        if self.raw.sha256 not in ("", sha256):
            raise ValueError("its content is not what the ledger names")
        raw = RawFile(self.raw.name, sha256, self.raw.size)
        return replace(await replay(lines), poll_id=self.poll_id, raw=raw)


def of_ledger(con: duckdb.DuckDBPyConnection) -> list[Attempt]:
    """Every poll of the ledger, in the order in which they were committed."""
    found = con.execute("FROM store.ledger ORDER BY poll_no")
    names = [column[0] for column in found.description or ()]
    attempts = []
    while rows := found.fetchmany(10_000):
        attempts += [_of_row(dict(zip(names, row, strict=True))) for row in rows]
    return attempts


def of_raw_files(root: Path) -> list[Attempt]:
    """Every poll that has a raw file, in the order in which their last answers came.

    Raises:
        WarehouseError: a raw file cannot be read.
    """
    found = sorted(_headers(root), key=lambda pair: (pair[0]["observed_at"], pair[0]["poll_id"]))
    return [
        Attempt(header["poll_id"], _key_of(header), raw, in_ledger=False) for header, raw in found
    ]


def uncovered(root: Path, attempts: list[Attempt]) -> list[Attempt]:
    """The polls that had answers which no raw file has any more."""
    return [
        a for a in attempts if a.failed is None and not (a.raw is not None and _exists(root, a.raw))
    ]


def _of_row(row: dict[str, Any]) -> Attempt:
    has_raw = row["raw_name"] is not None
    return Attempt(
        row["poll_id"],
        (row["feed"], row["writer"], row["started_at"]),
        RawFile(row["raw_name"], row["raw_sha256"], row["raw_size"]) if has_raw else None,
        row if row["outcome"] in ("failed", "skipped") else None,
    )


def _without_answers(poll_id: int, row: dict[str, Any], raw: RawFile | None) -> Poll:
    outcome: Outcome = row["outcome"]
    return Poll(
        poll_id=poll_id,
        feed=row["feed"],
        outcome=outcome,
        started_at=row["started_at"],
        observed_at=row["observed_at"],
        requests=row["requests"],
        error_code=row["error_code"],
        error_name=row["error_name"],
        error_message=row["error_message"],
        writer=row["writer"],
        cadence_s=row["cadence_s"],
        content_hash=row["content_hash"],
        listed=row["listed_count"],
        raw=raw,
    )


def _headers(root: Path) -> Iterator[tuple[dict[str, Any], RawFile]]:
    for path in files_below(root / "raw"):
        name = path.relative_to(root / "raw").as_posix()
        try:
            yield read_header(root, name), RawFile(name, "", path.stat().st_size)
        except (OSError, ValueError) as error:
            raise WarehouseError(
                f"raw file {name} is damaged: {error}", hint="move it out of raw/ to do without it"
            ) from error


def _key_of(header: dict[str, Any]) -> Key:
    return header["feed"], header["writer"], datetime.fromisoformat(header["started_at"])


def _exists(root: Path, raw: RawFile) -> bool:
    return (root / "raw" / raw.name).exists()
