"""Whether somebody pressed Ctrl-C, whatever the code in between did with the signal.

Owns the pipe that Python writes each signal's number into. Dagster turns an interrupt into a failed
run and goes on, and drops one that arrives between two steps. Called by polling.py.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager


class Interrupts:
    """What has arrived so far."""

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe
        self._seen = False

    @property
    def seen(self) -> bool:
        """Whether SIGINT or SIGTERM arrived."""
        try:
            numbers = os.read(self._pipe, 1024)
        except BlockingIOError:
            numbers = b""
        self._seen = self._seen or signal.SIGINT in numbers or signal.SIGTERM in numbers
        return self._seen


@contextmanager
def noted_interrupts() -> Iterator[Interrupts]:
    """Notes signals that this process handles; in the main thread only. Changes no handler."""
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    try:
        yield Interrupts(reader)
    finally:
        signal.set_wakeup_fd(before)
        os.close(reader)
        os.close(writer)
