"""`ccpay sandbox`: a CCPayment server on this machine."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from ccpay_io import sandbox
from ccpay_io.settings import Settings, load_settings


@click.command("sandbox")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=sandbox.DEFAULT_PORT,
    show_default=True,
    help="0: any free one.",
)
@click.option("--seed", default=sandbox.DEFAULT_SEED, show_default=True, help="Another world.")
@click.option("--speed", default=1.0, show_default=True, help="How fast its clock runs.")
@click.option(
    "--scenario",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="How it misbehaves, and when: docs/sandbox.md.",
)
def command(port: int, seed: int, speed: float, scenario: Path | None) -> None:
    """Serves a made-up CCPayment on loopback until Ctrl-C.

    It accepts CCPAY_APP_ID and CCPAY_APP_SECRET, or CCPAY_RSA_KEY_FILE, if they are set, and prints
    its own otherwise.
    """
    if not 0 < speed <= 10_000:
        raise click.BadParameter("from above 0 to 10000", param_hint="--speed")
    settings = load_settings()
    from ccpay_io.sandbox.scenario import read_scenario
    from ccpay_io.sandbox.server import build_app
    from ccpay_io.sandbox.world import World

    account = settings.credentials
    app = build_app(
        World(seed),
        speed=speed,
        app_id=account.app_id.reveal(),
        app_secret=account.app_secret.reveal(),
        rsa_key=account.rsa_key.reveal() if account.rsa_key else None,
        scenario=read_scenario(scenario) if scenario else None,
    )
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with sandbox.serving(app, port=port) as base_url, _announced(settings, base_url):
        _print_address(settings, base_url)
        stop.wait()


def _print_address(settings: Settings, base_url: str) -> None:
    click.echo("sandbox: made-up data; Ctrl-C ends it")
    click.echo(f"CCPAY_BASE_URL={base_url}")
    if settings.environment == "sandbox":
        # Published on purpose: they open nothing but a sandbox.
        click.echo(f"CCPAY_APP_ID={sandbox.SANDBOX_APP_ID}")
        click.echo(f"CCPAY_APP_SECRET={sandbox.SANDBOX_APP_SECRET}")


@contextmanager
def _announced(settings: Settings, base_url: str) -> Iterator[None]:
    """Lets other processes in sandbox mode find this server, for as long as it runs."""
    if settings.environment != "sandbox":
        yield
        return
    name: Path = settings.warehouse / "sandbox.url"
    name.parent.mkdir(parents=True, exist_ok=True)
    temporary = name.with_suffix(".tmp")
    temporary.write_text(base_url + "\n", "ascii")
    temporary.replace(name)
    try:
        yield
    finally:
        name.unlink(missing_ok=True)
