"""The feed `fiats`: units of each fiat per US dollar, from getFiatList. Called by the collector."""

from __future__ import annotations

from ccpay_io.feeds.asked import Asked, drift_gaps
from ccpay_io.feeds.poll import Answers
from ccpay_io.feeds.source import Source
from ccpay_io.store.datasets import DATASETS


async def ask_fiats(source: Source) -> Asked:
    """Asks for all fiats.

    Raises:
        ApiError: there is no answer.
    """
    answer = await source.get_fiat_list()
    gaps = drift_gaps(answer.drift, 1)
    frame = DATASETS["fiat"].frame(
        [
            {
                "fiat_id": fiat.fiat_id,
                "state": "ok",
                "fiat": fiat.symbol,
                "usd_rate": fiat.usd_rate,
                "mark": fiat.mark,
                "logo_url": fiat.logo_url,
            }
            for fiat in answer.items
        ]
    )
    answers = Answers(frame, gaps, complete=not answer.nameless)
    return Asked({"fiat": answers}, len(frame) + answers.unknown + answer.nameless, answer.drift)
