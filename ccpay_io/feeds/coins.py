"""The feed `coins`: the swappable coins, from getSwapCoinList. Called by the collector."""

from __future__ import annotations

from ccpay_io.feeds.asked import Asked, drift_gaps
from ccpay_io.feeds.poll import Answers
from ccpay_io.feeds.source import Source
from ccpay_io.store.datasets import DATASETS


async def ask_coins(source: Source) -> Asked:
    """Asks for the swappable coins; the list has what the merchant added in the dashboard.

    Raises:
        ApiError: there is no answer.
    """
    answer = await source.get_swap_coin_list()
    gaps = drift_gaps(answer.drift, 1)
    frame = DATASETS["swap_coin"].frame(
        [
            {"coin_id": c.coin_id, "state": "ok", "coin": c.symbol, "logo_url": c.logo_url}
            for c in answer.items
        ]
    )
    answers = Answers(frame, gaps, complete=not answer.nameless)
    return Asked(
        {"swap_coin": answers}, len(frame) + answers.unknown + answer.nameless, answer.drift
    )
