"""Keeps the programs of `ccpay up` running, and ends them all.

Owns restarts, log files and the order of ending. Knows nothing of what the programs do. Called by
up.py.
"""

import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pipelines.command.processes import Guardian, alive, end_groups, start

# A program that keeps dying is tried less and less often; one that ran this long starts afresh.
FIRST_PAUSE_S, LONGEST_PAUSE_S, STEADY_S = 1.0, 60.0, 60.0
LARGEST_LOG = 5 * 1024 * 1024

Say = Callable[[str], None]


@dataclass
class Program:
    """One supervised program."""

    name: str
    arguments: Sequence[str]
    process: subprocess.Popen[bytes]
    started: float
    pause: float = FIRST_PAUSE_S
    due: float | None = field(default=None)


class Supervisor:
    """Starts programs, restarts those that die, ends all.

    Args:
        logs: folder of their log files.
        environment: of every program.
        say: told what happens.
    """

    def __init__(self, logs: Path, environment: Mapping[str, str], say: Say) -> None:
        self._logs = logs
        self._environment = environment
        self._say = say
        self._guardian = Guardian()
        self._programs: dict[str, Program] = {}
        self._started: list[subprocess.Popen[bytes]] = []
        self._groups: set[int] = set()
        logs.mkdir(parents=True, exist_ok=True)

    def run(self, arguments: Sequence[str], until: Callable[[], bool]) -> int | None:
        """Runs a program to its end, on our own terminal.

        Returns:
            Its exit code, or None when `until` became true first.
        """
        process = start(arguments, self._environment, None)
        self._remember(process)
        while process.poll() is None:
            if until():
                return None
            time.sleep(0.05)
        return process.returncode

    def keep(self, name: str, arguments: Sequence[str]) -> None:
        """Starts a program and keeps it running."""
        self._programs[name] = Program(name, arguments, self._launch(name, arguments), time.time())

    def tend(self) -> None:
        """Restarts what died, shortens logs; to be called a few times a second."""
        for program in self._programs.values():
            self._tend(program)
        self._collect()
        for group in [group for group in self._groups if not alive(group)]:
            self._groups.discard(group)
            self._guardian.forget(group)
        for log in self._logs.glob("*.log"):
            _shorten(log)

    def end(self, *, patience_s: float) -> None:
        """Ends everything, also what the programs started themselves."""
        self._programs.clear()
        end_groups(self._groups, patience_s, self._collect)
        for process in self._started:
            process.wait()
        self._guardian.close()

    def log_of(self, name: str) -> Path:
        """The log file of a program."""
        return self._logs / f"{name}.log"

    def _tend(self, program: Program) -> None:
        now = time.time()
        code = program.process.poll()
        if code is None:
            return
        if program.due is None:
            if now - program.started > STEADY_S:
                program.pause = FIRST_PAUSE_S
            program.due = now + program.pause
            self._say(
                f"{program.name} ended (exit code {code}), starts again in {program.pause:.0f} s;"
                f" see {self.log_of(program.name)}"
            )
        elif now >= program.due:
            program.process = self._launch(program.name, program.arguments)
            program.started, program.due = now, None
            program.pause = min(LONGEST_PAUSE_S, program.pause * 2)

    def _launch(self, name: str, arguments: Sequence[str]) -> subprocess.Popen[bytes]:
        # Appended to, so that shortening the file leaves no hole at its start.
        with self.log_of(name).open("ab") as log:
            process = start(arguments, self._environment, log)
        self._remember(process)
        return process

    def _collect(self) -> None:
        self._started = [process for process in self._started if process.poll() is None]

    def _remember(self, process: subprocess.Popen[bytes]) -> None:
        """A program leads the group of its own number."""
        self._started.append(process)
        self._groups.add(process.pid)
        self._guardian.watch(process.pid)


def _shorten(log: Path) -> None:
    """Moves a log that grew too large aside and goes on in place: its writer keeps it open."""
    if log.stat().st_size > LARGEST_LOG:
        log.with_suffix(".log.1").write_bytes(log.read_bytes())
        os.truncate(log, 0)
