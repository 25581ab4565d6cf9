"""Raw files for invented polls, as the collector would have kept them.

Owns what the API would have answered, in its own words, and nothing else: the form of the files is
the store's. Called by hour.py.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from ccpay_io.client import Exchange
from ccpay_io.feeds.poll import Poll
from ccpay_io.store.raw import write_raw

# Feed -> endpoint of its one request. Fees are asked pair by pair.
_LISTS = {
    "chains": "getChainList",
    "fiats": "getFiatList",
    "coins": "getSwapCoinList",
    "networks": "getCoinList",
    "prices": "getCoinUSDTPrice",
}


def with_raw(root: Path, poll: Poll, source: random.Random) -> Poll:
    """Writes the raw file of a poll and names it in the poll.

    Args:
        root: the warehouse folder.
        poll: invented by history.py.
        source: of the ids that are new in each answer.
    """
    header = {
        "feed": poll.feed,
        "poll_id": poll.poll_id,
        "started_at": poll.started_at.isoformat(),
        "observed_at": poll.observed_at.isoformat(),
        "writer": poll.writer,
        "cadence_s": poll.cadence_s,
    }
    exchanges = [
        Exchange(endpoint, json.dumps(request).encode(), 200, _envelope(data), poll.observed_at)
        for endpoint, request, data in _answers(poll, source)
    ]
    return replace(poll, raw=write_raw(root, header, exchanges, redact=lambda text: text))


def _answers(poll: Poll, source: random.Random) -> Iterator[tuple[str, Any, Any]]:
    if poll.feed != "fees":
        rows = [row for x in poll.answers.values() for row in x.frame.iter_rows(named=True)]
        yield _LISTS[poll.feed], {}, {"list": rows}
        return
    for row in poll.answers["withdraw_fee"].frame.iter_rows(named=True):
        fee = {
            "coinId": row["fee_coin_id"],
            "coinSymbol": row["fee_coin"],
            "amount": format(row["fee_amount"].normalize(), "f"),
            "networkFeeInquiryID": f"{source.getrandbits(128):032x}",
        }
        yield "getWithdrawFee", {"coinId": row["coin_id"], "chain": row["chain"]}, {"fee": fee}


def _envelope(data: Any) -> bytes:
    return json.dumps({"code": 10000, "msg": "success", "data": data}, default=str).encode()
