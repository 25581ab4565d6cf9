"""Process groups: starting children so that they can be ended whole, and ending them.

Owns the guardian: a tiny process that outlives its starter just long enough to end the groups it
was told of. It is what keeps `kill -9` of `ccpay up` from leaving a daemon behind. Standard library
only: the guardian runs this file alone, without site-packages.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import IO

PATIENCE_S = 7.0


def alive(group: int) -> bool:
    """Whether a process group still has a member."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        # macOS says so of a group that has only zombies left.
        return False
    return True


def end_groups(
    groups: Iterable[int],
    patience_s: float = PATIENCE_S,
    collect: Callable[[], object] = lambda: None,
) -> None:
    """Asks process groups to end, and ends those that have not after `patience_s` seconds.

    Args:
        collect: collects children of this process that ended: as zombies they would keep their
            group alive.
    """
    left = {group for group in groups if _signal(group, signal.SIGTERM)}
    deadline = time.monotonic() + patience_s
    while left and time.monotonic() < deadline:
        time.sleep(0.05)
        collect()
        left = {group for group in left if alive(group)}
    for group in left:
        _signal(group, signal.SIGKILL)


def _signal(group: int, number: int) -> bool:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


class Guardian:
    """Ends all process groups that it was told of when this process is gone, however it went."""

    def __init__(self) -> None:
        end, self._pipe = os.pipe()
        self._process = subprocess.Popen(  # noqa: S603 - this very file
            [sys.executable, "-I", "-S", __file__], stdin=end, start_new_session=True
        )
        os.close(end)

    def watch(self, group: int) -> None:
        """From now on this group is ended with us."""
        self._say(f"+{group}")

    def forget(self, group: int) -> None:
        """This group has no members left; its number may be given to others."""
        self._say(f"-{group}")

    def close(self) -> None:
        """Ends the guardian, and first what is left of the groups."""
        os.close(self._pipe)
        self._process.wait()

    def _say(self, line: str) -> None:
        os.write(self._pipe, f"{line}\n".encode())


def start(
    arguments: Sequence[str], environment: Mapping[str, str], output: IO[bytes] | None
) -> subprocess.Popen[bytes]:
    """Starts a program in a session of its own, out of reach of the terminal's Ctrl-C.

    Args:
        arguments: program and arguments.
        environment: all of its environment.
        output: where stdout and stderr go; None: where ours go.
    """
    return subprocess.Popen(  # noqa: S603 - only this project's own programs
        list(arguments),
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT if output else None,
        start_new_session=True,
    )


def _guard(lines: Iterable[str]) -> None:
    """The guardian's life: remembers groups until the pipe closes, then ends them."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: set[int] = set()
    for line in lines:
        change = groups.add if line[0] == "+" else groups.discard
        change(int(line[1:]))
    end_groups(groups)


if __name__ == "__main__":
    _guard(sys.stdin)
