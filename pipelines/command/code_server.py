"""Dagster's code server on a server, as `python -m pipelines.command.code_server SOCKET`.

Owns what has to happen before it listens. Polls and deliveries run as its children, in one control
group or container that ends with it: when it starts, none of them can be alive, so runs that a
reboot or a kill left unfinished are closed at once instead of after their longest run time. Started
by deploy/systemd and deploy/compose.yaml; `ccpay up` does the same by itself.
"""

import os
import sys
from pathlib import Path

import dagster as dg

from pipelines.command.first_poll import close_dead_runs


def main(socket: Path) -> None:
    """Closes dead runs, then becomes the code server, under the same process id."""
    with dg.DagsterInstance.get() as instance:
        close_dead_runs(instance)
    # A killed one leaves its socket, on which clients would wait for nobody.
    socket.unlink(missing_ok=True)
    server = [sys.executable, "-m", "dagster", "api", "grpc", "--log-format", "json"]
    os.execv(  # noqa: S606 - our own interpreter; the arguments are ours and a path
        sys.executable,
        [*server, "--socket", str(socket), "--module-name", "pipelines.definitions"],
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
