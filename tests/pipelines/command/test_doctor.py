from pathlib import Path

import pytest

from ccpay_io.doctor import egress
from ccpay_io.feeds.session import open_pacer
from ccpay_io.sandbox.faults import Faults
from ccpay_io.settings import Settings, load_settings


def test_a_healthy_installation(ccpay_command, filled: Settings) -> None:
    """Every endpoint answers, and nothing is wrong."""
    done = ccpay_command("doctor")
    assert done.code == 0
    assert "wrong" not in done.out
    assert done.out.count(": answers") == 8


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("code:12002", "requests leave from 127.0.0.1"),
        ("code:11005", "check CCPAY_APP_ID and CCPAY_APP_SECRET"),
        ("code:12000", "ask https"),
    ],
)
def test_what_holds_for_all_endpoints_is_asked_once(
    ccpay_command, settings: Settings, faults: Faults, fault: str, said: str
) -> None:
    """A wrong key or address is told with its next step, and not eight times."""
    faults.add(fault)
    done = ccpay_command("doctor")
    assert done.code == 1
    assert said in done.out
    assert done.out.count("wrong ") == 1
    assert sum(faults.requests.values()) == 1


def test_behind_a_proxy_its_address_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """CCPayment's whitelist needs the proxy's public address, not this machine's."""
    account = {"CCPAY_APP_ID": "an-id", "CCPAY_APP_SECRET": "a-secret"}
    monkeypatch.setenv("https_proxy", "http://user:hunter22@proxy.invalid:3128")
    told = egress(load_settings(account, cwd=tmp_path))
    assert "through the proxy proxy.invalid" in told
    assert "hunter22" not in told


def test_one_forbidden_endpoint_does_not_hide_the_others(
    ccpay_command, settings: Settings, faults: Faults
) -> None:
    """An account may lack one endpoint; the others are still looked at."""
    faults.add("status:404", "getCoinList")
    done = ccpay_command("doctor")
    assert "wrong getCoinList" in done.out
    assert "ok    getWithdrawFee" in done.out


def test_a_ban_is_told_and_rearmed(ccpay_command, settings: Settings, faults: Faults) -> None:
    """After 11014 nothing is asked until somebody says so."""
    faults.add("code:11014", times=1)
    ccpay_command("doctor")
    asked = sum(faults.requests.values())

    banned = ccpay_command("doctor")
    assert banned.code == 1
    assert "ccpay doctor --rearm" in banned.out
    assert sum(faults.requests.values()) == asked

    assert ccpay_command("doctor", "--rearm").code == 0
    assert open_pacer(settings).status().breaker_since is None
