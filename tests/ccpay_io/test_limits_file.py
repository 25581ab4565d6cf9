"""The limits file: one truth for all processes, whatever opens, ends or breaks."""

from __future__ import annotations

import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ccpay_io.errors import WarehouseError
from ccpay_io.limits_file import LimitsFile

COUNT = """
import sys, time
from pathlib import Path
from ccpay_io.limits_file import LimitsFile
with LimitsFile(Path(sys.argv[1]), "account", 10.0, time.time).row() as row:
    row.set(used=row.number("used") + 1)
    print(int(row.number("used")))
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file will be."""
    return tmp_path / "limits.sqlite"


def opened(path: Path) -> LimitsFile:
    """The account's row, as one object of this process has it."""
    return LimitsFile(path, "account", 10.0, time.time)


def counted(file: LimitsFile) -> float:
    """Counts one request; returns how many there are."""
    with file.row() as row:
        row.set(used=row.number("used") + 1)
        return row.number("used")


def counted_elsewhere(path: Path) -> int:
    """The same in a process of its own, which then ends."""
    told = subprocess.run(
        [sys.executable, "-c", COUNT, str(path)], check=True, capture_output=True, text=True
    )
    return int(told.stdout)


def test_a_process_that_ends_takes_nothing_from_those_that_go_on(path: Path) -> None:
    """Where one process has the file open twice, what others count still adds up."""
    first, second = opened(path), opened(path)
    counts = [counted(first), counted(second)]
    for _ in range(2):
        counts += [counted_elsewhere(path), counted(first), counted(second)]
    assert counts == list(range(1, 9))
    assert path.with_name("limits.sqlite-wal").exists()


def test_only_the_owner_can_read_it(path: Path) -> None:
    """The file and its log have mode 600, and nothing else is left beside them."""
    file = opened(path)
    counted(file)
    names = {"limits.sqlite", "limits.sqlite-wal", "limits.sqlite-shm"}
    assert {found.name for found in path.parent.iterdir()} == names
    assert {stat.S_IMODE(found.stat().st_mode) for found in path.parent.iterdir()} == {0o600}


def test_a_damaged_file_is_one_clear_line_until_it_is_deleted(path: Path) -> None:
    """Deleting it, as the hint says, helps the process that runs; nothing has to be restarted."""
    path.write_bytes(b"no database" * 1000)
    file = opened(path)
    with pytest.raises(WarehouseError, match="cannot be used") as caught:
        counted(file)
    assert "delete it" in caught.value.hint
    path.unlink()
    assert counted(file) == 1
