"""Raw answers: one compressed, content-addressed file per poll below `raw/`.

Owns the form of these files and their retention. They are the record that a warehouse can be
rebuilt from, so a file is on disk before the poll that names it commits. Never published. Called by
the collector (write), verify.py (check) and the retention job (prune).

A file is zstd-compressed JSON lines: first the poll (feed, poll_id, times, what it came to; made by
feeds/record.py), then one line per HTTP exchange (endpoint, request, status, the answer's bytes as
text) and per call that ended without a response (endpoint, request, error). Lines of the same
`call` are attempts of one call. Readable with `zstd -dc`.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from ccpay_io.client import Exchange, Silence
from ccpay_io.feeds.poll import RawFile
from ccpay_io.store.disk import clear_errors
from ccpay_io.store.durable import fsync_path

_PART = 1 << 20


def write_raw(
    root: Path,
    header: dict[str, Any],
    exchanges: Sequence[Exchange | Silence],
    *,
    redact: Callable[[str], str],
    step: Callable[[str], None] = lambda name: None,
) -> RawFile:
    """Writes and fsyncs the raw file of one poll.

    Args:
        root: the warehouse folder.
        header: feed, poll_id, started_at, ...: enough to rebuild the ledger row.
        exchanges: everything that the client told of the poll, in order.
        redact: removes secrets: a server may echo what it was sent.
        step: told "raw" before the file gets its name.

    Raises:
        WarehouseError: the disk is full or read-only; the poll is not stored either.
    """
    lines = [json.dumps(header, sort_keys=True), *(json.dumps(_line(x)) for x in exchanges)]
    content = redact("\n".join(lines) + "\n").encode()
    digest = hashlib.sha256(content).hexdigest()
    day = str(header["started_at"])[:10]
    name = f"{day}/{header['feed']}-{header['poll_id']}-{digest[:16]}.jsonl.zst"
    path = root / "raw" / name
    with clear_errors(path.parent):
        _write(path, _compress(content), step)
    return RawFile(name, digest, path.stat().st_size)


def _write(path: Path, compressed: bytes, step: Callable[[str], None]) -> None:
    """The file is on disk, whole, before it gets its name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    try:
        with temporary.open("wb") as file:
            file.write(compressed)
            file.flush()
            os.fsync(file.fileno())
        step("raw")
        os.replace(temporary, path)
    except OSError:
        with suppress(OSError):
            temporary.unlink()
        raise
    fsync_path(path.parent)


def read_raw(root: Path, name: str) -> tuple[str, list[dict[str, Any]]]:
    """The sha256 of a raw file's content and its lines, the poll's header first."""
    content = b"".join(_content(root / "raw" / name))
    return hashlib.sha256(content).hexdigest(), [json.loads(x) for x in content.splitlines()]


def read_header(root: Path, name: str) -> dict[str, Any]:
    """The first line of a raw file alone: which poll it is of.

    Raises:
        OSError, ValueError: it is not what was written.
    """
    line = b""
    for part in _content(root / "raw" / name):
        line += part
        if b"\n" in part:
            break
    header: dict[str, Any] = json.loads(line.partition(b"\n")[0])
    return header


def raw_sha256(root: Path, name: str) -> str:
    """The sha256 of a raw file's content, without reading what it says.

    Raises:
        FileNotFoundError: it is beyond its retention.
        OSError: it is not what was written.
    """
    digest = hashlib.sha256()
    for part in _content(root / "raw" / name):
        digest.update(part)
    return digest.hexdigest()


def _content(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file, pa.input_stream(file, compression="zstd") as stream:
        while part := stream.read(_PART):
            yield part


def prune_raw(root: Path, *, keep_days: int, now: datetime) -> int:
    """Deletes the day folders older than the retention; returns how many files went."""
    oldest = (now.astimezone(UTC) - timedelta(days=keep_days)).date().isoformat()
    return sum(_delete_day(day) for day in _days(root) if day.name < oldest)


def _days(root: Path) -> Iterator[Path]:
    folder = root / "raw"
    yield from sorted(folder.iterdir()) if folder.is_dir() else ()


def _delete_day(day: Path) -> int:
    files = list(day.iterdir())
    for file in files:
        file.unlink()
    day.rmdir()
    return len(files)


def _line(exchange: Exchange | Silence) -> dict[str, Any]:
    asked = {
        "call": exchange.call,
        "endpoint": exchange.endpoint,
        "request": exchange.request.decode(),
    }
    if isinstance(exchange, Silence):
        ended = exchange.ended_at.isoformat()
        return {**asked, "error": exchange.error.name, "ended_at": ended}
    return {
        **asked,
        "http_status": exchange.http_status,
        "received_at": exchange.received_at.isoformat(),
        # Bytes that are not UTF-8 are kept as escapes: the record must not fail on a bad answer.
        "response": exchange.response.decode("utf-8", "backslashreplace"),
    }


def _compress(content: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(content)
    compressed: bytes = sink.getvalue().to_pybytes()
    return compressed
