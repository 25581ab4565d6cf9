"""Every query of the cookbook again: its rows in its order, from its header.

Owns which recomputation belongs to which query. Called by test_cookbook.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from truth.book import Book, Row
from truth.cookbook_care import (
    availability_ranking,
    contract_drift,
    coverage_gaps,
    maintenance_hours,
    stale_data,
    time_to_recover,
)
from truth.cookbook_fees import (
    cheapest_hour,
    fee_history,
    fee_in_euro,
    fee_or_price,
    fee_percentile,
    fees_as_of,
    movers_24h,
    usual_fee,
)
from truth.cookbook_payouts import (
    affected_by_maintenance,
    better_route,
    memo_routes,
    monthly_cost,
    payout_cost_now,
    refused_pairs,
)

RECIPES: Mapping[str, Callable[[Book], list[Row]]] = {
    "01_payout_cost_now": payout_cost_now,
    "02_fee_history": fee_history,
    "03_fee_or_price": fee_or_price,
    "04_cheapest_hour": cheapest_hour,
    "05_movers_24h": movers_24h,
    "06_fee_percentile": fee_percentile,
    "07_fee_in_euro": fee_in_euro,
    "08_availability_ranking": availability_ranking,
    "09_time_to_recover": time_to_recover,
    "10_coverage_gaps": coverage_gaps,
    "11_monthly_cost": monthly_cost,
    "12_better_route": better_route,
    "13_fees_as_of": fees_as_of,
    "14_memo_routes": memo_routes,
    "15_stale_data": stale_data,
    "16_contract_drift": contract_drift,
    "17_refused_pairs": refused_pairs,
    "18_affected_by_maintenance": affected_by_maintenance,
    "19_maintenance_hours": maintenance_hours,
    "20_usual_fee": usual_fee,
}
