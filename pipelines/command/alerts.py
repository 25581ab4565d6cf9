"""`ccpay alerts`: what is open, and what people have to say about it."""

import getpass
import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import click

from ccpay_io.alerts import send_test
from ccpay_io.alerts.control import Matchers, acknowledge, silence, unsilence
from ccpay_io.alerts.listing import Alert, open_alerts, past_alerts, silences, story_of, title_of
from ccpay_io.alerts.naming import find_alert
from ccpay_io.alerts.words import span
from ccpay_io.config import ALERT_KINDS
from ccpay_io.errors import ConfigError
from ccpay_io.feeds.poll import utc_now
from ccpay_io.feeds.session import open_warehouse
from ccpay_io.settings import Settings, load_settings
from ccpay_io.store.reading import connect_published
from pipelines.command.output import name_environment, print_table, stdout

_LENGTH = re.compile(r"(\d+)([mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_MATCHERS = ("kind", "chain", "coin", "alert")


def said_by(function: Callable[..., None]) -> Callable[..., None]:
    """The options of everything that somebody has to answer for."""
    author = click.option("--author", default=_user, help="Who says so; by default you.")
    reason = click.option("--reason", required=True, help="Why; kept beside the alert.")
    return author(reason(function))


def _user() -> str:
    """The name of whoever calls; containers often run as a number that has none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""


@click.group("alerts")
def command() -> None:
    """What is open; silences, acknowledgements, a test. docs/alerts.md says what each means."""


@command.command("list")
@click.option("--all", "past", is_flag=True, help="Also the last hundred that are over.")
def list_command(past: bool) -> None:
    """Shows the open alerts and the silences in force."""
    settings = _settings()
    with connect_published(settings.place) as con:
        alerts = open_alerts(con) + (past_alerts(con) if past else [])
        quiet = silences(con)
    if alerts:
        _show(alerts)
    else:
        click.echo("no alert is open")
    if quiet:
        click.echo()
        headers = ("silence", "of", "until (UTC)", "by", "reason")
        rows = [(str(n), of, f"{end:%Y-%m-%d %H:%M}", by, why) for n, of, end, by, why in quiet]
        print_table(stdout(), headers, rows)


@command.command("show")
@click.argument("alert")
def show_command(alert: str) -> None:
    """Tells the story of ALERT: its id, or the beginning of it."""
    settings = _settings()
    with connect_published(settings.place) as con:
        alert_id = find_alert(con, alert)
        title, story = title_of(con, alert_id), story_of(con, alert_id)
    click.echo(f"{alert_id}\n{title}")
    for moment, what in story:
        click.echo(f"{moment:%Y-%m-%d %H:%M:%S} UTC  {what}")


@command.command("ack")
@click.argument("alert")
@said_by
def ack_command(alert: str, author: str, reason: str) -> None:
    """Says that you work on ALERT: no more reminders, until it is worse or over."""
    alert_id = acknowledge(open_warehouse(_settings()), alert, author=author, reason=reason)
    click.echo(f"acknowledged {alert_id}")


@command.command("silence")
@click.argument("matchers", nargs=-1, required=True, metavar="chain=TRX ...")
@click.option("--for", "length", help="How long: 30m, 2h, 3d.")
@click.option("--until", help="Or until when: 2026-12-01T10:00Z.")
@said_by
def silence_command(
    matchers: Sequence[str], length: str | None, until: str | None, author: str, reason: str
) -> None:
    """Keeps openings and reminders of some alerts back for a while; their ends are always told.

    An alert is silenced when it has everything that you name: kind=, chain=, coin=, alert=.
    """
    number = silence(
        open_warehouse(_settings()),
        _matchers(matchers),
        until=_end(length, until),
        author=author,
        reason=reason,
    )
    click.echo(f"silence {number} is in force; `ccpay alerts unsilence {number}` ends it")


@command.command("unsilence")
@click.argument("number", type=int)
def unsilence_command(number: int) -> None:
    """Ends a silence now; what is still bad is told at the next poll."""
    unsilence(open_warehouse(_settings()), number)
    click.echo(f"silence {number} is over")


@command.command("test")
def test_command() -> int:
    """Sends a test notice to every channel; exits with 1 if one does not take it."""
    settings = _settings()
    warehouse = open_warehouse(settings)
    results = send_test(warehouse, settings)
    warehouse.publish(force=True)
    for channel, sent in results:
        click.echo(f"{channel}: {'taken' if sent.ok else f'not taken: {sent.error}'}")
    return 0 if all(sent.ok for _, sent in results) else 1


def _settings() -> Settings:
    settings = load_settings()
    name_environment(settings)
    return settings


def _show(alerts: Sequence[Alert]) -> None:
    headers = ("severity", "subject", "kind", "state", "for", "seen", "also", "alert")
    rows = [
        (
            a.severity, a.subject, a.kind, a.state, span(a.age), a.value[:60],
            a.also, a.alert_id,
        )
        for a in alerts
    ]  # fmt: skip
    print_table(stdout(), headers, rows, right=("for",))


def _matchers(words: Sequence[str]) -> Matchers:
    given = dict[str, str]()
    for word in words:
        name, equals, value = word.partition("=")
        if name not in _MATCHERS or not equals or not value:
            raise ConfigError(
                f"{word!r} matches nothing", hint=f"write {'=..., '.join(_MATCHERS)}=..."
            )
        if name in given:
            raise ConfigError(f"{name}= is there twice", hint="make two silences of it")
        given[name] = value
    if given.get("kind", ALERT_KINDS[0]) not in ALERT_KINDS:
        raise ConfigError(f"there is no kind {given['kind']!r}", hint=", ".join(ALERT_KINDS))
    return Matchers(given.get("kind"), given.get("chain"), given.get("coin"), given.get("alert"))


def _end(length: str | None, until: str | None) -> datetime:
    if (length is None) is (until is None):
        raise ConfigError("a silence has an end", hint="name either --for 2h or --until a time")
    if length is not None:
        found = _LENGTH.fullmatch(length)
        if not found:
            raise ConfigError(f"{length!r} is no length of time", hint="write 30m, 2h or 3d")
        try:
            return utc_now() + timedelta(**{_UNITS[found[2]]: int(found[1])})
        except OverflowError:
            raise ConfigError(f"{length} is too long", hint="write 30m, 2h or 3d") from None
    try:
        return datetime.fromisoformat(str(until))
    except ValueError:
        raise ConfigError(f"{until!r} is no time", hint="write 2026-12-01T10:00Z") from None
