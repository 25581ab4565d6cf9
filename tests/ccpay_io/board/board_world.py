"""Nine days of a small market, hour by hour, with everything that a board must be able to show.

ETH is in maintenance since an hour, TON unknown since two, KLAY is no longer listed. The API
answered nothing for six hours three days ago, and nothing was running for four hours five days ago.
The fee on TRX trebled for two hours yesterday. One coin and one chain have names that are HTML.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from ccpay_io.feeds.poll import Answers, Poll, poll_id_at
from ccpay_io.store.datasets import DATASETS

HOUR = timedelta(hours=1)
HOURS = 9 * 24
HOSTILE_COIN = "</script><img src=x onerror=alert(1)>"
HOSTILE_CHAIN = "<b onclick=alert(2)>X</b>"
USDT, USDC, EVIL, TRX, ETH = 1, 2, 3, 10, 11
COINS = {USDT: "USDT", USDC: "USDC", EVIL: HOSTILE_COIN, TRX: "TRX", ETH: "ETH"}
# (coin, chain) -> the fee, the coin of the fee, and the largest payout.
PAIRS: Mapping[tuple[int, str], tuple[str, int, str | None]] = {
    (USDT, "TRX"): ("4.1", TRX, None),
    (USDT, "ETH"): ("0.0004", ETH, None),
    (USDT, "POLYGON"): ("0.015", USDT, "1000"),
    (USDT, "TON"): ("0.3", USDT, None),
    (USDT, "BSC"): ("0.2", USDT, None),
    (USDC, "POLYGON"): ("0.02", USDT, None),
    (USDC, "TRX"): ("3", TRX, None),
    (EVIL, HOSTILE_CHAIN): ("1", USDT, None),
}
CHAINS = ("TRX", "ETH", "POLYGON", "TON", "BSC", HOSTILE_CHAIN)
OUTAGE = range(69, 75)
STANDSTILL = range(117, 121)
SPIKE = range(25, 27)


def polls(end: datetime) -> Iterator[Poll]:
    """Every poll until `end`, oldest first; `end` is a full hour."""
    for ago in range(HOURS, -1, -1):
        if ago in STANDSTILL:
            continue
        at = end - ago * HOUR
        failed = ago in OUTAGE
        yield _poll(at, "chains", None if failed else {"chain": _chains(ago)}, _gaps(ago))
        if ago % 12 == 0 or ago == 0:
            yield _poll(at, "networks", _networks(), cadence_s=12 * 3600)
        yield _poll(at, "fiats", {"fiat": {(7,): {"fiat": "EUR", "usd_rate": "0.8765"}}})
        yield _poll(at, "prices", None if failed else {"coin_price": _prices(ago)})
        yield _poll(at, "fees", None if failed else {"withdraw_fee": _fees(ago)})


def _chains(ago: int) -> dict[tuple[object, ...], Mapping[str, object]]:
    def status(chain: str) -> dict[str, object]:
        down = (chain == "ETH" and ago <= 1) or (chain == "BSC" and 30 <= ago <= 40)
        return {
            "state": "maintenance" if down else "normal",
            "status_raw": "Maintenance" if down else "Normal",
            "needs_memo": chain == "TON",
        }

    names = [chain for chain in CHAINS if not (chain == "TON" and ago <= 2)]
    if ago > 50:
        names.append("KLAY")
    return {(name,): status(name) for name in names}


def _gaps(ago: int) -> dict[str, list[tuple[object, ...]]]:
    return {"unrecognised:Odd": [("TON",)]} if ago <= 2 else {}


def _networks() -> dict[str, dict[tuple[object, ...], Mapping[str, object]]]:
    return {
        "coin": {(i,): {"coin": name, "status": "Normal"} for i, name in COINS.items()},
        "coin_network": {
            (coin, chain): {
                "can_withdraw": True,
                "min_withdraw_amount": "10",
                "max_withdraw_amount": most,
                "needs_memo": chain == "TON",
            }
            for (coin, chain), (_, _, most) in PAIRS.items()
        },
    }


def _prices(ago: int) -> dict[tuple[object, ...], Mapping[str, object]]:
    trx = Decimal("0.25") + Decimal(ago % 24) / 1000
    prices = {USDT: Decimal(1), TRX: trx, ETH: Decimal(2500 + ago)}
    return {(coin,): {"price_usd": price} for coin, price in prices.items()}


def _fees(ago: int) -> dict[tuple[object, ...], Mapping[str, object]]:
    def fee(chain: str, amount: str, coin: int) -> dict[str, object]:
        times = 3 if chain == "TRX" and ago in SPIKE else 1
        moved = Decimal(amount) * times * (100 + ago % 7) / 100
        return {"fee_amount": moved, "fee_coin_id": coin, "fee_coin": COINS[coin]}

    found: dict[tuple[object, ...], Mapping[str, object]] = {
        (coin, chain): fee(chain, amount, fee_coin)
        for (coin, chain), (amount, fee_coin, _) in PAIRS.items()
    }
    if ago == 0:
        found[(USDC, "TRX")] = {"state": "refused", "refusal_code": 13004}
    return found


def _poll(
    at: datetime,
    feed: str,
    answers: Mapping[str, Mapping[tuple[object, ...], Mapping[str, object]]] | None,
    gaps: Mapping[str, list[tuple[object, ...]]] | None = None,
    *,
    cadence_s: int = 3600,
) -> Poll:
    frames = {}
    for name, rows in (answers or {}).items():
        spec = DATASETS[name]
        amounts = {key for key in spec.values if key.endswith(("amount", "_rate", "_usd"))}
        full = [
            {
                "state": "ok",
                **dict(zip(spec.keys, key, strict=True)),
                **{k: Decimal(v) if k in amounts and v else v for k, v in values.items()},
            }
            for key, values in rows.items()
        ]
        complete = name != "coin_price"
        frames[name] = Answers(spec.frame(full), gaps or {}, complete=complete)
    return Poll(
        poll_id=poll_id_at(at),
        feed=feed,
        outcome="failed" if answers is None else "partial" if gaps else "ok",
        started_at=at,
        observed_at=at + timedelta(seconds=1),
        requests=1,
        answers=frames,
        writer="test",
        cadence_s=cadence_s,
        error_name="TimedOut" if answers is None else None,
    )
