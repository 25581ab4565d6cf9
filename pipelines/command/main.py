"""The group `ccpay`: finds the sub-command, and turns every error into one line and an exit code.

Owns exit codes (2: bad input or settings, 1: other failures), --debug, and that nothing secret is
printed. The sub-commands raise; they do not print errors. Called by the console script.
"""

import importlib
import logging
import os
import sys
import traceback
from collections.abc import Callable, Sequence

import click

from ccpay_io.errors import CcpayError, ConfigError, QueryRefused, WrongEnvironment
from ccpay_io.redaction import RedactingFilter, Redactor
from ccpay_io.settings import load_settings
from pipelines.retries import log_retries_quietly

# sub-command -> its module and the line that the group's help shows.
COMMANDS = {
    "up": "everything running: polls, alerts, Dagster; until Ctrl-C",
    "poll": "one poll of some or all feeds, through the Dagster assets",
    "watch": "the chain watch and alert delivery, without Dagster",
    "query": "SQL on the published warehouse",
    "route": "the cheapest chain to pay a coin out on, now",
    "board": "a page with status and fees at a glance; prints its path",
    "import": "a CSV of your withdrawals, for what they really cost",
    "alerts": "what is open; silences, acknowledgements, a test",
    "doctor": "what is wrong, and what to do about it",
    "sandbox": "a CCPayment server on this machine, for trying and testing",
    "metrics": "figures for Prometheus and a health check, on this machine",
    "demo": "a made-up history to look around in",
    "admin": "care of the warehouse",
}

# A module cannot be called as a word of Python's own.
MODULES = {"import": "importing"}

# Alerts, and files for spreadsheets that could not be written.
SHOWN_LOGS = ("ccpay.alerts", "ccpay.export")

INTERRUPTED = 130


class LazyGroup(click.Group):
    """A group that imports a sub-command only when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All sub-commands, in the order of a first day with them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The sub-command, with --debug added to it and to what is below it."""
        if cmd_name not in COMMANDS:
            return None
        name = MODULES.get(cmd_name, cmd_name)
        module = importlib.import_module(f"pipelines.command.{name}")
        return with_debug(module.command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """One line for each, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def _debug_option() -> click.Option:
    return click.Option(
        ["--debug"],
        is_flag=True,
        expose_value=False,
        help="Show tracebacks and the log.",
    )


def with_debug(command: click.Command) -> click.Command:
    """Gives a command, and a group's sub-commands, the option --debug."""
    if not any("--debug" in parameter.opts for parameter in command.params):
        command.params.append(_debug_option())
    if isinstance(command, click.Group):
        for child in command.commands.values():
            with_debug(child)
    return command


@click.group(
    cls=LazyGroup,
    params=[_debug_option()],
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Settings come from the environment, .env and ccpay.toml; see .env.example.",
)
@click.version_option(package_name="ccpay-warehouse", prog_name="ccpay")
def cli() -> None:
    """The history of CCPayment's withdrawal fees, chain statuses and rates. Read-only."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command.

    Args:
        arguments: instead of the process's own.

    Returns:
        The exit code.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)

    def run() -> int:
        _set_up_logging(debug="--debug" in given)
        with cli.make_context("ccpay", given) as context:
            result = cli.invoke(context)
        return result if isinstance(result, int) else 0

    return guarded(run, debug="--debug" in given)


def guarded(run: Callable[[], int], *, debug: bool = False) -> int:
    """Calls `run`; whatever it raises becomes a line on stderr and an exit code."""
    try:
        return run()
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.UsageError as error:
        path = error.ctx.command_path if error.ctx else "ccpay"
        _say(f"ccpay: {error.format_message()}", f"see `{path} --help`", str)
        return error.exit_code
    except (KeyboardInterrupt, click.Abort) as stop:
        _say(f"ccpay: interrupted{f'; {stop}' if str(stop) else ''}", "", str)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader, e.g. `head`, has enough; Python would complain once more when it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # noqa: BLE001 - the outermost frame of the process
        return _report(error, debug=debug)


def _report(error: Exception, *, debug: bool) -> int:
    """Says what went wrong on stderr; returns the exit code."""
    redact = _redactor()
    if debug:
        click.echo(redact("".join(traceback.format_exception(error))), err=True)
    if not isinstance(error, CcpayError):
        what = f"ccpay: unexpected {type(error).__name__}: {_first_line(error)}"
        _say(what, "run it again with --debug and report what it shows", redact)
        return 1
    _say(f"ccpay: {error}", error.hint, redact)
    return 2 if isinstance(error, ConfigError | WrongEnvironment | QueryRefused) else 1


def _say(what: str, hint: str, redact: Callable[[str], str]) -> None:
    click.echo(redact(what), err=True)
    if hint:
        click.echo(redact(f"  {hint}"), err=True)


def _set_up_logging(*, debug: bool) -> None:
    """What people must see is shown as it is; all else only with --debug, and never a secret."""
    shown = logging.StreamHandler()
    shown.addFilter(RedactingFilter(_known_secrets()))
    for name in SHOWN_LOGS:
        logging.getLogger(name).addHandler(shown)
        logging.getLogger(name).propagate = debug
    if debug:
        logging.getLogger().setLevel(logging.DEBUG)
    log_retries_quietly()
    # Without any handler Python would print warnings of libraries, such as each planned retry.
    logging.getLogger().addHandler(shown if debug else logging.NullHandler())


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0]


def _redactor() -> Callable[[str], str]:
    return _known_secrets().text


def _known_secrets() -> Redactor:
    """The secrets of the settings; settings that cannot be used are told without values."""
    try:
        return Redactor.of(load_settings())
    except CcpayError:
        return Redactor([])


if __name__ == "__main__":
    sys.exit(main())
