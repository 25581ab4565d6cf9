"""A real PostgreSQL from this machine's own binaries, in a folder of its own, with a password."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

PASSWORD = "canary-of-postgres"
# Where distributions put what is on nobody's path.
PLACES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin")


class Postgres:
    """A server that listens on a socket only, or on one address too.

    Attributes:
        binaries: where its programs are.
        environment: what libpq needs to find it; deploy/dagster.yaml names nothing else.
    """

    def __init__(self, binaries: Path, folder: Path, address: str) -> None:
        self.binaries, self._folder, self._address = binaries, folder, address
        # PostgreSQL refuses to run as root; its own user is there where its package is.
        self._user = {"user": "postgres", "group": "postgres"} if os.geteuid() == 0 else {}
        passwords = folder / "pgpass"
        passwords.write_text(f"*:*:*:dagster:{PASSWORD}\n")
        passwords.chmod(0o600)
        self.environment = {
            "PGHOST": str(folder),
            "PGUSER": "dagster",
            "PGPASSFILE": str(passwords),
        }

    def start(self) -> None:
        """Starts it, the first time with an empty database `dagster`."""
        data = self._folder / "data"
        fresh = not data.exists()
        if fresh:
            (self._folder / "password").write_text(PASSWORD)
            self._run("initdb", "--no-sync", "--username=dagster", "--auth=scram-sha-256",
                      f"--pwfile={self._folder / 'password'}", f"--pgdata={data}")  # fmt: skip
            with (data / "pg_hba.conf").open("a") as rules:
                rules.write("host all all samenet scram-sha-256\n")
        options = f"-c listen_addresses='{self._address}' -c fsync=off -k {self._folder}"
        self._run("pg_ctl", "start", "--wait", f"--pgdata={data}", f"--options={options}",
                  f"--log={self._folder / 'log'}")  # fmt: skip
        if fresh:
            subprocess.run(
                [self.binaries / "createdb", "dagster"],
                check=True,
                env={**os.environ, **self.environment},
            )

    def stop(self, how: str = "immediate") -> None:
        """Ends it; `immediate` is what a power failure does to it."""
        self._run("pg_ctl", "stop", f"--pgdata={self._folder / 'data'}", f"--mode={how}")

    def ask(self, statement: str, database: str = "dagster") -> str:
        """What a statement gives, as psql prints it without ornament."""
        asked = [self.binaries / "psql", "-At", "-d", database, "-c", statement]
        environment = {**os.environ, **self.environment}
        return subprocess.check_output(asked, env=environment, text=True).strip()

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self.binaries / program, *arguments],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=self._folder,
            **self._user,
        )


@contextmanager
def postgres_server(address: str = "") -> Iterator[Postgres]:
    """A running server; skips the test where there are no binaries for one.

    Args:
        address: of this machine, to listen on beside the socket.
    """
    found = shutil.which("initdb")
    places = (
        [found] if found else [str(p) for g in PLACES for p in Path("/").glob(f"{g[1:]}/initdb")]
    )
    if not places:
        pytest.skip(
            "no PostgreSQL on this machine (initdb is neither on PATH nor where packages put it)"
        )
    folder = Path(tempfile.mkdtemp(prefix="ccpay-postgres-"))
    if os.geteuid() == 0:
        try:
            shutil.chown(folder, "postgres", "postgres")
        except LookupError:
            pytest.skip("PostgreSQL does not run as root, and there is no user postgres")
    server = Postgres(Path(max(places)).resolve().parent, folder, address)
    try:
        server.start()
        yield server
    finally:
        if (folder / "data" / "postmaster.pid").exists():
            server.stop()
        shutil.rmtree(folder)
