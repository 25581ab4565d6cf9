"""Builds the board: reads, renders, and puts board.html and status.json in their places.

Owns <root>/board/ and that only one process builds at a time. A kill at any moment leaves each file
as it was or as it is to be. Called by the asset, `ccpay board` and the board's server.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock

from ccpay_io.board.answers import Answers, ask_all
from ccpay_io.board.contents import blocks_of, facts_of, status_of
from ccpay_io.board.page import render
from ccpay_io.board.runtime import chart_library
from ccpay_io.errors import NothingPublished
from ccpay_io.settings import Settings
from ccpay_io.store.durable import written_whole
from ccpay_io.store.folder import PUBLISH_EVERY
from ccpay_io.store.reading import Version

LOCK_TIMEOUT_S = 120.0


@dataclass(frozen=True)
class Built:
    """A board that was built.

    Attributes:
        page: the HTML file.
        published_at: the publication that it shows; None when there is none yet.
        size: bytes of the page.
        took_s: seconds that it took.
    """

    page: Path
    published_at: datetime | None
    size: int
    took_s: float


def page_path(root: Path) -> Path:
    """Where the board of a warehouse is."""
    return root / "board" / "board.html"


def status_path(root: Path) -> Path:
    """Where the state for other programs is."""
    return root / "board" / "status.json"


def build_board(settings: Settings) -> Built:
    """Builds the board from the newest publication; before the first one it says so.

    Args:
        settings: whose warehouse, and [board].

    Raises:
        OSError: the disk did not take it.
    """
    page = page_path(settings.warehouse)
    page.parent.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    with FileLock(page.parent / ".lock", timeout=LOCK_TIMEOUT_S):
        now = datetime.now(UTC).replace(microsecond=0)
        try:
            answers = ask_all(settings, now)
        except NothingPublished:
            answers = Answers.nothing(now)
        text = render(
            facts_of(answers, settings), blocks_of(answers), chart_library(page.parent)
        ).encode()
        with written_whole(page) as file:
            file.write_bytes(text)
        # Last, so that whoever sees a new status.json finds the page that belongs to it.
        status = json.dumps(status_of(answers, settings), indent=1, ensure_ascii=False)
        with written_whole(status_path(settings.warehouse)) as file:
            file.write_text(status + "\n", "utf-8")
    return Built(page, answers.published_at, len(text), time.monotonic() - began)


def is_behind(settings: Settings, seen: Version | None) -> bool:
    """Whether the board does not show this version of the warehouse yet, or there is no board.

    A lake has a commit every few seconds; its board is behind after five minutes, as a folder's is.
    """
    try:
        status = json.loads(status_path(settings.warehouse).read_text("utf-8"))
        shown = status["version"]
    except (OSError, ValueError, KeyError):
        return True
    if seen is None or shown == seen.name:
        return False
    if settings.lake is None or shown is None:
        return True
    return seen.published_at - datetime.fromisoformat(status["published_at"]) >= PUBLISH_EVERY
