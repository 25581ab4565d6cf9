"""What the feeds need from whoever answers them: the client, or the demo's world."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ccpay_io.models import (
    AddressValidity,
    Chain,
    Coin,
    CoinPrices,
    CwalletUser,
    Fiat,
    Listed,
    SwapCoin,
    WithdrawFee,
)


class Source(Protocol):
    """The read-only calls, as `CcpayClient` has them; each raises ApiError without an answer."""

    async def get_chain_list(self) -> Listed[Chain]:
        """getChainList: every chain with its status."""

    async def get_fiat_list(self) -> Listed[Fiat]:
        """getFiatList: every fiat with its rate, in units of the fiat per US dollar."""

    async def get_swap_coin_list(self) -> Listed[SwapCoin]:
        """getSwapCoinList: the coins that the merchant can swap."""

    async def get_coin_list(self) -> Listed[Coin]:
        """getCoinList: the merchant's coins with their networks and prices."""

    async def get_coin_usdt_price(self, coin_ids: Sequence[int]) -> CoinPrices:
        """getCoinUSDTPrice: the prices of these coins, in US dollars."""

    async def get_withdraw_fee(self, coin_id: int, chain: str) -> WithdrawFee:
        """getWithdrawFee: the fee of paying out a coin on a chain, in the fee coin."""


class PayeeSource(Protocol):
    """The two calls about payees, which only the watchlist makes."""

    async def check_withdrawal_address_validity(self, chain: str, address: str) -> AddressValidity:
        """checkWithdrawalAddressValidity: whether an address can receive on a chain."""

    async def get_cwallet_user_id(self, cwallet_user_id: str) -> CwalletUser:
        """getCwalletUserId: the masked user name of a Cwallet id."""
