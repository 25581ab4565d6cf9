"""The world that the sandbox serves: a pure function of (seed, time).

Owns what chains, fees, prices and fiat rates are at a moment. Two processes with the same seed
serve the same world, so nothing has to be shared between them, and the demo can ask for any past
moment. Answers are the API's `data` objects, ready for JSON. Called by server.py and by the demo.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ccpay_io.sandbox.universe import Network, load_universe
from ccpay_io.sandbox.walk import daily, mix, plain, scaled, slow, spread

# One in so many days a chain goes into maintenance: the first forty of the list, where most coins
# are, so that there is something to see; the others three times more rarely.
_DAYS_BETWEEN_INCIDENTS = 18
_LIVELY_SLOT_S = 300
_LIVELY_CHAINS = ("TRX", "POLYGON", "BSC", "ARBITRUM", "SOL", "TON", "AVAX", "OPTIMISM", "BASE")
_PRICE_DECIMALS = 12
_BASIS = 10_000
# Some pairs are at the edges of what an amount can be, so that nobody forgets them.
_TINIEST, _HUGEST = "0.000000000000000001", "100000000000000000"
_REFUSED = 13004


@dataclass(frozen=True)
class _Pair:
    """What does not change about a pair's fee."""

    network: Network
    key: int
    decimals: int
    base: int
    step_s: int
    fixed: str | None


