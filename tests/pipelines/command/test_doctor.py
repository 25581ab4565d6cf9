import json
from pathlib import Path
from typing import Any

import pytest

from ccpay_io.doctor.api import egress
from ccpay_io.feeds.session import open_pacer, open_warehouse
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


def test_it_says_what_is_watched_and_why(ccpay_command, filled: Settings, tmp_path: Path) -> None:
    """Chains by name and where they come from: your coins, or what ccpay.toml names."""
    own = ccpay_command("doctor")
    assert "; those that carry your coins" in own.out
    (tmp_path / "ccpay.toml").write_text('[watch]\nchains = ["TRX"]\n', "utf-8")
    changed = ccpay_command("doctor")
    assert "until the next publication 66 chains" in changed.out
    ccpay_command("watch", "--once")
    open_warehouse(load_settings()).publish(force=True)
    named = ccpay_command("doctor")
    assert "watched: 1 chains: TRX; those named in ccpay.toml: TRX" in named.out


def test_nobody_waiting_for_signs_of_life_is_a_warning(ccpay_command, filled: Settings) -> None:
    """What does not run cannot alert."""
    done = ccpay_command("doctor")
    assert done.code == 0
    assert "warn  heartbeat" in done.out
    assert "set CCPAY_HEARTBEAT_URL" in done.out


def test_the_address_of_the_dead_man_is_not_shown(
    ccpay_command, filled: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That it is set is all there is to say."""
    monkeypatch.setenv("CCPAY_HEARTBEAT_URL", "https://life.example/token-of-life")
    done = ccpay_command("doctor", "--debug")
    assert "ok    heartbeat" in done.out
    assert "token-of-life" not in done.out + done.err


def bundle_of(settings: Settings) -> dict[str, Any]:
    """What `--contract` wrote: endpoint -> its part."""
    (path,) = settings.warehouse.glob("contract-*.json")
    assert path.stat().st_mode & 0o077 == 0
    told = json.loads(path.read_text())["endpoints"]
    return {part["endpoint"]: part for part in told}


def test_the_contract_is_compared_with_what_is_answered(ccpay_command, filled: Settings) -> None:
    """A sandbox that does as documented has no deviation, and its fields are in the bundle."""
    done = ccpay_command("doctor", "--contract")
    assert done.code == 0
    assert done.out.count(": is as documented") == 8
    told = bundle_of(filled)
    assert len(told) == 8
    assert told["getFiatList"]["fields"]["data.fiats[].usdRate string"] > 5
    assert told["getCoinList"]["fields"]["data.coins[].networks.*.canWithdraw boolean"] > 5
    assert len(told["getChainList"]["first"]["data"]["chains"]) == 1


def test_a_deviation_is_told_and_bundled_without_secrets(
    ccpay_command, filled: Settings, faults: Faults
) -> None:
    """New fields, unknown codes, pages that quote headers: told, and nothing secret in a file."""
    faults.add("set:colour=7", "getFiatList")
    faults.add("code:17007", "getChainList")
    faults.add("echo", "getCoinList")
    done = ccpay_command("doctor", "--contract")
    assert done.code == 1
    assert "warn  getFiatList: is not as documented: new_field at data.fiats[].colour" in done.out
    assert "warn  getChainList: is not as documented: unknown_code at code" in done.out
    assert "wrong getCoinList" in done.out
    told = bundle_of(filled)
    assert told["getFiatList"]["deviations"][0]["kind"] == "new_field"
    assert told["getChainList"]["code"] == 17007
    text = json.dumps(told)
    assert filled.credentials.app_id.reveal() not in text
    assert filled.credentials.app_secret.reveal() not in text
