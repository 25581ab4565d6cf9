"""The feed `networks`: the chains of each coin with limits and flags, and coin prices, from
getCoinList in one call. Called by the collector.
"""

from __future__ import annotations

from ccpay_io.feeds.asked import Asked, drift_gaps, folded, undocumented
from ccpay_io.feeds.poll import Answers
from ccpay_io.feeds.source import Source
from ccpay_io.models import Coin, CoinNetwork, Drift
from ccpay_io.store.datasets import DATASETS

# As the vendor's notes have them; compared without regard to case and spaces.
_STATUSES = frozenset({"normal", "maintain", "maintenance", "pre-delisting", "delisted"})


async def ask_networks(source: Source) -> Asked:
    """Asks for every token that is enabled for the merchant.

    Raises:
        ApiError: there is no answer, or this account may not ask.
    """
    answer = await source.get_coin_list()
    coin_gaps, network_gaps = drift_gaps(answer.drift, 1), drift_gaps(answer.drift, 2)
    # A coin whose item could not be read says nothing about its networks: they are not absent.
    complete = not (coin_gaps or answer.nameless)
    unread = {key[0] for keys in coin_gaps.values() for key in keys}
    coins = [_coin_row(coin) for coin in answer.items if coin.coin_id not in unread]
    networks = [_network_row(coin, net) for coin in answer.items for net in coin.networks]
    prices = [
        {"coin_id": coin.coin_id, "state": "ok", "price_usd": coin.price}
        for coin in answer.items
        if coin.price is not None
    ]
    return Asked(
        {
            "coin": Answers(DATASETS["coin"].frame(coins), coin_gaps, complete=not answer.nameless),
            "coin_network": Answers(
                DATASETS["coin_network"].frame(networks), network_gaps, complete=complete
            ),
            "coin_price": Answers(DATASETS["coin_price"].frame(prices), complete=False),
        },
        listed=len(coins) + len(unread) + answer.nameless,
        drift=answer.drift + _unrecognised(answer.items),
    )


def _unrecognised(coins: tuple[Coin, ...]) -> tuple[Drift, ...]:
    return undocumented(
        "getCoinList",
        "data.coins[].status",
        (
            (coin.status, None, f"coin {coin.coin_id}")
            for coin in coins
            if folded(coin.status) not in _STATUSES
        ),
    )


def _coin_row(coin: Coin) -> dict[str, object]:
    return {
        "coin_id": coin.coin_id,
        "state": "ok",
        "coin": coin.symbol,
        "status": coin.status,
        "coin_full_name": coin.coin_full_name,
        "logo_url": coin.logo_url,
    }


def _network_row(coin: Coin, network: CoinNetwork) -> dict[str, object]:
    return {
        "coin_id": coin.coin_id,
        "chain": network.chain,
        "state": "ok",
        "contract": network.contract,
        "precision": network.precision,
        "can_deposit": network.can_deposit,
        "can_withdraw": network.can_withdraw,
        "min_deposit_amount": network.minimum_deposit_amount,
        "min_withdraw_amount": network.minimum_withdraw_amount,
        "max_withdraw_amount": network.maximum_withdraw_amount,
        "needs_memo": network.is_support_memo,
        "chain_full_name": network.chain_full_name,
    }