class World:
    """A moving world.

    Args:
        seed: another seed, another world.
        lively: some popular chain goes into maintenance for about two minutes in every five, so
            that a newcomer sees alerts open and resolve. Off for the demo's history.
    """

    def __init__(self, seed: int = 1, *, lively: bool = True) -> None:
        self.seed = seed
        self.lively = lively
        self.universe = load_universe()

    @cached_property
    def _pairs(self) -> dict[tuple[int, str], _Pair]:
        networks = self.universe.networks
        pairs = [self._pair(i, network) for i, network in enumerate(networks)]
        return {(p.network.coin_id, p.network.chain): p for p in pairs}

    def _pair(self, index: int, network: Network) -> _Pair:
        key = mix(self.seed, 1, index)
        typical = network.typical_fee
        decimals = min(18, len(typical.partition(".")[2]) + 2 + key % 5)
        # Four in ten move within minutes, the rest within hours: about a quarter between two polls.
        step = 300 + key % 600 if key >> 8 & 15 < 6 else 21_600 + key % 64_800
        extreme = {3: _TINIEST, 7: _HUGEST}.get(index - len(self.universe.networks) + 40)
        return _Pair(network, key, decimals, scaled(typical, decimals), step, extreme)

    def chain_status(self, chain: str, t: float) -> str:
        """What getChainList says of a chain: "Normal" or "Maintenance"."""
        index = self._chain_index[chain]
        if self.lively and self._in_lively_incident(chain, t):
            return "Maintenance"
        return "Maintenance" if self._in_incident(index, t) else "Normal"

    def chains(self, t: float) -> list[dict[str, Any]]:
        """Items of getChainList."""
        return [
            {
                "chain": row["chain"],
                "chainFullName": row["chain_full_name"],
                "explorer": row["explorer"],
                "baseUrl": row["base_url"],
                "isEVM": row["is_evm"] == "true",
                "supportMemo": row["support_memo"] == "true",
                "logoUrl": f"https://resource.cwallet.com/token/icon/{row['chain']}.png",
                "status": self.chain_status(row["chain"], t),
                "confirmations": 1 + mix(self.seed, 2, i) % 60,
            }
            for i, row in enumerate(self.universe.chains)
        ]

    def fiats(self, t: float) -> list[dict[str, Any]]:
        """Items of getFiatList; rates move every quarter of an hour, the dollar's is 1."""
        slot = t // 900
        return [
            {
                "fiatId": int(row["fiat_id"]),
                "symbol": row["symbol"],
                "mark": row["mark"],
                "logoUrl": f"https://resource.cwallet.com/fiat/{row['symbol']}.png",
                "usdRate": "1" if row["symbol"] == "USD" else self._rate(i, row["usd_rate"], slot),
            }
            for i, row in enumerate(self.universe.fiats)
        ]

    def swap_coins(self) -> list[dict[str, Any]]:
        """Items of getSwapCoinList."""
        return [
            {"coinId": int(row["coin_id"]), "symbol": row["symbol"], "logoUrl": _logo(row)}
            for row in self.universe.coins
        ]

    def coin_list(self, t: float) -> list[dict[str, Any]]:
        """Items of getCoinList: every coin with its networks and price."""
        networks: dict[int, dict[str, Any]] = {}
        for (coin_id, chain), pair in self._pairs.items():
            networks.setdefault(coin_id, {})[chain] = self._network(pair, t)
        return [
            {
                "coinId": int(row["coin_id"]),
                "symbol": row["symbol"],
                "coinFullName": row["coin_full_name"],
                "logoUrl": _logo(row),
                "status": "Pre-delisting" if mix(self.seed, 3, i) % 97 == 0 else "Normal",
                "price": self.price(int(row["coin_id"]), t),
                "networks": networks[int(row["coin_id"])],
            }
            for i, row in enumerate(self.universe.coins)
        ]

    def price(self, coin_id: int, t: float) -> str | None:
        """Price of a coin in US dollars; it moves every minute. None for a coin unknown here."""
        base = self._prices.get(coin_id)
        if base is None:
            return None
        minute = int(t // 60)
        steady = abs(base - 10**_PRICE_DECIMALS) < 10 ** (_PRICE_DECIMALS - 2)  # a stable coin
        noise = spread(mix(self.seed, 4, coin_id, minute), 3 if steady else 20)
        drift = 0 if steady else slow(minute * 60, coin_id, 900)
        mantissa = base * (_BASIS + drift + noise) // _BASIS
        digits = max(0, _PRICE_DECIMALS - max(4, 10 - len(str(max(1, base // 10**12)))))
        return plain(mantissa // 10**digits * 10**digits or mantissa or 1, _PRICE_DECIMALS)

    def fee(self, coin_id: int, chain: str, t: float) -> dict[str, Any] | int | None:
        """`data.fee` of getWithdrawFee; the code of a refusal; None for a pair not there."""
        pair = self._pairs.get((coin_id, chain))
        if pair is None:
            return None
        if pair.key % 4 == 0 and self.chain_status(chain, t) != "Normal":
            return _REFUSED
        return {
            "coinId": pair.network.fee_coin_id,
            "coinSymbol": pair.network.fee_coin,
            "amount": pair.fixed or self._fee_amount(pair, t),
        }

    def _fee_amount(self, pair: _Pair, t: float) -> str:
        step = int((t + pair.key % pair.step_s) // pair.step_s)
        moment = step * pair.step_s
        bits = mix(pair.key, step)
        level = _BASIS + daily(moment, 8 + pair.key % 3, 2500) + spread(bits, 1200)
        if bits >> 40 & 1023 == 0:  # a spike, once in a thousand steps
            level *= 3
        # Some coins have tiny typical fees: never less than one unit of the last decimal.
        mantissa = max(pair.base * level // _BASIS, 1 if pair.base else 0)
        return plain(mantissa, pair.decimals)

    def _network(self, pair: _Pair, t: float) -> dict[str, Any]:
        network, quarter_day = pair.network, int(t // 21_600)
        return {
            "chain": network.chain,
            "chainFullName": self._full_names[network.chain],
            "contract": network.contract,
            "precision": network.precision,
            "canDeposit": mix(pair.key, 5, quarter_day) % 200 != 0,
            "canWithdraw": mix(pair.key, 6, quarter_day) % 150 != 0,
            "minimumDepositAmount": "0",
            "minimumWithdrawAmount": network.min_withdraw,
            "maximumWithdrawAmount": network.max_withdraw,
            "isSupportMemo": self._memo[network.chain],
        }

    def _rate(self, index: int, usd_rate: str, slot: float) -> str:
        noise = spread(mix(self.seed, 7, index, int(slot)), 30)
        moved = _BASIS * 10 + slow(slot * 900, index + 31, 400) + noise
        return plain(scaled(usd_rate, 9) * moved // (_BASIS * 10), 9)

    def _in_incident(self, index: int, t: float) -> bool:
        """Whether one of the chain's rare, longer maintenances covers this moment."""
        today = int(t // 86_400)
        for day in (today - 1, today):
            bits = mix(self.seed, 8, index, day)
            rarity = _DAYS_BETWEEN_INCIDENTS if index < 40 else _DAYS_BETWEEN_INCIDENTS * 3
            if bits % rarity:
                continue
            start = day * 86_400 + (bits >> 8) % 80_000
            lasts = 1200 + (bits >> 24) % 42_000 * ((bits >> 40) % 3 + 1) // 3
            if start <= t < start + lasts:
                return True
        return False

    def _in_lively_incident(self, chain: str, t: float) -> bool:
        slot = int(t // _LIVELY_SLOT_S)
        # In turn, not at random: a chain that is drawn three times in an hour would be flapping.
        if _LIVELY_CHAINS[(slot + self.seed) % len(_LIVELY_CHAINS)] != chain:
            return False
        bits = mix(self.seed, 9, slot)
        start = slot * _LIVELY_SLOT_S + 20 + (bits >> 8) % 80
        return start <= t < start + 100 + (bits >> 20) % 60

    @cached_property
    def _chain_index(self) -> dict[str, int]:
        return {row["chain"]: i for i, row in enumerate(self.universe.chains)}

    @cached_property
    def _full_names(self) -> dict[str, str]:
        return {row["chain"]: row["chain_full_name"] for row in self.universe.chains}

    @cached_property
    def _memo(self) -> dict[str, bool]:
        return {row["chain"]: row["support_memo"] == "true" for row in self.universe.chains}

    @cached_property
    def _prices(self) -> dict[int, int]:
        coins = self.universe.coins
        return {int(row["coin_id"]): scaled(row["price_usd"], _PRICE_DECIMALS) for row in coins}


def _logo(row: dict[str, str]) -> str:
    return f"https://resource.cwallet.com/token/icon/{row['symbol'].lower()}.png"
