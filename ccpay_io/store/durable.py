"""`fsync_path(path)`: what was written or renamed is still there after a power cut.

Owns flushing a file or a folder by its name. Used by publication.py and raw.py, by nothing else.
"""

from __future__ import annotations

import os
from pathlib import Path


def fsync_path(path: Path) -> None:
    """Flushes a file's content, or a folder's entries: a rename lasts once its folder is flushed.

    Raises:
        OSError: the disk did not take it.
    """
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
