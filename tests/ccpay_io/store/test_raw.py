"""Raw files: compressed, content-addressed, without secrets, kept as long as told."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path

from ccpay_io.client import Exchange
from ccpay_io.feeds.poll import RawFile
from ccpay_io.store.raw import prune_raw, read_raw, write_raw

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def _write(root: Path, response: bytes, day: str = "2026-03-01") -> RawFile:
    header = {"feed": "fiats", "poll_id": 7, "started_at": f"{day}T12:00:00+00:00"}
    exchange = Exchange("getFiatList", b"{}", 200, response, AT)
    return write_raw(root, header, [exchange], redact=lambda text: text.replace("s3cret", "****"))


def test_a_raw_file_holds_header_and_answers_under_the_hash_of_its_content(tmp_path: Path) -> None:
    """What is read back is what was received, and the hash says so."""
    raw = _write(tmp_path, b'{"code": 10000}')

    sha256, (header, line) = read_raw(tmp_path, raw.name)

    assert raw.sha256 == sha256
    assert raw.sha256[:16] in raw.name
    assert header["poll_id"] == 7
    assert line["response"] == '{"code": 10000}'
    assert "headers" not in line


def test_a_secret_that_a_server_echoes_is_not_kept(tmp_path: Path) -> None:
    """The redactor sees everything that goes into the file, before it is hashed."""
    raw = _write(tmp_path, b"<html>s3cret</html>")

    sha256, lines = read_raw(tmp_path, raw.name)

    assert "s3cret" not in str(lines)
    assert raw.sha256 == sha256


def test_bytes_that_are_no_text_are_kept_as_escapes(tmp_path: Path) -> None:
    """A bad answer must not make the record fail."""
    raw = _write(tmp_path, b"\xff\xfe")

    assert read_raw(tmp_path, raw.name)[1][1]["response"] == r"\xff\xfe"


def test_equal_content_has_one_hash(tmp_path: Path) -> None:
    """Content-addressed: the same poll written again is the same file."""
    one, two = _write(tmp_path, b"x"), _write(tmp_path, b"x")

    assert one == two
    assert hashlib.sha256(b"").hexdigest() != one.sha256


def test_old_days_are_deleted_and_young_ones_kept(tmp_path: Path) -> None:
    """Retention counts whole days; a folder without raw files is no error."""
    assert prune_raw(tmp_path, keep_days=14, now=AT) == 0
    old, young = _write(tmp_path, b"x", "2026-02-10"), _write(tmp_path, b"x", "2026-02-20")

    assert prune_raw(tmp_path, keep_days=14, now=AT) == 1
    assert not (tmp_path / "raw" / old.name).exists()
    assert (tmp_path / "raw" / young.name).exists()
