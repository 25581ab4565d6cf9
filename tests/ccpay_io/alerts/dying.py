"""Processes that poll or deliver and kill themselves at a step: what the kill tests start."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from alert_timeline import KeptFile, Timeline, live_settings
from killing import ended

from ccpay_io.alerts import deliver
from ccpay_io.feeds.poll import Poll
from ccpay_io.settings import Secret
from ccpay_io.store.writer import Warehouse

# In the order of a poll: `Warehouse.commit` names them.
STEPS = ("begin", "observations", "ledger", "alerts", "commit", "committed")


def play_and_die(root: Path, polls: Sequence[Poll], step: str) -> None:
    """Plays polls in a process of its own that is killed (-9) at a step of the last of them."""
    KeptFile.close_all()
    assert ended(_play, root, list(polls), step) == -signal.SIGKILL


def deliver_and_die(root: Path, url: str, at: datetime, point: int) -> bool:
    """Delivers in a process of its own that is killed (-9) at its n-th point; False: it had fewer.

    Points are each look at the clock (before a claim, between claim and sending, between sending
    and recording) and each commit.
    """
    KeptFile.close_all()
    exit_code = ended(_deliver, root, url, at, point)
    assert exit_code in (0, -signal.SIGKILL)
    return exit_code != 0


def _deliver(root: Path, url: str, at: datetime, point: int) -> None:
    left = [point]

    def reach_point() -> None:
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def now() -> datetime:
        reach_point()
        return at

    def on_step(name: str) -> None:
        if name == "commit":
            reach_point()

    settings = live_settings(root, alert_urls=(Secret(url),))
    deliver(Warehouse(root, settings.stamp, on_step=on_step), settings, now=now)


def _play(root: Path, polls: list[Poll], step: str) -> None:
    def die(name: str) -> None:
        if name == step:
            os.kill(os.getpid(), signal.SIGKILL)

    *before, last = polls
    if before:
        Timeline(live_settings(root)).commit(before)
    Timeline(live_settings(root), on_step=die).commit([last])
