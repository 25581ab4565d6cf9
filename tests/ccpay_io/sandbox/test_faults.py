from __future__ import annotations

from typing import Any

import pytest

from ccpay_io.sandbox.faults import Faults


def test_without_faults_nothing_is_wrong() -> None:
    """A fresh sandbox spoils no request."""
    assert Faults().take("getChainList", {}) is None


def test_a_fault_hits_every_endpoint_unless_one_is_named() -> None:
    """Without an endpoint it hits all, with one only that one."""
    faults = Faults()
    faults.add("null", "getChainList")
    assert faults.take("getChainList", {}) == "null"
    assert faults.take("getFiatList", {}) is None
    faults.add("html")
    assert faults.take("getFiatList", {}) == "html"


def test_a_fault_ends_after_so_many_times() -> None:
    """`times` counts requests that were hit, not those that were not."""
    faults = Faults()
    faults.add("status:500", "getWithdrawFee", times=2)
    asked = ("getFiatList", "getWithdrawFee", "getWithdrawFee", "getWithdrawFee")
    assert [faults.take(endpoint, {}) for endpoint in asked] == [
        None,
        "status:500",
        "status:500",
        None,
    ]


def test_a_fault_can_be_for_some_requests_only() -> None:
    """All fields of `match` have to be in the request with the same value."""
    faults = Faults()
    faults.add("code:13004", match={"coinId": 1280, "chain": "TRX"})
    assert faults.take("getWithdrawFee", {"coinId": 1280, "chain": "TRX"}) == "code:13004"
    assert faults.take("getWithdrawFee", {"coinId": 1280, "chain": "BSC"}) is None
    assert faults.take("getWithdrawFee", {}) is None


def test_the_first_fault_that_hits_wins() -> None:
    """A fault that is used up makes way for the next one: a script of misbehaviour."""
    faults = Faults()
    faults.add("code:11004", times=1)
    faults.add("slow:1")
    assert [faults.take("getFiatList", {}) for _ in range(3)] == ["code:11004", "slow:1", "slow:1"]


def test_clear_ends_everything_but_the_count() -> None:
    """Faults and pinned statuses go; the count of requests stays."""
    faults = Faults()
    faults.add("cut")
    faults.statuses["TRX"] = "Maintenance"
    faults.requests["getFiatList"] += 1
    faults.clear()
    assert (faults.active, faults.statuses, dict(faults.requests)) == ([], {}, {"getFiatList": 1})


@pytest.mark.parametrize(
    "fault", ["", "explode", "code:soon", "status:", "slow:x", "set:a=", "set"]
)
def test_faults_that_do_not_exist_are_refused_at_once(fault: Any) -> None:
    """A misspelt fault fails where it is written, not silently as a test that tests nothing."""
    with pytest.raises(ValueError, match=r"."):
        Faults().add(fault)
