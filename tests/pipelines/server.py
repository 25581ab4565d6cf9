"""The programs of deploy/systemd on a real PostgreSQL, kept running by the rules of their units."""

import configparser
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread

from postgres import Postgres

DEPLOY = Path(__file__).parents[2] / "deploy"


class Unit:
    """One service: restarted when it ends, as `Restart=always` says, after all of its group.

    Args:
        name: of the unit.
        places: path in the unit -> path here.
        environment: of the process.
        log: where it writes.
    """

    def __init__(
        self, name: str, places: Mapping[str, str], environment: Mapping[str, str], log: Path
    ) -> None:
        parser = configparser.ConfigParser(strict=False, interpolation=None)
        parser.optionxform = str  # type: ignore[assignment, method-assign]
        parser.read(DEPLOY / "systemd" / f"{name}.service")
        service = parser["Service"]
        command = service["ExecStart"]
        for there, here in places.items():
            command = command.replace(there, here)
        self._command = command
        self._pause = float(service["RestartSec"])
        self._environment, self._log = environment, log
        self._stop = Event()
        self.starts = 0

    def start(self) -> None:
        """Starts it and whoever keeps it."""
        self._stop.clear()
        self._launch()
        self._keeper = Thread(target=self._keep)
        self._keeper.start()

    def run_instead(self, what: str, other: str) -> None:
        """Has another program in its command from the next start on."""
        assert what in self._command
        self._command = self._command.replace(what, other)

    def kill(self) -> None:
        """Kill -9 of the main process; its keeper does the rest."""
        self.process.kill()

    def cut_off(self) -> None:
        """What a power failure does: everything is gone at once, and nobody restarts it."""
        self._stop.set()
        self._end_group(signal.SIGKILL)
        self._keeper.join()

    def _launch(self) -> None:
        self.starts += 1
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                shlex.split(self._command),
                env=dict(self._environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _keep(self) -> None:
        while not self._stop.wait(0.1):
            if self.process.poll() is not None:
                # KillMode=control-group: what the main process started does not outlive it.
                self._end_group(signal.SIGTERM)
                if not self._stop.wait(self._pause):
                    self._launch()
        self.process.wait()

    def _end_group(self, number: int) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)


class Server:
    """A machine with all of it.

    Attributes:
        units: name -> service.
        home: DAGSTER_HOME.
        logs: folder of what they write.
    """

    def __init__(self, folder: Path, postgres: Postgres, account: Mapping[str, str]) -> None:
        self.postgres = postgres
        self.home, self.logs, run = folder / "dagster", folder / "logs", folder / "run"
        for place in (self.home, self.logs, run):
            place.mkdir(exist_ok=True)
        (self.home / "dagster.yaml").write_text((DEPLOY / "dagster.yaml").read_text("utf-8"))
        workspace = folder / "workspace.yaml"
        given = (DEPLOY / "workspace.yaml").read_text("utf-8")
        workspace.write_text(given.replace("/run/ccpay", str(run)))
        places = {
            "/opt/ccpay/venv/bin": str(Path(sys.executable).parent),
            "/opt/ccpay/workspace.yaml": str(workspace),
            "/run/ccpay": str(run),
        }
        # As in the units, only the code server has the account.
        bare = {k: v for k, v in os.environ.items() if not k.startswith("CCPAY_")}
        bare |= {**postgres.environment, "DAGSTER_HOME": str(self.home)}
        bare |= {"PYTHONPATH": str(DEPLOY.parent)}
        bare.pop("PYTHONDONTWRITEBYTECODE", None)
        self.socket = run / "code.sock"
        self.units = {
            name: Unit(
                f"ccpay-{name}",
                places,
                {**bare, **account} if name == "code" else bare,
                self.logs / f"{name}.log",
            )
            for name in ("code", "daemon")
        }

    def boot(self) -> None:
        """PostgreSQL, the code server, and when that listens, the daemon."""
        self.postgres.start()
        self.units["code"].start()
        wait_until(self.socket.exists, 120)
        self.units["daemon"].start()

    def power_off(self) -> None:
        """Everything is killed at the same moment."""
        for unit in self.units.values():
            unit.cut_off()
        for pid in self.processes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.postgres.stop()

    def processes(self) -> list[int]:
        """Processes of this server, by what their environment says."""
        mark = f"DAGSTER_HOME={self.home}".encode()
        found = []
        for entry in Path("/proc").iterdir():
            with suppress(OSError):
                if not entry.name.isdecimal() or int(entry.name) == os.getpid():
                    continue
                mine = mark in (entry / "environ").read_bytes().split(b"\0")
                # A zombie has no command line.
                if mine and (entry / "cmdline").read_bytes():
                    found.append(int(entry.name))
        return found


def wait_until(what: Callable[[], object], seconds: float) -> float:
    """Waits until it is so; how many seconds that took."""
    begun = time.monotonic()
    while not what():
        assert time.monotonic() - begun < seconds, f"not within {seconds} s"
        time.sleep(0.2)
    return time.monotonic() - begun


@contextmanager
def running(server: Server) -> Iterator[Server]:
    """A server that has booted; nothing of it is left afterwards."""
    try:
        server.boot()
        yield server
    finally:
        server.power_off()
