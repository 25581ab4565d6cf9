"""What was written or renamed is still there after a power cut, whole.

Owns flushing a file or a folder by its name, and a file that takes its name once it is on disk.
Used by whatever writes files that others read: publication, raw answers, backups, the board.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
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


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """The file to write beside this path; on disk and whole, it takes the path's place.

    A kill at any moment leaves the file of before, or the new one. When the body raises, the part
    that was written stays beside it, as after a kill, until the next time.

    Raises:
        OSError: the disk did not take it.
    """
    temporary = path.with_name(path.name + ".tmp")
    yield temporary
    fsync_path(temporary)
    os.replace(temporary, path)
    fsync_path(path.parent)
