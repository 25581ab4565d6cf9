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

    async def get_chain_list(self) -> Listed[Chain]: ...
    async def get_fiat_list(self) -> Listed[Fiat]: ...
    async def get_swap_coin_list(self) -> Listed[SwapCoin]: ...
    async def get_coin_list(self) -> Listed[Coin]: ...
    async def get_coin_usdt_price(self, coin_ids: Sequence[int]) -> CoinPrices: ...
    async def get_withdraw_fee(self, coin_id: int, chain: str) -> WithdrawFee: ...


class PayeeSource(Protocol):
    """The two calls about payees, which only the watchlist makes."""

    async def check_withdrawal_address_validity(
        self, chain: str, address: str
    ) -> AddressValidity: ...
    async def get_cwallet_user_id(self, cwallet_user_id: str) -> CwalletUser: ...
