from __future__ import annotations

import pytest

from ccpay_io.sandbox.addresses import is_plausible


@pytest.mark.parametrize(
    ("chain", "evm", "address"),
    [
        ("POLYGON", True, "0x43fEeF6879286BBAC5082f17AD3dA55EE456B934"),
        ("TRX", False, "TN3W4H6rK2ce4vX9YnFQHwKENnHjoxb3m9"),
        ("BTC", False, "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq"),
        ("SOL", False, "AFJtnuqGMaj5jAo6Pwxo28r1f7XAXXTSA8q3rG3q8b4A"),
        ("TON", False, "UQ" + "a" * 46),
        ("XRP", False, "rEb8TK3gBgk5auZkwc6sHnwrGVJH8DuaLh"),
    ],
)
def test_addresses_of_the_chain_are_plausible(chain: str, evm: bool, address: str) -> None:
    """An address of the chain's own form passes."""
    assert is_plausible(chain, address, evm=evm)


@pytest.mark.parametrize(
    ("chain", "evm", "address"),
    [
        ("POLYGON", True, "TN3W4H6rK2ce4vX9YnFQHwKENnHjoxb3m9"),
        ("POLYGON", True, "0x43fEeF6879286BBAC5082f17AD3dA55EE456B93"),
        ("TRX", False, "0x43fEeF6879286BBAC5082f17AD3dA55EE456B934"),
        ("TRX", False, "TN3W4H6rK2ce4vX9YnFQHwKENnHjoxb3m9\n"),
        ("XRP", False, ""),
        ("XRP", False, "with a space in the middle"),
    ],
)
def test_addresses_of_another_form_are_not(chain: str, evm: bool, address: str) -> None:
    """Another chain's address, one that is too short, and one with white space do not pass."""
    assert not is_plausible(chain, address, evm=evm)
