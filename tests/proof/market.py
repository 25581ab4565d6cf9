"""What a hostile API says: amounts at the edges, refusals, things that vanish, return and change.

Owns the entities and what each poll of a feed learns of them. Does not decide when polls happen
and which of them fail (hostile.py does). Each call of `ask` moves the market on.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from ccpay_io.feeds.chains import chain_state
from ccpay_io.feeds.poll import Answers
from ccpay_io.store.datasets import DATASETS

CHAINS = ("ETH", "TRX", "BSC", "SOL", "POLYGON", "TON", "XRP")
# Two coins have the same symbol; 7 and 8 pay fees and are in no list.
COINS = {1: "USDT", 2: "USDC", 3: "ETH", 4: "TRX", 5: "BNB", 6: "USDT"}
FEE_COINS = {**COINS, 7: "MATIC", 8: "SOL"}
FIATS = {1: "USD", 2: "EUR", 3: "KWD", 4: "IRR"}
PAIRS = tuple(
    (coin, chain)
    for coin in COINS
    for number, chain in enumerate(CHAINS)
    if (coin * 3 + number) % 7 < 3 or coin == 1
)
PAYEES = (("till", "TRX", "sha256:aa"), ("till", "ETH", "sha256:bb"), ("safe", "ETH", "sha256:bb"))
_WORDS = ("Normal", "Normal", "Normal", "Maintenance", "Maintain", " maintenance ", "Frozen")
_REFUSALS = (13000, 13001, 13004, 14004)
_REASONS = ("deadline", "not_asked", "TimedOut", "11004 RateLimited")
_EDGES = (
    "0.000000000000000001",
    "99999999999999999999.999999999999999999",
    "100000000000000000",
    "0",
    "0.5",
    "1e-12",
    "0.0000000000005",
)

Row = dict[str, Any]
Key = tuple[Any, ...]


class Market:
    """Everything there is to ask, as it is at the moment."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._rows: dict[str, dict[Key, Row | None]] = {}
        self._inquiry = 0

    def ask(self, feed: str) -> dict[str, Answers]:
        """What the next poll of this feed learns, by dataset."""
        match feed:
            case "chains":
                return {"chain": self._told("chain", [(c,) for c in CHAINS], self._chain, 0.02)}
            case "fiats":
                return {"fiat": self._told("fiat", [(f,) for f in FIATS], self._fiat, 0.03)}
            case "coins":
                coins = [(c,) for c in COINS if c != 5]
                return {"swap_coin": self._told("swap_coin", coins, self._swap_coin, 0.0)}
            case "networks":
                return self._networks()
            case "prices":
                some = [(c,) for c in FEE_COINS]
                return {"coin_price": self._told("coin_price", some, self._price, 0.06, False)}
            case "fees":
                return {"withdraw_fee": self._told("withdraw_fee", PAIRS, self._fee, 0.08)}
        users = [("till", "sha256:cc"), ("safe", "sha256:dd")]
        return {
            "address_validity": self._told("address_validity", PAYEES, self._payee, 0.1),
            "cwallet_user": self._told("cwallet_user", users, self._user, 0.1),
        }

    def _networks(self) -> dict[str, Answers]:
        some = [(c,) for c in COINS if c != 3]
        return {
            "coin": self._told("coin", [(c,) for c in COINS], self._coin, 0.02),
            "coin_network": self._told("coin_network", PAIRS, self._network, 0.02),
            "coin_price": self._told("coin_price", some, self._price, 0.0, False),
        }

    def _told(
        self,
        name: str,
        keys: list[Key] | tuple[Key, ...],
        invent: Callable[[Key, Row], Row],
        silence: float,
        complete: bool = True,
    ) -> Answers:
        """Each entity stays as it is, changes, vanishes, returns, or has no answer this time."""
        known = self._rows.setdefault(name, {})
        rows: list[Row] = []
        gaps: dict[str, list[Key]] = {}
        bad_day = self._rng.random() < 0.1
        for key in self._rng.sample(keys, len(keys)):
            row = known[key] = self._moved(known.get(key), key, invent, key in known)
            if self._rng.random() < (4 * silence if bad_day else silence / 4):
                gaps.setdefault(self._rng.choice(_REASONS), []).append(key)
            elif row is None and name == "coin_price" and silence:
                # getCoinUSDTPrice is asked for coins, and its answer may leave one out.
                gaps.setdefault("not_in_answer", []).append(key)
            elif row is not None:
                rows.append(
                    {"state": "ok", **dict(zip(DATASETS[name].keys, key, strict=True)), **row}
                )
        if name == "withdraw_fee":
            for row in rows:
                self._inquiry += 1
                row["network_fee_inquiry_id"] = str(self._inquiry)
        return Answers(DATASETS[name].frame(rows), gaps, complete=complete)

    def _moved(
        self, row: Row | None, key: Key, invent: Callable[[Key, Row], Row], is_known: bool
    ) -> Row | None:
        luck = self._rng.random()
        if row is None:
            # Unlisted so far, or gone: comes, or comes back, as something new.
            return invent(key, {}) if luck < (0.2 if is_known else 0.8) else None
        if luck < 0.012:
            return None
        return invent(key, row) if luck < 0.15 else row

    def _amount(self) -> Decimal:
        luck = self._rng.random()
        if luck < 0.12:
            return Decimal(self._rng.choice(_EDGES))
        digits = self._rng.randrange(1, 10 ** self._rng.randrange(1, 9))
        return Decimal(digits).scaleb(-self._rng.randrange(0, 9))

    def _chain(self, key: Key, row: Row) -> Row:
        if row and self._rng.random() < 0.4:
            return row | {"confirmations": self._rng.randrange(100)}
        word = self._rng.choice(_WORDS)
        return {
            "state": chain_state(word),
            "status_raw": word,
            "is_evm": key[0] in ("ETH", "BSC", "POLYGON"),
            "needs_memo": self._rng.choice((True, False, None)),
            "confirmations": self._rng.choice((None, 1, 12)),
            "chain_full_name": f"{key[0]} {self._rng.randrange(3)}",
            "explorer_url": "https://explorer.example",
            "logo_url": f"https://logo.example/{self._rng.randrange(3)}",
        }

    def _fiat(self, key: Key, row: Row) -> Row:
        name = FIATS[key[0]]
        rate = Decimal(1) if name == "USD" else self._amount()
        return {"fiat": name, "usd_rate": rate, "mark": name[0]}

    def _swap_coin(self, key: Key, row: Row) -> Row:
        return {"coin": COINS[key[0]], "logo_url": f"https://logo.example/{key[0]}"}

    def _coin(self, key: Key, row: Row) -> Row:
        renamed = key[0] == 5 and self._rng.random() < 0.5
        return {
            "coin": "BNB2" if renamed else COINS[key[0]],
            "status": self._rng.choice(("Normal", "Maintain", "Pre-delisting")),
            "coin_full_name": f"Coin {key[0]}",
            "logo_url": f"https://logo.example/{key[0]}?",
        }

    def _network(self, key: Key, row: Row) -> Row:
        return {
            "contract": "" if key[0] > 2 else f"0x{key[0]}",
            "precision": self._rng.choice((6, 8, 18)),
            "can_deposit": self._rng.random() < 0.9,
            "can_withdraw": self._rng.random() < 0.9,
            "min_deposit_amount": self._amount(),
            "min_withdraw_amount": self._amount(),
            "max_withdraw_amount": self._rng.choice((Decimal(0), Decimal(0), self._amount())),
            "needs_memo": self._rng.random() < 0.2,
            "chain_full_name": key[1].title(),
        }

    def _price(self, key: Key, row: Row) -> Row:
        return {"price_usd": self._amount()}

    def _fee(self, key: Key, row: Row) -> Row:
        if self._rng.random() < 0.12:
            return {"state": "refused", "refusal_code": self._rng.choice(_REFUSALS)}
        coin_id = row.get("fee_coin_id") or key[0]
        if self._rng.random() < 0.15:
            coin_id = self._rng.choice(list(FEE_COINS))
        return {
            "fee_amount": self._amount(),
            "fee_coin_id": coin_id,
            "fee_coin": FEE_COINS[coin_id],
        }

    def _payee(self, key: Key, row: Row) -> Row:
        if self._rng.random() < 0.3:
            return {"state": "refused", "refusal_code": 13010}
        return {"is_valid": self._rng.random() < 0.7}

    def _user(self, key: Key, row: Row) -> Row:
        if self._rng.random() < 0.3:
            return {"state": "refused", "refusal_code": 14002}
        return {"user_name": f"u***{self._rng.randrange(3)}"}
