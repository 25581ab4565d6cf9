"""Withdrawals of a merchant whose file is as odd as the API: free, unknown, huge, unheard of.

Called by the tests of this folder, which store them as `ccpay import` does.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from decimal import Decimal

import duckdb
from market import CHAINS, COINS, FEE_COINS
from truth import Withdrawal


def payouts(seed: int, since: datetime, until: datetime, number: int = 150) -> list[Withdrawal]:
    """Withdrawals in this time, a tenth of them within an hour of its ends."""
    rng = random.Random(seed)  # noqa: S311 - the same for everybody
    made = []
    for n in range(number):
        at = since + (until - since) * rng.random()
        if n % 10 == 0:
            at = rng.choice((since, until)) + timedelta(hours=1) * (rng.random() - 1)
        fee = rng.choice((None, Decimal(0), Decimal("0.5"), Decimal("1e-18"), Decimal(7)))
        amount = Decimal(rng.randrange(1, 10**6)).scaleb(-rng.randrange(6))
        if n % 50 == 0:
            amount = Decimal("99999999999999999999.999999999999999999")
        made.append(
            Withdrawal(
                f"payout-{n}",
                at,
                rng.choice([*COINS, 99]),
                rng.choice([*CHAINS, "NEVER"]),
                amount,
                fee,
                None if fee is None else rng.choice([*FEE_COINS, 99]),
            )
        )
    return made


def store_payouts(con: duckdb.DuckDBPyConnection, made: list[Withdrawal]) -> None:
    """Stores them."""
    for one in made:
        con.execute(
            "INSERT INTO store.withdrawal SELECT ?, ?, ?, ?, ?::VARCHAR::DECIMAL(38, 18),"
            " ?::VARCHAR::DECIMAL(38, 18), ?, 'payouts.csv', now()",
            [
                *(one.record_id, one.at, one.coin_id, one.chain, f"{one.amount:f}"),
                *(None if one.fee_amount is None else f"{one.fee_amount:f}", one.fee_coin_id),
            ],
        )
