"""`with clear_errors(place):` - what the disk and DuckDB say, as one line and what to do about it.

Owns telling a full or read-only disk from damage. Used by folder.py and lake/storage.py
around everything that they do under their lock, and by raw.py.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from ccpay_io.errors import WarehouseError

_HINT = "free disk space, or make the folder writable for this user; nothing was lost"
# DuckDB quotes the system's words for these.
_DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES)


@contextmanager
def clear_errors(place: Path | str) -> Iterator[None]:
    """Turns OSError and DuckDB's errors into WarehouseError; nothing is lost by any of them."""
    try:
        yield
    except OSError as error:
        raise WarehouseError(
            f"cannot write {place}: {error.strerror or error}", hint=_HINT
        ) from error
    except duckdb.Error as error:
        said = str(error).splitlines()[0]
        disk = any(os.strerror(number) in said for number in _DISK_ERRORS)
        verify = "the last transaction was rolled back; run `ccpay admin verify`"
        raise WarehouseError(
            f"cannot write {place}: {said}", hint=_HINT if disk else verify
        ) from error
