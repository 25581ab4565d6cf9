"""Processes that kill themselves (-9) at a step of what they do: what the kill tests start.

Started from a fork server, which has everything imported already: a fresh interpreter takes longer
than most of what it is to die in.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from typing import Any

Step = Callable[[str], None]

_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(["ccpay_io.care.rebuild", "ccpay_io.alerts", "ccpay_io.withdrawals"])


def kill_at(step: str, act: Callable[..., object], *args: object, skip: int = 0) -> None:
    """Calls `act(*args, on_step=...)` in a process that must kill itself at this step.

    Args:
        step: the name of the step.
        act: a function that can be imported by its name.
        args: what it is called with, before `on_step`.
        skip: how often the step is passed before.
    """
    assert ended(act_and_die, step, act, args, skip) == -signal.SIGKILL, f"never came to {step}"


def ended(target: Callable[..., object], *args: object) -> int | None:
    """How a process ended that called this."""
    process = _SERVER.Process(target=target, args=args)
    process.start()
    process.join()
    return process.exitcode


def act_and_die(step: str, act: Callable[..., object], args: tuple[Any, ...], skip: int) -> None:
    """Calls `act(*args, on_step=...)` and kills this process at a step, if it comes to it."""
    left = [skip + 1]

    def die(name: str) -> None:
        left[0] -= name == step
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    act(*args, on_step=die)
