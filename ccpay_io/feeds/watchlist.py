"""The feed `watchlist`: are the user's addresses and Cwallet ids still valid?

Owns how a payee is stored (as a hash) and the one request per
entry: checkWithdrawalAddressValidity and getCwalletUserId. Called by the collector.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable

from ccpay_io.errors import ApiError
from ccpay_io.feeds.asked import Asked, drift_of, reason_of
from ccpay_io.feeds.poll import Answers
from ccpay_io.feeds.source import PayeeSource
from ccpay_io.settings import WatchedAddress, WatchedCwallet, WatchSettings
from ccpay_io.store.datasets import DATASETS

Gaps = dict[str, list[tuple[object, ...]]]


def stored_form(text: str) -> str:
    """How an address or a Cwallet id is kept in the warehouse: enough to compare, not to read."""
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()[:32]


async def ask_watchlist(source: PayeeSource, watch: WatchSettings) -> Asked:
    """Asks for each watched address and Cwallet id in turn; one failure does not stop the rest."""
    addresses: list[dict[str, object]] = []
    users: list[dict[str, object]] = []
    address_gaps: Gaps = {}
    user_gaps: Gaps = {}
    errors: list[ApiError] = []
    for entry in watch.addresses:
        key = {
            "label": entry.label,
            "chain": entry.chain,
            "address": stored_form(entry.address),
        }
        await _ask(_address(source, entry), key, addresses, address_gaps, errors)
    for user in watch.cwallet_ids:
        key = {"label": user.label, "cwallet_user_id": stored_form(user.cwallet_user_id)}
        await _ask(_user(source, user), key, users, user_gaps, errors)
    return Asked(
        {
            "address_validity": Answers(
                DATASETS["address_validity"].frame(addresses), address_gaps
            ),
            "cwallet_user": Answers(DATASETS["cwallet_user"].frame(users), user_gaps),
        },
        drift=drift_of(*errors),
        error=errors[0] if errors else None,
    )


async def _ask(
    call: Awaitable[dict[str, object]],
    key: dict[str, str],
    rows: list[dict[str, object]],
    gaps: Gaps,
    errors: list[ApiError],
) -> None:
    try:
        rows.append({**key, "state": "ok", **await call})
    except ApiError as error:
        if error.is_answer:
            rows.append({**key, "state": "refused", "refusal_code": error.code})
        else:
            gaps.setdefault(reason_of(error), []).append(tuple(key.values()))
            errors.append(error)


async def _address(source: PayeeSource, entry: WatchedAddress) -> dict[str, object]:
    answer = await source.check_withdrawal_address_validity(entry.chain, entry.address)
    return {"is_valid": answer.is_valid}


async def _user(source: PayeeSource, user: WatchedCwallet) -> dict[str, object]:
    answer = await source.get_cwallet_user_id(user.cwallet_user_id)
    return {"user_name": answer.cwallet_user_name}
