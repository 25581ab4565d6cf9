from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import pytest
from signed_caller import Caller

from ccpay_io.errors import ConfigError
from ccpay_io.sandbox import API_PATH, locate, serving
from ccpay_io.sandbox.faults import Faults
from ccpay_io.sandbox.server import build_app


def port_of(base_url: str) -> int:
    """The port that a sandbox got."""
    return int(base_url.removesuffix(API_PATH).rpartition(":")[2])


def test_it_starts_and_stops_fast(capfd: pytest.CaptureFixture[str]) -> None:
    """A test can afford a sandbox of its own, which leaves no thread and no output behind."""
    before, threads = time.perf_counter(), threading.active_count()
    with serving() as base_url:
        assert httpx.get(f"http://127.0.0.1:{port_of(base_url)}/health").status_code == 200
    assert time.perf_counter() - before < 3
    assert threading.active_count() == threads
    assert capfd.readouterr() == ("", "")


def test_its_port_is_free_again_afterwards() -> None:
    """The same port can be served again at once, as when somebody restarts `ccpay sandbox`."""
    with serving() as first, Caller(first) as caller:
        assert caller.ask("getFiatList")["code"] == 10000
    with serving(port=port_of(first)) as second:
        assert second == first


def test_a_busy_port_is_a_clear_error() -> None:
    """Two sandboxes cannot share a port; the second one says so and how to go on."""
    with (
        serving() as base_url,
        pytest.raises(ConfigError, match="is in use") as caught,
        serving(port=port_of(base_url)),
    ):
        pytest.fail("two sandboxes on one port")
    assert "--port" in caught.value.hint


def test_it_listens_on_loopback_only() -> None:
    """At another address of this machine nothing answers on its port."""
    with serving() as base_url, pytest.raises(OSError, match=r"."):
        socket.create_connection(("127.0.0.2", port_of(base_url)), timeout=1)


def test_a_client_that_gave_up_does_not_hold_up_the_end(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """A slow answer that nobody waits for any more is dropped: stopping stays fast and silent."""
    faults = Faults()
    faults.add("slow:30")
    with serving(build_app(faults=faults)) as base_url:
        with Caller(base_url, timeout_s=0.2) as caller, pytest.raises(httpx.ReadTimeout):
            caller.post("getFiatList")
        before = time.perf_counter()
    assert time.perf_counter() - before < 10
    assert capfd.readouterr() == ("", "")


def test_a_running_sandbox_is_found(tmp_path: Path) -> None:
    """The address in sandbox.url is used while a sandbox answers there, and not afterwards."""
    with serving() as base_url:
        (tmp_path / "sandbox.url").write_text(base_url + "\n")
        assert locate(tmp_path) == base_url
    assert locate(tmp_path) is None


@pytest.mark.parametrize("content", ["", "nonsense", "file:///etc/passwd", "http://[::", "ü"])
def test_an_address_that_is_none_finds_nothing(tmp_path: Path, content: str) -> None:
    """A missing, damaged or foreign sandbox.url is as good as no sandbox, never an error."""
    assert locate(tmp_path) is None
    (tmp_path / "sandbox.url").write_text(content)
    assert locate(tmp_path) is None


class SomebodyElse(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"welcome")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Silent."""


def test_another_server_on_the_port_is_not_a_sandbox(tmp_path: Path) -> None:
    """A port that something else has taken over since is not sent any request of ours."""
    with HTTPServer(("127.0.0.1", 0), SomebodyElse) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        (tmp_path / "sandbox.url").write_text(f"http://127.0.0.1:{server.server_port}{API_PATH}")
        assert locate(tmp_path) is None
        server.shutdown()


def test_a_live_installation_does_not_load_the_server() -> None:
    """Importing the package for its constants brings in neither uvicorn nor the world."""
    script = (
        "import sys, ccpay_io.sandbox as s; assert s.SANDBOX_APP_ID; "
        "print([m for m in ('uvicorn', 'starlette', 'ccpay_io.sandbox.world') if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
