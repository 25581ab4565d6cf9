"""The feed `prices`: a price in USD for each fee coin, and for coins that getCoinList had none for,
from getCoinUSDTPrice. Called by the collector, with the ids that plan.py chose.
"""

from __future__ import annotations

from collections.abc import Sequence

from ccpay_io.feeds.asked import Asked
from ccpay_io.feeds.poll import Answers
from ccpay_io.feeds.source import Source
from ccpay_io.models import Drift
from ccpay_io.store.datasets import DATASETS

# No limit is documented for one request; 200 ids keep the body well below any usual one.
BATCH = 200


async def ask_prices(source: Source, coin_ids: Sequence[int]) -> Asked:
    """Asks for the prices of these coins, in batches.

    A coin that the API leaves out has no answer: unknown, not zero.

    Raises:
        ApiError: a batch has no answer.
    """
    rows: list[dict[str, object]] = []
    drift: list[Drift] = []
    for start in range(0, len(coin_ids), BATCH):
        answer = await source.get_coin_usdt_price(coin_ids[start : start + BATCH])
        drift.extend(answer.drift)
        rows.extend(
            {"coin_id": coin_id, "state": "ok", "price_usd": price}
            for coin_id, price in answer.prices.items()
        )
    answered = {row["coin_id"] for row in rows}
    missing: list[tuple[object, ...]] = [(c,) for c in coin_ids if c not in answered]
    gaps = {"not_in_answer": missing} if missing else {}
    frame = DATASETS["coin_price"].frame(rows)
    return Asked({"coin_price": Answers(frame, gaps, complete=False)}, drift=tuple(drift))
