import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from ccpay_io.errors import NothingPublished, WrongEnvironment
from pipelines.command.main import COMMANDS, SHOWN_LOGS, LazyGroup, guarded, with_debug

ROOT = Path(__file__).parents[3]
CANARY = "canary-3c1f77-secret"
LIGHT = ["query", "route", "importing", "watch", "doctor", "sandbox", "demo", "admin", "up"]


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    """The command's log handlers go with the test."""
    loggers = [logging.getLogger(name) for name in (None, *SHOWN_LOGS)]
    before = [(logger, list(logger.handlers), logger.level) for logger in loggers]
    yield
    for logger, handlers, level in before:
        logger.handlers[:] = handlers
        logger.setLevel(level)


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_explains_itself(ccpay_command, name: str) -> None:
    """--help shows what it does, and --debug is there."""
    shown = ccpay_command(name, "--help")
    assert shown.code == 0
    assert "--debug" in shown.out


@pytest.mark.parametrize("name", LIGHT)
def test_light_commands_do_without_dagster(name: str) -> None:
    """Dagster takes most of a second and 70 MB; these start without it."""
    code = (
        f"import sys, pipelines.command.{name}\n"
        "print([m for m in ('dagster', 'dagster_webserver') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_the_group_lists_every_command(ccpay_command) -> None:
    """What --help lists is what there is."""
    shown = ccpay_command("--help").out
    group = LazyGroup()
    for name in COMMANDS:
        assert f"\n  {name} " in shown
        command = group.get_command(click.Context(group), name)
        assert command is not None
        assert command.name == name


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("poll", "nonsense"),
        ("route",),
        ("query",),
        ("import",),
        ("import", "no-such-file.csv"),
        ("up", "--port", "x"),
    ],
    ids=" ".join,
)
def test_bad_input_is_two_lines_and_exit_2(ccpay_command, arguments: tuple[str, ...]) -> None:
    """One line says what is wrong, one what to do; no traceback."""
    done = ccpay_command(*arguments)
    assert done.code == 2
    assert len(done.err.splitlines()) == 2
    assert "--help" in done.err.splitlines()[1]


def test_bad_settings_exit_2(ccpay_command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of the credentials is a mistake, told before anything is tried; no value is shown."""
    monkeypatch.setenv("CCPAY_APP_SECRET", CANARY)
    done = ccpay_command("doctor")
    assert done.code == 2
    assert "CCPAY_APP_ID" in done.err
    assert CANARY not in done.out + done.err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NothingPublished("nothing yet", hint="poll first"), 1),
        (WrongEnvironment("other data", hint="another folder"), 2),
        (RuntimeError("a bug\nwith details"), 1),
        (KeyboardInterrupt(), 130),
    ],
    ids=lambda value: type(value).__name__,
)
def test_errors_have_exit_codes(error: BaseException, code: int) -> None:
    """2 for what the user gave, 1 for what went wrong, 130 for Ctrl-C."""

    def fail() -> int:
        raise error

    assert guarded(fail) == code


def test_tracebacks_only_with_debug(capfd: pytest.CaptureFixture[str]) -> None:
    """One line for people; everything for those who ask."""

    def fail() -> int:
        raise ZeroDivisionError("of all things")

    guarded(fail)
    short = capfd.readouterr().err
    guarded(fail, debug=True)
    long = capfd.readouterr().err
    assert "Traceback" not in short
    assert "Traceback" in long


@pytest.mark.parametrize("debug", [False, True])
def test_no_error_shows_a_secret(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, debug: bool
) -> None:
    """Whatever an error says, the secrets of the settings are not in what is printed."""
    monkeypatch.setenv("CCPAY_APP_ID", "an-app-id")
    monkeypatch.setenv("CCPAY_APP_SECRET", CANARY)

    def fail() -> int:
        raise RuntimeError(f"the server echoed {CANARY}")

    guarded(fail, debug=debug)
    assert CANARY not in capfd.readouterr().err


def test_debug_reaches_commands_of_groups() -> None:
    """`ccpay admin verify --debug` is understood too."""
    group = click.Group("g", commands={"c": click.Command("c")})
    with_debug(group)
    assert any("--debug" in p.opts for p in group.commands["c"].params)
