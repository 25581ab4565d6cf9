"""The whole thing, with a real daemon: what `make run` starts, and that it ends."""

import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from running_up import Up, processes_of, wait_for

from ccpay_io.sandbox.faults import Faults
from ccpay_io.settings import Settings

pytestmark = pytest.mark.slow


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")
def test_it_polls_watches_alerts_and_ends_whole(
    up: Callable[[], Up],
    faults: Faults,
    settings: Settings,
    tmp_path: Path,
    with_library: Callable[[Path], None],
) -> None:
    """From nothing to an alert and a board through the real daemon; Ctrl-C ends it within 10 s."""
    with_library(settings.warehouse)
    quick = "[feeds]\nwatch_s = 10\n[alerts]\nconfirm_after_s = 1\n"
    (tmp_path / "ccpay.toml").write_text(quick, "utf-8")
    running = up()
    wait_for(lambda: "ccpay route USDT 500" in running.text, 80, lambda: running.text)
    assert "first poll" in running.text
    assert running.polls("fees") == 1
    faults.statuses["TRX"] = "Maintenance"

    wait_for(lambda: "TRX is in maintenance" in running.text, 75, lambda: running.text)

    wait_for(lambda: "Dagster is up" in running.text, 80, lambda: running.text)
    assert running.polls("chains") > 1
    page = httpx.get(f"http://127.0.0.1:{running.board_port}")
    assert page.text.startswith("<!doctype html>")
    assert settings.credentials.app_secret.reveal() not in running.text
    begun = time.monotonic()
    running.process.send_signal(signal.SIGINT)
    assert running.process.wait(timeout=20) == 0
    assert time.monotonic() - begun < 10
    assert processes_of(settings.warehouse) == {}


@pytest.mark.torture
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")
def test_kill_9_leaves_no_process_and_no_lock(
    up: Callable[[], Up], filled: Settings, with_library: Callable[[Path], None]
) -> None:
    """A killed `up` takes its programs with it; a second one refuses only while the first runs."""
    with_library(filled.warehouse)
    first = up()
    wait_for(lambda: "first poll" in first.text, 30, lambda: first.text)
    second = up()
    assert second.process.wait(timeout=20) == 1
    assert "running already" in second.log.read_text("utf-8")
    # The last program to be started; that it serves is another test's.
    wait_for(
        lambda: any(
            "dagster_webserver" in line for line in processes_of(filled.warehouse).values()
        ),
        80,
        lambda: first.text,
    )
    assert "recent enough" in first.text

    first.process.send_signal(signal.SIGKILL)
    first.process.wait()
    wait_for(
        lambda: not processes_of(filled.warehouse), 12, lambda: str(processes_of(filled.warehouse))
    )


@pytest.mark.parametrize("option", ["--port", "--board-port"])
def test_a_port_in_use_is_told_before_anything_starts(
    ccpay_command, settings: Settings, option: str
) -> None:
    """One line with the way out; nothing was polled."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = ccpay_command("up", option, str(taken.getsockname()[1]))
    assert done.code == 2
    assert option in done.err
    assert not (settings.warehouse / "private").exists()
