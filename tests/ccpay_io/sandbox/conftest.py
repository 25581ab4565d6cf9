from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# The tests of this folder share a client, which importlib mode does not put on the path.
sys.path.insert(0, str(Path(__file__).parent))

from signed_caller import Caller

from ccpay_io.sandbox import serving
from ccpay_io.sandbox.faults import Faults
from ccpay_io.sandbox.server import build_app
from ccpay_io.sandbox.world import World


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[Caller, Faults]]:
    """A quiet sandbox over real HTTP, shared by the tests of a module."""
    faults = Faults()
    app = build_app(World(lively=False), faults=faults)
    with serving(app) as base_url, Caller(base_url) as caller:
        yield caller, faults


@pytest.fixture
def caller(running: tuple[Caller, Faults]) -> Caller:
    """Signs and sends requests to the sandbox."""
    return running[0]


@pytest.fixture
def faults(running: tuple[Caller, Faults]) -> Iterator[Faults]:
    """What is wrong with the sandbox; nothing any more after the test."""
    yield running[1]
    running[1].clear()
