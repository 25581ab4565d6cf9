"""`ccpay metrics`: what Prometheus and an uptime check ask for."""

from pathlib import Path

import click

from ccpay_io.settings import load_settings
from pipelines.command.output import name_environment

PORT = 9464


@click.command("metrics")
@click.option(
    "--port", type=click.IntRange(1, 65535), default=PORT, show_default=True, help="On 127.0.0.1."
)
@click.option(
    "--socket",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A Unix socket, instead of a port.",
)
def command(port: int, socket: Path | None) -> None:
    """Serves /metrics and /health of the published warehouse, until Ctrl-C.

    There is no login: it listens on this machine only. deploy/nginx.conf.template has a proxy with
    one.
    """
    from ccpay_io.telemetry.server import telemetry_app
    from pipelines.command.listening import listen

    settings = load_settings()
    name_environment(settings)
    click.echo(f"metrics: {socket or f'http://127.0.0.1:{port}/metrics'}")
    listen(telemetry_app(settings), port=port, socket=socket)
