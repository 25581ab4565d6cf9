from __future__ import annotations

import logging
import os
import time
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from alert_timeline import live_settings

from ccpay_io.alerts.heartbeat import beat
from ccpay_io.feeds.poll import Outcome
from ccpay_io.feeds.result import PollResult, WatchResult
from ccpay_io.settings import Secret


def cycle(outcome: Outcome) -> WatchResult:
    """A cycle of the watch that ended so."""
    now = datetime.now(UTC)
    return WatchResult((PollResult(1, "chains", outcome, now, now),))


def server(status: int, asked: list[str]) -> HTTPServer:
    """A service that waits for signs of life."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Keeps the test's output clean."""

    running = HTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    return running


@pytest.mark.parametrize(
    ("outcome", "status", "beats", "asks"),
    [
        pytest.param("ok", 200, True, 1, id="a good cycle"),
        pytest.param("failed", 200, True, 1, id="an outage of the API is told by its own alert"),
        pytest.param("skipped", 200, False, 0, id="a watch that may not ask is not healthy"),
        pytest.param("ok", 500, False, 1, id="a service in trouble"),
    ],
)
def test_a_sign_of_life_after_each_cycle_that_asked(
    tmp_path: Path, outcome: Outcome, status: int, beats: bool, asks: int
) -> None:
    """One request per cycle, whatever the API said; none when nothing could be asked."""
    asked: list[str] = []
    running = server(status, asked)
    url = Secret(f"http://127.0.0.1:{running.server_port}/token-of-life")
    try:
        settings = live_settings(tmp_path, heartbeat_url=url)
        assert beat(settings, cycle(outcome)) is beats
    finally:
        running.shutdown()
        running.server_close()
    assert asked == ["/token-of-life"] * asks


def test_at_most_one_a_minute(tmp_path: Path) -> None:
    """Whoever watches this warehouse: the pause is the warehouse's, not the process's."""
    asked: list[str] = []
    running = server(200, asked)
    url = Secret(f"http://127.0.0.1:{running.server_port}/token-of-life")
    settings = live_settings(tmp_path, heartbeat_url=url)
    stamp = tmp_path / "private" / "heartbeat"
    try:
        assert beat(settings, cycle("ok")) is True
        assert beat(settings, cycle("ok")) is False
        for ago_s in (59, -3600):
            then = time.time() - ago_s
            os.utime(stamp, (then, then))
            assert beat(settings, cycle("ok")) is True
    finally:
        running.shutdown()
        running.server_close()
    assert len(asked) == 3


def test_a_taken_one_does_not_show_the_address(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The HTTP client logs what it asks for; of this, without the token."""
    caplog.set_level(logging.DEBUG)
    running = server(200, [])
    url = Secret(f"http://127.0.0.1:{running.server_port}/token-of-life")
    try:
        assert beat(live_settings(tmp_path, heartbeat_url=url), cycle("ok")) is True
    finally:
        running.shutdown()
        running.server_close()
    assert any(record.name == "httpx" for record in caplog.records)
    assert "token-of-life" not in caplog.text


def test_nobody_waits(tmp_path: Path) -> None:
    """Without an address nothing is sent."""
    assert beat(live_settings(tmp_path), cycle("ok")) is False


@pytest.mark.parametrize("url", ["https://127.0.0.1:1/token-of-life", "https://[::1/token-of-life"])
def test_a_failure_neither_raises_nor_shows_the_address(
    tmp_path: Path, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The watch goes on, and the token stays secret."""
    caplog.set_level(logging.DEBUG)
    settings = replace(live_settings(tmp_path), heartbeat_url=Secret(url))
    assert beat(settings, cycle("ok")) is False
    assert "token-of-life" not in caplog.text
    assert "token-of-life" not in repr(settings)
