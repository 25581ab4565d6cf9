"""The feed `prices`: a price in USD for each fee coin, and for coins that getCoinList had none for,
from getCoinUSDTPrice. Called by the collector, with the ids that plan.py chose.
"""

from __future__ import annotations

from collections.abc import Sequence

from ccpay_io.errors import ApiError
from ccpay_io.feeds.asked import Asked, drift_of, reason_of
from ccpay_io.feeds.poll import Answers
from ccpay_io.feeds.source import Source
from ccpay_io.models import Drift
from ccpay_io.store.datasets import DATASETS

# No limit is documented for one request; 200 ids keep the body well below any usual one.
BATCH = 200


async def ask_prices(source: Source, coin_ids: Sequence[int]) -> Asked:
    """Asks for the prices of these coins, in batches; a batch that fails costs only itself.

    A coin that the API leaves out has no answer: unknown, not zero.
    """
    rows: list[dict[str, object]] = []
    gaps: dict[str, list[tuple[object, ...]]] = {}
    drift: list[Drift] = []
    errors: list[ApiError] = []
    for start in range(0, len(coin_ids), BATCH):
        batch = coin_ids[start : start + BATCH]
        try:
            answer = await source.get_coin_usdt_price(batch)
        except ApiError as error:
            errors.append(error)
            gaps.setdefault(reason_of(error), []).extend((coin_id,) for coin_id in batch)
            continue
        drift.extend(answer.drift)
        rows.extend(
            {"coin_id": coin_id, "state": "ok", "price_usd": answer.prices[coin_id]}
            for coin_id in batch
            if coin_id in answer.prices
        )
        left_out = [(coin_id,) for coin_id in batch if coin_id not in answer.prices]
        if left_out:
            gaps.setdefault("not_in_answer", []).extend(left_out)
    return Asked(
        {"coin_price": Answers(DATASETS["coin_price"].frame(rows), gaps, complete=False)},
        drift=(*drift, *drift_of(*errors)),
        error=errors[0] if errors else None,
    )
