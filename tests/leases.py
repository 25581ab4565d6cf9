"""Whether this machine can tell if a file is open anywhere: without that, versions are copies."""

from __future__ import annotations

import fcntl
import tempfile

import pytest


def _granted() -> bool:
    with tempfile.NamedTemporaryFile() as file:
        try:
            fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)
            fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
        except (AttributeError, OSError):
            return False
    return True


needs_leases = pytest.mark.skipif(not _granted(), reason="no leases on this file system")
