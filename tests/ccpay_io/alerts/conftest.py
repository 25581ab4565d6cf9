from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# The tests of this folder share a vocabulary, which importlib mode does not put on the path.
sys.path.insert(0, str(Path(__file__).parent))

from alert_timeline import Clock, KeptFile, KeptOpen, Timeline, live_settings
from receiver import Receiver, receiving


@pytest.fixture(scope="session")
def empty_warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A live warehouse with its tables and views: making these is the slow part of a test."""
    root = tmp_path_factory.mktemp("empty")
    with Timeline(live_settings(root)).warehouse.transaction():
        return root


@pytest.fixture(autouse=True)
def _kept_open(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The tests of this folder open a file once, and close it at their end."""
    monkeypatch.setattr(Timeline, "kind", KeptOpen)
    yield
    KeptFile.close_all()


@pytest.fixture
def root(empty_warehouse: Path, tmp_path: Path) -> Path:
    """The folder of a live warehouse that nothing has been polled into."""
    return Path(shutil.copytree(empty_warehouse, tmp_path / "data"))


@pytest.fixture
def timeline(root: Path) -> Timeline:
    """Ticks into a live warehouse that nothing has been polled into."""
    return Timeline(live_settings(root))


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A webhook receiver that accepts everything until a test tells it otherwise."""
    with receiving() as running:
        yield running


@pytest.fixture
def clock(timeline: Timeline) -> Clock:
    """The clock of delivery, at the end of the second tick."""
    return Clock(timeline.seen_at(2))
