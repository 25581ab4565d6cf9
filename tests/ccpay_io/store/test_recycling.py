"""An old version turned into the new one: equal to it, cheaply, and never under a reader's eyes."""

from __future__ import annotations

import mmap
import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from leases import needs_leases

from ccpay_io.store.recycling import rewritten

_MB = 1 << 20


def _written() -> int:
    """Bytes that this process has handed to the system so far."""
    lines = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(lines["wchar"])


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """An old file of 4 MB, read-only as versions are, and one with another byte in the middle."""
    old, new = tmp_path / "old", tmp_path / "new"
    content = bytearray(os.urandom(4 * _MB))
    old.write_bytes(content)
    old.chmod(0o444)
    content[2 * _MB] ^= 1
    new.write_bytes(content)
    return old, new


@needs_leases
@given(old=st.binary(max_size=300), new=st.binary(max_size=300), times=st.sampled_from([1, 700]))
def test_whatever_it_was_it_is_the_new_one_then(old: bytes, new: bytes, times: int) -> None:
    """Shorter, longer, empty, the same: up to four chunks of it."""
    with tempfile.TemporaryDirectory() as folder:
        file, source = Path(folder, "old"), Path(folder, "new")
        file.write_bytes(old * times)
        source.write_bytes(new * times)

        assert rewritten(file, source)

        assert file.read_bytes() == new * times


@needs_leases
def test_only_what_differs_is_written(files: tuple[Path, Path]) -> None:
    """One byte in four megabytes: one chunk."""
    before = _written()

    assert rewritten(*files)

    assert 0 < _written() - before <= 1 << 16


@pytest.mark.parametrize("how", ["open", "mapped", "open elsewhere", "linked"])
def test_a_file_that_somebody_has_is_left_alone(
    files: tuple[Path, Path], tmp_path: Path, how: str
) -> None:
    """Open or mapped, here or in another process, or under a second name."""
    old, new = files
    content = old.read_bytes()
    with ExitStack() as stack:
        if how == "open":
            stack.enter_context(old.open("rb"))
        elif how == "mapped":
            with old.open("rb") as file:
                stack.enter_context(mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ))
        elif how == "linked":
            os.link(old, tmp_path / "second name")
        else:
            code = "import sys; f = open(sys.argv[1], 'rb'); print(1, flush=True); sys.stdin.read()"
            holder = stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", code, str(old)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                )
            )
            holder.stdout.readline()

        assert not rewritten(old, new)

    assert old.read_bytes() == content


def test_where_nobody_can_tell_nothing_is_written_over(
    files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On other systems each version is a copy."""
    monkeypatch.setattr(sys, "platform", "darwin")
    content = files[0].read_bytes()

    assert not rewritten(*files)

    assert files[0].read_bytes() == content
