"""`ccpay up`: everything running, until Ctrl-C.

Owns which programs run, in what order they start, and what a newcomer is told. Supervision is
supervisor.py's. Imports no dagster: this process only watches the others.
"""

import os
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import NamedTuple

import click
from filelock import FileLock, Timeout
from rich.console import Console

from ccpay_io import sandbox
from ccpay_io.budget import Plan, longest_age_s, plan_of
from ccpay_io.errors import CcpayError, ConfigError
from ccpay_io.pacing import CEILING_RPS
from ccpay_io.settings import Settings, load_settings
from pipelines.command.output import stdout
from pipelines.command.route import example_routes, print_routes
from pipelines.command.supervisor import Supervisor
from pipelines.instance import prepare_home

PACKAGES = Path(__file__).parents[2]
START_TIMEOUT_S = 90.0
# Ctrl-C is over within ten seconds, also when a program does not listen.
END_PATIENCE_S = 7.0
PORT = click.IntRange(1, 65535)


class Ports(NamedTuple):
    """Where things are served, on 127.0.0.1."""

    dagster: int
    board: int


class Stop:
    """Remembers that somebody wants an end; a second time, that they want it now."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.patience_s = END_PATIENCE_S

    def listen(self) -> None:
        """Takes the signals, also where a shell started us with SIGINT ignored.

        Programs started later get the default handlers back with that: a handler is reset by exec,
        while "ignored" would be inherited and Dagster could then not be ended by signals.
        """
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._handle)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.asked.is_set():
            self.patience_s = 0.0
        self.asked.set()


@click.command("up")
@click.option("--port", type=PORT, default=3000, show_default=True, help="Dagster's.")
@click.option("--board-port", type=PORT, default=3080, show_default=True, help="The board's.")
def command(port: int, board_port: int) -> int:
    """Polls, watches, alerts, serves the board and Dagster on 127.0.0.1, until Ctrl-C."""
    ports = Ports(port, board_port)
    settings = load_settings()
    console = stdout()
    with _only_one(settings):
        _check_ports({"--port": port, "--board-port": board_port})
        _introduce(console, settings, ports)
        stop = Stop()
        stop.listen()
        return _run(console, settings, ports, stop)


def _run(console: Console, settings: Settings, ports: Ports, stop: Stop) -> int:
    home = prepare_home(settings.dagster_home)
    alerts = _Tail(settings.warehouse / "alerts.log")
    programs = Supervisor(settings.warehouse / "logs", _environment(home), console.print)
    try:
        with tempfile.TemporaryDirectory(prefix="ccpay-") as folder:
            code = _start(console, settings, programs, Path(folder), ports, stop)
            while code is None and not stop.asked.wait(0.25):
                programs.tend()
                for line in alerts.new_lines():
                    console.print(line, markup=False)
            if stop.asked.is_set():
                console.print("stopping")
            return code or 0
    finally:
        programs.end(patience_s=stop.patience_s)


def _start(
    console: Console,
    settings: Settings,
    programs: Supervisor,
    folder: Path,
    ports: Ports,
    stop: Stop,
) -> int | None:
    """Polls once, then starts everything; an exit code when there is nothing to run."""
    python = [sys.executable, "-m"]
    if settings.environment == "sandbox" and sandbox.locate(settings.warehouse) is None:
        programs.keep("sandbox", [*python, "pipelines.command.main", "sandbox", "--port", "0"])
        _wait(programs, stop, "sandbox", lambda: sandbox.locate(settings.warehouse) is not None)
    console.print("first poll; it takes a minute or two")
    code = programs.run([*python, "pipelines.command.first_poll"], stop.asked.is_set)
    if code == 2 or stop.asked.is_set():
        return code
    _answer(console, settings)
    programs.keep("board", [*python, "pipelines.command.serving", str(ports.board)])
    code_server = folder / "code.sock"
    workspace = _write_workspace(settings.dagster_home, code_server)
    programs.keep(
        "code",
        [
            *(*python, "dagster", "api", "grpc", "--socket", str(code_server)),
            *("--module-name", "pipelines.definitions", "--working-directory", str(PACKAGES)),
        ],
    )
    _wait(programs, stop, "code", lambda: _listens(code_server))
    programs.keep("daemon", [*python, "dagster._daemon", "run", "-w", str(workspace)])
    programs.keep(
        "webserver",
        [
            *(*python, "dagster_webserver", "-h", "127.0.0.1", "-p", str(ports.dagster)),
            *("-w", str(workspace)),
        ],
    )
    _wait(programs, stop, "webserver", lambda: _port_open(ports.dagster))
    _wait(programs, stop, "board", lambda: _port_open(ports.board))
    if not stop.asked.is_set():
        console.print(f"Board:         http://127.0.0.1:{ports.board}")
        console.print(f"Dagster is up: http://127.0.0.1:{ports.dagster}  (Ctrl-C ends everything)")
    return None


def _environment(home: Path) -> dict[str, str]:
    """The environment of the programs.

    Byte code is wanted, also where the environment says not to write it: every run would otherwise
    compile Dagster anew. The working directory is the user's, who may have a folder `pipelines` of
    their own, so it is kept off the import path.
    """
    inherited = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    path = os.pathsep.join(filter(None, [str(PACKAGES), inherited.get("PYTHONPATH")]))
    return {**inherited, "DAGSTER_HOME": str(home), "PYTHONPATH": path, "PYTHONSAFEPATH": "1"}


@contextmanager
def _only_one(settings: Settings) -> Iterator[None]:
    settings.dagster_home.mkdir(parents=True, exist_ok=True)
    lock = FileLock(settings.dagster_home / "up.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise CcpayError(
            f"`ccpay up` is running already on {settings.warehouse}",
            hint="use that one, or end it first",
        ) from None
    try:
        yield
    finally:
        lock.release()


def _check_ports(ports: dict[str, int]) -> None:
    """Fails before anything is polled if something could not be served; holds all at a time.

    Raises:
        ConfigError: a port is taken, by others or by an option before.
    """
    with ExitStack() as probes:
        for option, port in ports.items():
            probe = probes.enter_context(socket.socket())
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
                probe.listen()
            except OSError:
                hint = f"stop what uses it, or choose another with {option}"
                raise ConfigError(f"port {port} is in use", hint=hint) from None


def _introduce(console: Console, settings: Settings, ports: Ports) -> None:
    plan = plan_of(settings)
    if settings.environment == "sandbox":
        console.print("[yellow]sandbox: made-up data, no account needed[/yellow]")
    console.print(f"Requests:  {_requests(plan)}; {_budget(settings, plan)}")
    console.print(f"Ban risk:  {_risk(settings)}")
    console.print(f"Board:     http://127.0.0.1:{ports.board}")
    console.print(f"Dagster:   http://127.0.0.1:{ports.dagster}")
    console.print(
        f"Warehouse: {settings.lake or settings.warehouse / 'ccpay.duckdb'}", markup=False
    )


def _requests(plan: Plan) -> str:
    about = "about " if plan.estimated else ""
    fees = plan.per_feed["fees"]
    return f"{about}{plan.total:,} a day, {fees:,} of them for the fees of {plan.pairs:,} pairs"


def _budget(settings: Settings, plan: Plan) -> str:
    told = f"budget {settings.daily_budget:,} a day"
    if plan.total <= settings.daily_budget:
        return told
    minutes = longest_age_s(settings, plan, settings.daily_budget) / 60
    return (
        f"{told}, which does not reach: each fee is asked for every {minutes:,.0f} min at least,"
        " those that move more often"
    )


def _risk(settings: Settings) -> str:
    if settings.environment == "sandbox":
        return "none in the sandbox"
    pace = settings.max_rps or CEILING_RPS
    return (
        f"low: at most {pace:g} requests a second, slower at the first refusal (11004); all calls"
        " stop at 11014, before more harm is done"
    )


def _answer(console: Console, settings: Settings) -> None:
    """One real answer from the data that is there now."""
    try:
        routes, currency = example_routes(settings)
    except CcpayError as error:
        console.print(f"no answer yet: {error}", markup=False)
        return
    if routes:
        console.print(f"\nccpay route {routes[0].coin} 500 --fiat {currency}")
        print_routes(console, routes[:5], currency)
        console.print()


def _write_workspace(home: Path, code_server: Path) -> Path:
    """A workspace with our code server, which outlives the daemon's reloads every minute."""
    workspace = home / "workspace.yaml"
    workspace.write_text(
        f"load_from:\n  - grpc_server:\n      socket: {code_server}\n      location_name: ccpay\n",
        "utf-8",
    )
    return workspace


def _wait(programs: Supervisor, stop: Stop, name: str, ready: Callable[[], bool]) -> None:
    """Waits until a program serves.

    Raises:
        CcpayError: it does not, in time.
    """
    deadline = time.monotonic() + START_TIMEOUT_S
    while not ready():
        if stop.asked.wait(0.1):
            return
        programs.tend()
        if time.monotonic() > deadline:
            raise CcpayError(f"{name} does not start", hint=f"see {programs.log_of(name)}")


def _listens(address: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(address)) == 0


def _port_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class _Tail:
    """New whole lines of a file that may not exist yet."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = path.stat().st_size if path.exists() else 0

    def new_lines(self) -> list[str]:
        """Lines written since the last call."""
        if not self._path.exists() or self._path.stat().st_size <= self._read:
            return []
        with self._path.open("rb") as file:
            file.seek(self._read)
            whole = file.read().rpartition(b"\n")[0]
        self._read += len(whole) + 1 if whole else 0
        return whole.decode("utf-8", "replace").splitlines()
