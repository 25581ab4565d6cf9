"""Ctrl-C or a terminated run ends a poll by cancelling it, so that everything it opened is closed.

Owns the signal handlers while a poll runs. Called by polling.py.
"""

import asyncio
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import dagster as dg


@contextmanager
def cancelled_by_signals() -> Iterator[None]:
    """Cancels the running task at the first SIGINT or SIGTERM; at the second, Dagster's way.

    Dagster's own handler raises in whatever line is running, and abandons the task: connections
    stay open, and within a callback of the event loop the exception is only logged.

    Raises:
        dg.DagsterExecutionInterruptedError: the task was cancelled by a signal.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    arrived: list[int] = []

    def stop(number: int, frame: FrameType | None) -> None:
        arrived.append(number)
        loop.call_soon_threadsafe(task.cancel)
        for each, handler in before.items():
            signal.signal(each, handler)

    for number in before:
        signal.signal(number, stop)
    try:
        yield
    except asyncio.CancelledError:
        if arrived:
            raise dg.DagsterExecutionInterruptedError from None
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
