"""verify finds what is broken."""

from __future__ import annotations

from typing import Any

import pytest

from ccpay_io.store.verify import verify
from ccpay_io.store.writer import Warehouse

DAMAGE = {
    "each poll has one ledger row": "INSERT INTO store.poll SELECT * FROM store.poll LIMIT 1",
    "fees: rows match the ledger": "UPDATE store.poll SET changed_count = changed_count + 1",
    "withdraw_fee: nothing is stored twice": (
        "INSERT INTO store.withdraw_fee_current SELECT * FROM store.withdraw_fee_current LIMIT 1"
    ),
    "withdraw_fee: each row has its polls and entity": "DELETE FROM store.withdraw_fee_entity",
    "fees: unknown entities match the ledger": "UPDATE store.poll SET unknown_count = 1",
    "withdraw_fee: stretches follow each other": (
        "INSERT INTO store.withdraw_fee_stretch BY NAME SELECT entity_id, since_no AS from_no,"
        " since_no AS to_no, state FROM store.withdraw_fee_current LIMIT 1"
    ),
    "withdraw_fee: each row is a change": (
        "UPDATE store.withdraw_fee_current SET fee_amount = 1 WHERE entity_id = 1"
    ),
    "each poll has its number": "UPDATE store.poll SET poll_no = 1",
}


@pytest.mark.parametrize("promise", DAMAGE)
def test_each_kind_of_damage_is_found(
    warehouse: Warehouse, poll: Any, fee: Any, promise: str
) -> None:
    """A clean warehouse passes every check; damaged on purpose, it fails the right one."""
    warehouse.commit([poll(0, {(1, "ETH"): fee("1"), (2, "ETH"): fee("1")})])
    warehouse.commit([poll(5, {(1, "ETH"): fee("2")})])
    assert [finding for finding in verify(warehouse) if not finding.ok] == []

    with warehouse.transaction() as con:
        con.execute(DAMAGE[promise])

    assert promise in {finding.what for finding in verify(warehouse) if not finding.ok}


@pytest.mark.folder
def test_a_published_file_that_is_damaged_is_found(
    warehouse: Warehouse, poll: Any, fee: Any
) -> None:
    """A publication that does not open is reported, and the checks go on."""
    warehouse.commit([poll(0, {(1, "ETH"): fee("1")})])
    version = warehouse.publish(force=True)
    assert version is not None
    version.chmod(0o644)
    version.write_bytes(b"garbage" * 5000)

    (finding,) = [finding for finding in verify(warehouse) if not finding.ok]

    assert finding.what == "the published file is a whole copy"
