"""Importing withdrawals into a lake."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lakes import Lakes

import ccpay_io
from ccpay_io.errors import ConfigError
from ccpay_io.feeds.poll import Poll
from ccpay_io.store.lake.connection import forget
from ccpay_io.store.writer import Warehouse
from ccpay_io.withdrawals import Imported, import_withdrawals

LINES = (
    "W-1,2025-10-02T09:15:00+02:00,USDT,TRX,500,1.5,TRX",
    "W-2,2025-10-04 10:00:00,UsdT,TON,99999999999999999999.999999999999999999,,",
)


def test_a_file_is_imported_once_and_exactly(
    polls: list[Poll], lakes: Lakes, file_of: Any, tmp_path: Path
) -> None:
    """All lines or none, to the last decimal, and nothing more the second time."""
    lake = lakes.empty(tmp_path / "lake")
    on_lake = Warehouse(tmp_path / "machine", "test", lake=lake)
    on_lake.commit(polls)

    assert import_withdrawals(on_lake, file_of(*LINES)) == Imported(2, 0, [])
    assert import_withdrawals(on_lake, file_of(*LINES)) == Imported(0, 2, [])
    with pytest.raises(ConfigError):
        import_withdrawals(on_lake, file_of("W-3,2025-10-04,USDT,TRX,1,,", "W-4,never,USDT,,1,,"))

    amounts = ccpay_io.Reader(lake).frame("SELECT amount FROM store.withdrawal ORDER BY record_id")
    assert amounts["amount"].cast(str).to_list() == [
        "500.000000000000000000",
        "99999999999999999999.999999999999999999",
    ]
    forget(lake, read_only=True)
    forget(lake, read_only=False)
