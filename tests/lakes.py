"""Lakes for tests: on a real PostgreSQL, copies of one lake that has this release's schema."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from postgres import PASSWORD, Postgres

from ccpay_io.secret import Secret
from ccpay_io.store.lake.address import Lake
from ccpay_io.store.lake.connection import forget
from ccpay_io.store.writer import Warehouse

TEMPLATE = "empty_lake"


@dataclass
class Lakes:
    """Makes lakes, each in a database and a folder of its own.

    Attributes:
        postgres: the server of their catalogs.
        folder: where the template's data is.
    """

    postgres: Postgres
    folder: Path
    made: int = 0

    def address(self, database: str, data_path: str | None) -> Lake:
        """Where a lake of this server is; its password is in the address."""
        host, user = self.postgres.environment["PGHOST"], self.postgres.environment["PGUSER"]
        return Lake(f"dbname={database} host={host} user={user}", Secret(PASSWORD), data_path)

    def prepare(self) -> None:
        """Makes the template; migrating once saves each test three seconds."""
        self._createdb(TEMPLATE)
        lake = self.address(TEMPLATE, str(self.folder))
        with Warehouse(self.folder / "machine", "test", lake=lake).transaction():
            pass
        # PostgreSQL copies no database that somebody is connected to.
        forget(lake, read_only=False)

    def none_yet(self, data_path: str | None) -> Lake:
        """The address of a database with nothing in it."""
        self.made += 1
        self._createdb(f"lake_{self.made}")
        return self.address(f"lake_{self.made}", data_path)

    def empty(self, data_path: Path) -> Lake:
        """A lake without polls."""
        self.made += 1
        database = f"lake_{self.made}"
        self._createdb(database, "--template", TEMPLATE)
        shutil.copytree(self.folder, data_path, ignore=shutil.ignore_patterns("machine"))
        told = f"UPDATE ducklake_metadata SET value = '{data_path}/' WHERE key = 'data_path'"
        self.postgres.ask(told, database)
        return self.address(database, str(data_path))

    def _createdb(self, *arguments: str) -> None:
        environment = {**os.environ, **self.postgres.environment}
        subprocess.run(
            [self.postgres.binaries / "createdb", *arguments], check=True, env=environment
        )
