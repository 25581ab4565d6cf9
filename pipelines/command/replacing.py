"""A file that is written whole or not at all: what was there stays until all of the new is there.

Owns the temporary file beside it. Called by `ccpay query --out`.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ccpay_io.errors import ConfigError


@contextmanager
def replacing(out: Path) -> Iterator[Path]:
    """The path to write to; it takes the place of `out` unless the body raises.

    Raises:
        ConfigError: the file cannot be written.
    """
    # Where a link leads to; renaming would replace the link itself.
    target = out.resolve()
    try:
        if target.exists() and not target.is_file():
            yield target  # a device or a pipe cannot be replaced, and has nothing to lose
            return
        with _beside(target) as temporary:
            yield temporary
            os.replace(temporary, target)
    except OSError as error:
        raise ConfigError(
            f"--out {out} cannot be written: {error.strerror or error}",
            hint="name a file in a folder that exists, that you may write to and that has room",
        ) from None


@contextmanager
def _beside(target: Path) -> Iterator[Path]:
    """A new empty file in the same folder, with the mode that the target has or would get."""
    handle, name = tempfile.mkstemp(prefix=f".{target.name}-", dir=target.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        if target.exists():
            shutil.copymode(target, temporary)
        else:
            temporary.chmod(0o666 & ~_umask())
        yield temporary
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()


def _umask() -> int:
    """The process's umask, which can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
