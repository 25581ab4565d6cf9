from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

# The tests of this folder share a recomputation, and the timelines of alerts, which importlib mode
# does not put on the path.
sys.path.insert(0, str(Path(__file__).parent))
sys.path.append(str(Path(__file__).parents[1] / "ccpay_io" / "alerts"))

from setting import Setting

from ccpay_io.store.watch import sync_watch_settings
from ccpay_io.store.writer import Warehouse


@pytest.fixture
def new_warehouse(tmp_path: Path, empty_private: Path) -> Callable[[Setting], Warehouse]:
    """Makes an empty warehouse on disk, for a user with this in ccpay.toml."""

    def make(setting: Setting) -> Warehouse:
        root = tmp_path / f"data{len(list(tmp_path.iterdir()))}"
        warehouse = Warehouse(root, "test")
        warehouse.private.parent.mkdir(parents=True)
        shutil.copyfile(empty_private, warehouse.private)
        with warehouse.transaction() as con:
            sync_watch_settings(con, setting.settings(tmp_path))
        return warehouse

    return make
