"""The files of deploy/: what can be checked without a server is, by the programs that read them."""

import re
import shutil
import ssl
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
import yaml

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
UNITS = sorted((DEPLOY / "systemd").glob("ccpay*"))
OURS = {name: one for name, one in COMPOSE["services"].items() if "ccpay" in one["image"]}


def words(name: str) -> str:
    """What a service runs, as one line."""
    return " ".join(OURS[name]["command"])


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not here")
def test_systemd_has_no_complaint(tmp_path: Path) -> None:
    """`systemd-analyze verify` accepts all units, with the programs where they are here."""
    for unit in UNITS:
        text = unit.read_text("utf-8")
        bin_here = str(Path(sys.executable).parent)
        (tmp_path / unit.name).write_text(text.replace("/opt/ccpay/venv/bin", bin_here))
    done = subprocess.run(
        [
            str(shutil.which("systemd-analyze")),
            "verify",
            "--man=no",
            *(str(tmp_path / u.name) for u in UNITS),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    about_ours = [line for line in done.stderr.splitlines() if "ccpay" in line]
    assert (done.returncode, about_ours) == (0, [])


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_units_run_without_rights(unit: Path) -> None:
    """Each service has a user of its own, no capability and a file system that it cannot change."""
    text = unit.read_text("utf-8")
    if unit.suffix == ".service":
        lines = {"User=ccpay", "CapabilityBoundingSet=", "ProtectSystem=strict"}
        assert lines | {"NoNewPrivileges=yes"} <= set(text.splitlines())
    assert not re.search(r"0\.0\.0\.0|\[::\]", text)


def test_only_the_proxy_can_be_reached() -> None:
    """No other container publishes a port, and none of ours but the code server has a way out."""
    services = COMPOSE["services"]
    assert {name for name, one in services.items() if "ports" in one} == {"proxy"}
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    outside = {name for name, one in services.items() if "outside" in one["networks"]}
    assert outside == {"code", "proxy"}
    assert {name for name in OURS if "0.0.0.0" in words(name)} == {"webserver"}  # noqa: S104


def test_containers_have_no_rights_and_secrets_are_files() -> None:
    """Ours run as a user without capabilities; nothing secret is in the file or in a variable."""
    for one in [*OURS.values(), COMPOSE["services"]["proxy"]]:
        assert (one["user"], one["cap_drop"]) == ("10001:10001", ["ALL"])
        assert one["security_opt"] == ["no-new-privileges:true"]
    assert all(one.keys() == {"file"} for one in COMPOSE["secrets"].values())
    for one in COMPOSE["services"].values():
        for name, value in one.get("environment", {}).items():
            assert not re.search("PASSWORD|SECRET", name) or value.startswith("/run/secrets")
    used = {
        each["source"] if isinstance(each, dict) else each
        for one in COMPOSE["services"].values()
        for each in one.get("secrets", [])
    }
    assert used == COMPOSE["secrets"].keys()


def test_both_run_the_same_programs() -> None:
    """What a unit starts, a container starts with the same words, but for address and folder."""
    for name in OURS:
        unit = (DEPLOY / "systemd" / f"ccpay-{name}.service").read_text("utf-8")
        line = re.search(r"^ExecStart=/opt/ccpay/venv/bin/(.*)$", unit, re.MULTILINE)
        assert line
        same = words(name).replace("0.0.0.0", "127.0.0.1").replace("=", " ")  # noqa: S104
        assert line[1] == same


@pytest.mark.slow
@pytest.mark.skipif(
    not (shutil.which("nginx") and shutil.which("openssl")), reason="nginx or openssl is not here"
)
def test_nobody_passes_the_proxy_without_the_login(tmp_path: Path) -> None:
    """Everything asks for the login; with it, the two files of the board are there and no other."""
    run = Proxy(tmp_path)
    try:
        for path in ("/", "/status.json", "/dagster/", "/metrics", "/health", "/.lock", "/x"):
            assert run.get(path).status_code == 401, path
            assert run.get(path, auth=("me", "wrong")).status_code == 401, path
        me = ("me", "canary")
        page = run.get("/", auth=me)
        assert (page.status_code, page.text) == (200, "the board")
        assert page.headers["content-type"].startswith("text/html")
        assert page.headers["x-frame-options"] == "DENY"
        assert run.get("/status.json", auth=me).json() == {}
        statuses = [run.get(path, auth=me).status_code for path in ("/.lock", "/x", "/../login")]
        assert statuses == [404, 404, 404]
        # Nobody is behind these here; the proxy lets them through and says so.
        assert {run.get(path, auth=me).status_code for path in ("/metrics", "/dagster/")} == {502}
    finally:
        run.end()


class Proxy:
    """A real nginx with the template filled in, on a port of its own."""

    def __init__(self, folder: Path) -> None:
        from socket import socket

        board, secrets = folder / "board", folder / "secrets"
        board.mkdir()
        secrets.mkdir()
        (board / "board.html").write_text("the board")
        (board / "status.json").write_text("{}")
        (board / ".lock").write_text("")
        openssl = str(shutil.which("openssl"))
        hashed = subprocess.check_output([openssl, "passwd", "-apr1", "canary"], text=True)
        (secrets / "login").write_text(f"me:{hashed}")
        subprocess.run(
            [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
             "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1",
             "-keyout", secrets / "tls_key", "-out", secrets / "tls_certificate"],
            check=True,
            capture_output=True,
        )  # fmt: skip
        with socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        given = {
            "CCPAY_PORT": f"127.0.0.1:{port}",
            "CCPAY_UI": "127.0.0.1:9",
            "CCPAY_BOARD": str(board),
            "CCPAY_SECRETS": str(secrets),
        }
        site = (DEPLOY / "nginx.conf.template").read_text("utf-8")
        for name, value in given.items():
            site = site.replace(f"${{{name}}}", value)
        temporary = "".join(
            f"{kind}_temp_path {folder}/{kind};"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        config = folder / "nginx.conf"
        config.write_text(
            f"daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;"
            "events {} http { types { text/html html; application/json json; } access_log off;"
            f" {temporary} {site} }}"
        )
        nginx = [str(shutil.which("nginx")), "-e", str(folder / "error.log"), "-c", str(config)]
        self._process = subprocess.Popen(nginx)
        trusted = ssl.create_default_context(cafile=str(secrets / "tls_certificate"))
        transport = httpx.HTTPTransport(verify=trusted, retries=5)
        self._client = httpx.Client(base_url=f"https://127.0.0.1:{port}", transport=transport)

    def get(self, path: str, auth: tuple[str, str] | None = None) -> httpx.Response:
        """One request."""
        return self._client.get(path, auth=auth)

    def end(self) -> None:
        """Ends nginx."""
        self._client.close()
        self._process.terminate()
        self._process.wait()
