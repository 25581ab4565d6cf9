"""The eight read-only calls, typed: what each asks for and which model reads its answer.

Owns endpoints, parameters and readers. How an answer is come by is for subclasses: CcpayClient asks
the API, feeds/recorded.py looks into a raw file. Does no IO.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from ccpay_io.answers import (
    read_coins,
    read_fee,
    read_list,
    read_prices,
    read_user,
    read_validity,
)
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

T = TypeVar("T")


class Calls(ABC):
    """The calls; each raises ApiError when there is no answer."""

    @abstractmethod
    async def _call(
        self, endpoint: str, parameters: Mapping[str, Any], read: Callable[[str, object], T]
    ) -> T:
        """Has the answer of an endpoint read.

        Raises:
            ApiError: there is none.
        """

    async def get_chain_list(self, chains: Sequence[str] | None = None) -> Listed[Chain]:
        """All chains with their status, or those named (getChainList)."""
        parameters = {} if chains is None else {"chains": list(chains)}
        return await self._call(
            "getChainList",
            parameters,
            lambda e, d: read_list(e, d, "chains", Chain, "chain"),
        )

    async def get_fiat_list(self) -> Listed[Fiat]:
        """All fiats with their rate: units of the fiat per 1 US dollar (getFiatList)."""
        return await self._call(
            "getFiatList", {}, lambda e, d: read_list(e, d, "fiats", Fiat, "fiatId")
        )

    async def get_swap_coin_list(self) -> Listed[SwapCoin]:
        """The merchant's swappable coins (getSwapCoinList)."""
        return await self._call(
            "getSwapCoinList",
            {},
            lambda e, d: read_list(e, d, "coins", SwapCoin, "coinId"),
        )

    async def get_coin_list(self) -> Listed[Coin]:
        """Every token enabled for the merchant, with networks and price (getCoinList)."""
        return await self._call("getCoinList", {}, read_coins)

    async def get_coin_usdt_price(self, coin_ids: Sequence[int]) -> CoinPrices:
        """Prices in US dollars of these coins (getCoinUSDTPrice)."""
        return await self._call("getCoinUSDTPrice", {"coinIds": list(coin_ids)}, read_prices)

    async def get_withdraw_fee(self, coin_id: int, chain: str) -> WithdrawFee:
        """The network fee of paying out a coin on a chain, in the fee coin (getWithdrawFee)."""
        return await self._call("getWithdrawFee", {"coinId": coin_id, "chain": chain}, read_fee)

    async def check_withdrawal_address_validity(self, chain: str, address: str) -> AddressValidity:
        """Whether an address can receive on a chain (checkWithdrawalAddressValidity)."""
        return await self._call(
            "checkWithdrawalAddressValidity", {"chain": chain, "address": address}, read_validity
        )

    async def get_cwallet_user_id(self, cwallet_user_id: str) -> CwalletUser:
        """The masked user name of a Cwallet id (getCwalletUserId)."""
        return await self._call("getCwalletUserId", {"cwalletUserId": cwallet_user_id}, read_user)
