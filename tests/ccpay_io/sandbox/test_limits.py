"""A sandbox that limits, bans, runs out and has a clock of its own, on request and by a script."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from signed_caller import Caller

from ccpay_io.client import CcpayClient
from ccpay_io.errors import ConfigError
from ccpay_io.pacing import Pacer
from ccpay_io.sandbox import SANDBOX_APP_ID, serving
from ccpay_io.sandbox.faults import Faults
from ccpay_io.sandbox.limits import Limits
from ccpay_io.sandbox.replies import Refused
from ccpay_io.sandbox.scenario import Scenario, Stage, read_scenario
from ccpay_io.sandbox.server import build_app
from ccpay_io.sandbox.verifying import Verifier
from ccpay_io.sandbox.world import World
from ccpay_io.settings import Credentials, Secret


@dataclass
class Clock:
    """Time that the test moves."""

    now: float = 0

    def __call__(self) -> float:
        return self.now


def codes(limits: Limits, requests: int) -> list[int]:
    """What becomes of so many requests at this moment."""
    found = []
    for _ in range(requests):
        try:
            limits.admit()
            found.append(10000)
        except Refused as refused:
            found.append(refused.code)
    return found


def test_without_limits_everything_is_admitted() -> None:
    """A sandbox that nobody limited refuses nothing."""
    assert codes(Limits(), 1000) == [10000] * 1000


def test_a_pace_is_kept_and_whoever_ignores_it_is_banned() -> None:
    """A burst of a second is allowed, then 11004; after so many of them 11014, for good."""
    clock = Clock()
    limits = Limits(clock=clock)
    limits.set(rps=5, ban_after=3)
    assert codes(limits, 7) == [10000] * 5 + [11004] * 2
    clock.now = 1
    assert codes(limits, 7) == [10000] * 5 + [11004, 11014]
    clock.now = 3600
    assert codes(limits, 1) == [11014]
    limits.set()
    assert codes(limits, 1) == [10000]


def test_a_quota_ends() -> None:
    """After so many requests every one is 11009."""
    limits = Limits()
    limits.set(quota=2)
    assert codes(limits, 4) == [10000, 10000, 11009, 11009]


@pytest.mark.parametrize("wrong", [{"rps": 0}, {"quota": -1}, {"ban_after": "x"}, {"pace": 1}])
def test_limits_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    """They fail where they are written."""
    with pytest.raises((ValueError, TypeError)):
        Limits().set(**wrong)


@pytest.fixture(scope="module")
def rsa_key(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A key that OpenSSL made."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("OpenSSL is not installed")
    path = tmp_path_factory.mktemp("key") / "key.pem"
    subprocess.run([openssl, "genrsa", "-out", path, "2048"], check=True, capture_output=True)
    return path.read_text()


@pytest.fixture(scope="module")
def caller(rsa_key: str) -> Iterator[Caller]:
    """A quiet sandbox that accepts RSA signatures too."""
    with serving(build_app(World(lively=False), rsa_key=rsa_key)) as url, Caller(url) as found:
        yield found


def test_limits_are_set_and_shown_at_the_admin_corner(caller: Caller) -> None:
    """One request sets them, refusals come as codes, an empty object takes them away."""
    where = f"{caller.admin_url}/admin/limits"
    assert caller.http.post(where, json={"quota": 1}).json()["quota"] == 1
    assert [caller.ask("getFiatList")["code"] for _ in range(2)] == [10000, 11009]
    assert caller.http.get(where).json()["allowed"] == 1
    assert caller.http.post(where, json={"quota": "many"}).status_code == 400
    assert caller.http.post(where, json={}).json()["quota"] is None
    assert caller.ask("getFiatList")["code"] == 10000


def test_its_clock_can_be_off(caller: Caller) -> None:
    """Requests are expired by the sandbox's clock then, and its Date header tells what it is."""
    where = f"{caller.admin_url}/admin/clock"
    before = caller.post("getFiatList", b"{}").headers["Date"]
    caller.http.post(where, json={"skew_s": 86_400})
    try:
        answer = caller.post("getFiatList", b"{}")
        assert answer.json()["code"] == 11006
        assert answer.headers["Date"][:16] != before[:16]
        assert caller.http.post(where, json={"skew_s": "x"}).status_code == 400
    finally:
        caller.http.post(where, json={"skew_s": 0})
    assert caller.ask("getFiatList")["code"] == 10000


