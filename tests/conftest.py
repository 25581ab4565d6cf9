"""What tests of several packages share."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest

from ccpay_io.board import page_path
from ccpay_io.board.runtime import chart_library
from ccpay_io.store.writer import Warehouse

# `killing`, `lakes`, `made_once` and `postgres`, which importlib mode does not put on the path.
sys.path.insert(0, str(Path(__file__).parent))

from lakes import Lakes
from made_once import made_once
from postgres import Postgres, postgres_server

# How long an example takes says more about what else runs on the machine.
hypothesis.settings.register_profile("ccpay", deadline=None)
hypothesis.settings.load_profile("ccpay")


@pytest.fixture(scope="session")
def empty_private(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A private file with the schema of this release: migrating once saves each test the time."""

    def make(folder: Path) -> None:
        # A publication moves the log into the file, which can then be copied.
        Warehouse(folder, "test").publish(force=True)

    return made_once(tmp_path_factory, "empty-warehouse", make) / "private" / "warehouse.duckdb"


@pytest.fixture(scope="session")
def with_library(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], None]:
    """Gives a warehouse its copy of the chart library, which takes five seconds to put together."""
    folder = made_once(tmp_path_factory, "chart-library", chart_library)

    def give(root: Path) -> None:
        place = page_path(root).parent
        place.mkdir(parents=True, exist_ok=True)
        for copy in folder.glob(".vega-*.js"):
            shutil.copy(copy, place)

    return give


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL for all tests of one process that bring a database of their own."""
    with postgres_server() as server:
        yield server


@pytest.fixture(scope="session")
def lakes(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Lakes:
    """Makes lakes on it."""
    made = Lakes(postgres, tmp_path_factory.mktemp("empty-lake"))
    made.prepare()
    return made
