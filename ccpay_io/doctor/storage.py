"""Where the data lies: disk, warehouse, Dagster's own folder. Changes nothing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

from ccpay_io.doctor.finding import Finding
from ccpay_io.errors import CcpayError
from ccpay_io.feeds.session import open_warehouse
from ccpay_io.settings import Settings
from ccpay_io.store.publication import stable_path
from ccpay_io.store.reading import connect_published, newest

FREE_WARN_BYTES = 1024**3
# Runs are pruned by a schedule; a folder this large was not.
DAGSTER_WARN_BYTES = 2 * 1024**3


def look_at_storage(settings: Settings) -> Iterator[Finding]:
    """The findings about disk, warehouse and Dagster."""
    yield _disk(settings)
    yield from _warehouse(settings)
    yield _dagster(settings)


def _disk(settings: Settings) -> Finding:
    folder = settings.warehouse
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    text = f"{free / 1024**3:.1f} GB free at {settings.warehouse}"
    if not os.access(folder, os.W_OK):
        return Finding("wrong", "disk", f"{folder} cannot be written", "change its owner or mode")
    if free < FREE_WARN_BYTES:
        return Finding("warn", "disk", text, "free some; a full disk stops polling, loses nothing")
    return Finding("ok", "disk", text)


def _warehouse(settings: Settings) -> Iterator[Finding]:
    """Opens the writers' file as a poll would, and looks at what today's polls came to."""
    if newest(settings.place) is None:
        yield Finding("warn", "warehouse", "nothing published yet", "run `ccpay poll all`")
        return
    try:
        with open_warehouse(settings).transaction():
            pass
    except CcpayError as error:
        yield Finding("wrong", "warehouse", str(error), error.hint)
        return
    yield Finding("ok", "warehouse", _read_at(settings))
    with connect_published(settings.place) as con:
        rows = con.execute(
            "SELECT feed, ok + partial, failed, missed, top_api_code FROM poll_coverage"
            " WHERE day = today() ORDER BY feed"
        ).fetchall()
    for feed, good, failed, missed, code in rows:
        text = f"today {good} good, {failed} failed, {missed} missed"
        bad = failed > good
        why = f"; most often code {code}" if code else ""
        yield Finding(
            "warn" if bad else "ok",
            f"feed {feed}",
            text + (why if bad else ""),
            "SELECT * FROM poll_coverage says more" if bad else "",
        )


def _read_at(settings: Settings) -> str:
    """What people open in their tools."""
    return str(settings.lake or stable_path(settings.warehouse))


def _dagster(settings: Settings) -> Finding:
    home = settings.dagster_home
    if not home.is_dir():
        return Finding("ok", "Dagster", "has not run yet", "`ccpay up` starts it")
    size = sum(path.stat().st_size for path in home.rglob("*") if path.is_file())
    text = f"{home}, {size / 1024**2:.0f} MB"
    if size > DAGSTER_WARN_BYTES:
        step = "let `ccpay up` run, which prunes old runs, or lower dagster_run_days in ccpay.toml"
        return Finding("warn", "Dagster", text, step)
    return Finding("ok", "Dagster", text)