def test_lists_can_have_everything_twice(caller: Caller) -> None:
    """Each item comes twice, and in another order."""
    where = f"{caller.admin_url}/admin/faults"
    once = caller.data("getFiatList")["fiats"]
    caller.http.post(where, json={"fault": "double", "endpoint": "getFiatList"})
    try:
        twice = caller.data("getFiatList")["fiats"]
    finally:
        caller.http.delete(where)
    assert len(twice) == 2 * len(once)
    assert sorted(f["symbol"] for f in twice) == sorted(2 * [f["symbol"] for f in once])


def test_the_client_signs_with_rsa_and_the_sandbox_understands(
    caller: Caller, rsa_key: str, tmp_path: Path
) -> None:
    """An account without a secret is answered, also after its clock was corrected."""
    caller.http.post(f"{caller.admin_url}/admin/clock", json={"skew_s": 600})
    pacer = Pacer(tmp_path / "limits.sqlite", credentials_key="x", daily_budget=100)
    account = Credentials(Secret(SANDBOX_APP_ID), Secret(""), Secret(rsa_key))

    async def ask() -> tuple[int, float]:
        async with CcpayClient(account, base_url=caller.base_url, pacer=pacer) as client:
            return len((await client.get_fiat_list()).items), client.clock_skew_s

    try:
        items, skew_s = asyncio.run(ask())
    finally:
        caller.http.post(f"{caller.admin_url}/admin/clock", json={"skew_s": 0})
    assert items > 10
    assert skew_s == pytest.approx(600, abs=5)


@pytest.mark.parametrize("signature", ["", "!", "AAAA", "0" * 64])
def test_a_signature_of_neither_kind_is_refused(caller: Caller, signature: str) -> None:
    """Neither hex nor base64 of something else gets an answer."""
    answer = caller.post("getFiatList", b"{}", changed={"Sign": signature})
    assert answer.json()["code"] == 11005


SCENARIO = """
[[step]]
at = 0
limits = { quota = 5 }
fault = { fault = "code:11002", times = 1 }
[[step]]
at = 10
chains = { TRX = "Maintain", ETH = "Maintain" }
skew_s = 30
[[step]]
at = 20
chains = { ETH = "" }
[[step]]
at = 30
clear = true
limits = {}
"""


def test_a_scenario_goes_by_time(tmp_path: Path) -> None:
    """Each step is taken when its time has come, and not before."""
    path = tmp_path / "bad-day.toml"
    path.write_text(SCENARIO)
    scenario = read_scenario(path)
    stage = Stage(Faults(), Limits(), Verifier({}))
    scenario.catch_up(5, stage)
    assert stage.limits.quota == 5
    assert [fault.fault for fault in stage.faults.active] == ["code:11002"]
    assert stage.faults.statuses == {}
    scenario.catch_up(25, stage)
    assert stage.faults.statuses == {"TRX": "Maintain"}
    assert stage.verifier.skew_s == 30
    scenario.catch_up(1000, stage)
    assert (stage.faults.active, stage.faults.statuses, stage.limits.quota) == ([], {}, None)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[step]]\nfault = 1", "no `at`"),
        ("[[step]]\nat = 1\nboom = 2", "step 1: no boom"),
        ('[[step]]\nat = 1\nfault = { fault = "explode" }', "no fault 'explode'"),
        ("[[step]]\nat = 1\nchains = 3", "step 1"),
        ("[[step]]\nat = 9\n[[step]]\nat = 1", "step 2 is earlier"),
        ("[[steps]]\nat = 1", "a list of"),
        ("step = 3", "a list of"),
        ("", "a list of"),
        ("not toml", "bad.toml"),
    ],
)
def test_a_scenario_that_is_wrong_is_refused_before_it_begins(
    tmp_path: Path, text: str, says: str
) -> None:
    """One line names the file, the step and what is wrong with it."""
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=says):
        read_scenario(path)


def test_a_server_follows_its_scenario() -> None:
    """Over HTTP a step that is due is in force for the request that finds it due."""
    steps = Scenario([{"at": 0, "fault": {"fault": "code:11002", "times": 1}}])
    with serving(build_app(World(lively=False), scenario=steps)) as url, Caller(url) as caller:
        assert [caller.ask("getFiatList")["code"] for _ in range(2)] == [11002, 10000]
