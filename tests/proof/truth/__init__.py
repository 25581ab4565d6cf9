"""Every view again, in plain Python from the polls: what the SQL is held against.

Written from the data dictionary, not from the SQL. Each function takes a Book and returns the
view's rows. Called by test_proof.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from truth import care, chains, fees, now, reference, routes
from truth.book import Book, Row

VIEWS: Mapping[str, Callable[[Book], list[Row]]] = {
    view.__name__: view
    for view in (
        reference.chain,
        reference.coin,
        reference.fiat,
        chains.chain_status_now,
        now.coin_price_now,
        now.coin_network_now,
        fees.withdraw_fee_now,
        now.fiat_rate_now,
        now.swap_coin_now,
        now.address_validity_now,
        now.cwallet_user_now,
        fees.withdraw_fee_snapshot,
        fees.withdraw_fee_history,
        chains.chain_status_history,
        fees.fiat_rate_history,
        routes.payout_route_ranking,
        care.poll_coverage,
        care.contract_drift,
    )
}

__all__ = ["VIEWS", "Book"]
