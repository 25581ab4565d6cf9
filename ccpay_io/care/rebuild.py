"""`rebuild`: the writers' file anew, from raw answers, through the ordinary write path.

Owns the order of the work: make every poll again in a folder of its own, verify, then, under the
writers' lock, make the polls that came meanwhile, carry over what no poll writes, and put the new
file in the place of the old one. Nothing is lost in silence: polls that neither raw answers nor the
backup have stop it, and so does a verify that is not clean. Called by `ccpay admin rebuild`.

    <root>/rebuild/                          the work; gone afterwards
    <root>/private/before-rebuild.duckdb     the file that was replaced, until the next rebuild

A kill at any moment leaves the old file or the new one in place, whole.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from ccpay_io.care.attempts import Attempt, Key, of_ledger, of_raw_files, uncovered
from ccpay_io.care.base import start_from
from ccpay_io.care.carrying import Carried, carry_over
from ccpay_io.care.files import Progress, Step, disk_errors, workshop
from ccpay_io.errors import NothingPublished, WarehouseError
from ccpay_io.feeds.poll import Poll
from ccpay_io.store.durable import fsync_path
from ccpay_io.store.verify import verify
from ccpay_io.store.writer import Warehouse

BATCH = 48
_KEPT = "the warehouse is as it was"


@dataclass(frozen=True)
class Rebuilt:
    """What the new file was made of.

    Attributes:
        from_backup: polls that were in the backup.
        made_again: polls made from raw answers, or from the ledger where they had no answers.
        carried: what the old file gave; None when there was none.
    """

    from_backup: int
    made_again: int
    carried: Carried | None


def rebuild(
    warehouse: Warehouse,
    *,
    backup: Path | None = None,
    on_progress: Progress = lambda done, total: None,
    on_step: Step = lambda name: None,
) -> Rebuilt:
    """Replaces the writers' file by one made from raw answers.

    Args:
        backup: where the history comes from that is older than the raw answers.
        on_progress: called with (polls made, polls to make).
        on_step: told the name of each step just before it is taken.

    Raises:
        NothingPublished: there is nothing to rebuild from.
        WarehouseError: something would be lost, is damaged, or the disk is full or read-only; the
            warehouse is as it was.
        ConfigError: another rebuild is at work.
    """
    had_ledger = warehouse.private.exists()
    if not (had_ledger or (warehouse.root / "raw").exists()):
        raise NothingPublished(
            f"there is nothing in {warehouse.root} to rebuild from",
            hint="put raw/ back, or restore a backup with `ccpay admin restore`",
        )
    work = Warehouse(warehouse.root / "rebuild", warehouse.stamp, on_step=on_step)
    with disk_errors(warehouse.root, kept=_KEPT), workshop(work.root, "rebuild"):
        on_step("rebuild:begin")
        done = start_from(backup, warehouse, work)
        from_backup = len(done)
        todo = [attempt for attempt in _attempts(warehouse) if attempt.key not in done]
        _refuse_losses(warehouse, todo)
        on_step("rebuild:replay")
        _make(warehouse, work, todo, on_progress)
        on_step("rebuild:verify")
        _verify(work)
        done.update(attempt.key for attempt in todo)
        with warehouse.settled(), disk_errors(warehouse.root, kept=_KEPT):
            on_step("rebuild:carry")
            later, carried = _catch_up(warehouse, work, done, had_ledger=had_ledger)
            on_step("rebuild:swap")
            _swap(work, warehouse.private)
    on_step("rebuild:publish")
    warehouse.publish(force=True)
    return Rebuilt(from_backup, len(todo) + later, carried)


def _attempts(warehouse: Warehouse) -> list[Attempt]:
    """The polls of the ledger; where there is none, of the raw files."""
    if not warehouse.private.exists():
        return of_raw_files(warehouse.root)
    try:
        with warehouse.transaction() as con:
            return of_ledger(con)
    except WarehouseError as error:
        if not isinstance(error.__cause__, duckdb.Error):
            raise
        path = warehouse.private
        raise WarehouseError(
            f"the writers' file cannot be read: {error}",
            hint=f"to do without it, alerts and imported withdrawals too: mv {path} {path}.damaged",
        ) from error


def _refuse_losses(warehouse: Warehouse, todo: list[Attempt]) -> None:
    lost = uncovered(warehouse.root, todo)
    if not lost:
        return
    times = sorted(attempt.key[2] for attempt in lost)
    raise WarehouseError(
        f"a rebuild would lose polls ({len(lost)}, from {times[0]:%Y-%m-%d %H:%M} to"
        f" {times[-1]:%Y-%m-%d %H:%M} UTC): their raw answers are gone",
        hint="name a backup that has them: `ccpay admin rebuild --from BACKUP`",
    )


def _make(
    warehouse: Warehouse, work: Warehouse, todo: Sequence[Attempt], on_progress: Progress
) -> None:
    """Commits the polls to the new file, in batches of whole polls."""
    for start in range(0, len(todo), BATCH):
        batch = todo[start : start + BATCH]
        committed = work.commit(asyncio.run(_polls(warehouse.root, batch)))
        for attempt, found in zip(batch, committed, strict=True):
            if attempt.in_ledger and found.poll_id != attempt.poll_id:
                raise WarehouseError(
                    f"poll {attempt.poll_id} does not fit behind those before it; {_KEPT}",
                    hint="name a backup of this warehouse, if you named one",
                )
        on_progress(start + len(batch), len(todo))


async def _polls(root: Path, batch: Sequence[Attempt]) -> list[Poll]:
    return [await attempt.poll(root) for attempt in batch]


def _verify(work: Warehouse) -> None:
    wrong = [finding for finding in verify(work) if not finding.ok]
    if wrong:
        raise WarehouseError(
            f"the rebuilt file is not whole ({wrong[0].what}: {wrong[0].detail}); {_KEPT}",
            hint="please report this as a bug; restore a backup meanwhile",
        )


def _catch_up(
    warehouse: Warehouse, work: Warehouse, done: set[Key], *, had_ledger: bool
) -> tuple[int, Carried | None]:
    """Under the lock: the polls that were committed meanwhile, and what no poll writes."""
    if not warehouse.private.exists():
        return 0, None
    if not had_ledger:
        raise WarehouseError(
            f"somebody began another warehouse in {warehouse.root}",
            hint=f"stop `ccpay up` and Dagster, move {warehouse.private} away, then try again",
        )
    con = duckdb.connect(str(warehouse.private), read_only=True)
    try:
        con.execute("SET TimeZone = 'UTC'")
        later = [attempt for attempt in of_ledger(con) if attempt.key not in done]
    finally:
        con.close()
    if later:
        _make(warehouse, work, later, lambda done, total: None)
        _verify(work)
    return len(later), carry_over(warehouse.private, work)


def _swap(work: Warehouse, private: Path) -> None:
    """Puts the new file in the place of the old one, which stays under another name."""
    with work.settled():
        fsync_path(work.private)
        if private.exists():
            before = private.with_name("before-rebuild.duckdb")
            before.unlink(missing_ok=True)
            os.link(private, before)
        # The log of a file that is no more would be replayed into this one.
        private.with_name(private.name + ".wal").unlink(missing_ok=True)
        os.replace(work.private, private)
        fsync_path(private.parent)
