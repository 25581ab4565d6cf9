"""The feed `watchlist`: are the user's addresses and Cwallet ids still valid?

Owns how a payee is stored (as a hash, unless asked otherwise) and the one request per entry:
checkWithdrawalAddressValidity and getCwalletUserId. Called by the collector.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial

from ccpay_io.errors import ApiError
from ccpay_io.feeds.asked import Asked, drift_of, reason_of
from ccpay_io.feeds.poll import Answers
from ccpay_io.feeds.source import PayeeSource
from ccpay_io.models import Drift
from ccpay_io.settings import WatchSettings
from ccpay_io.store.datasets import DATASETS

Gaps = dict[str, list[tuple[object, ...]]]
Keys = Mapping[str, list[dict[str, str]]]
Answer = tuple[dict[str, object], tuple[Drift, ...]]
Call = Callable[[], Awaitable[Answer]]


def stored_form(text: str) -> str:
    """How an address or a Cwallet id is kept in the warehouse: enough to compare, not to read."""
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()[:32]


def watched_keys(watch: WatchSettings) -> dict[str, list[dict[str, str]]]:
    """Dataset -> keys of what is watched, as stored, in the order in which it is asked."""
    form = str if watch.addresses_as_text else stored_form
    return {
        "address_validity": [
            {"label": e.label, "chain": e.chain, "address": form(e.address)}
            for e in watch.addresses
        ],
        "cwallet_user": [
            {"label": e.label, "cwallet_user_id": form(e.cwallet_user_id)}
            for e in watch.cwallet_ids
        ],
    }


async def ask_watchlist(source: PayeeSource, watch: WatchSettings) -> Asked:
    """Asks for each watched address and Cwallet id in turn; one failure does not stop the rest."""
    addresses = [partial(_address, source, e.chain, e.address) for e in watch.addresses]
    users = [partial(_user, source, e.cwallet_user_id) for e in watch.cwallet_ids]
    return await _ask_all(watched_keys(watch), addresses, users)


async def retell_watchlist(source: PayeeSource, keys: Keys) -> Asked:
    """What a recorded poll learned, from a record that answers in the order of the keys.

    Args:
        source: the record.
        keys: as `watched_keys` gave them then.
    """
    addresses = [
        partial(_address, source, k["chain"], k["address"]) for k in keys["address_validity"]
    ]
    users = [partial(_user, source, k["cwallet_user_id"]) for k in keys["cwallet_user"]]
    return await _ask_all(keys, addresses, users)


async def _ask_all(keys: Keys, addresses: Sequence[Call], users: Sequence[Call]) -> Asked:
    errors: list[ApiError] = []
    drift: dict[tuple[str, str, str, str], Drift] = {}
    answers: dict[str, Answers] = {}
    for name, calls in (("address_validity", addresses), ("cwallet_user", users)):
        rows: list[dict[str, object]] = []
        gaps: Gaps = {}
        for found, call in zip(keys[name], calls, strict=True):
            # A record has its own order of columns; a gap is a tuple in that of the dataset.
            key = {column: found[column] for column in DATASETS[name].keys}
            for one in await _ask(call, key, rows, gaps, errors):
                drift.setdefault((one.endpoint, one.path, one.kind, one.value), one)
        answers[name] = Answers(DATASETS[name].frame(rows), gaps)
    seen = (*drift.values(), *drift_of(*errors))
    return Asked(answers, drift=seen, error=errors[0] if errors else None)


async def _ask(
    call: Call,
    key: dict[str, str],
    rows: list[dict[str, object]],
    gaps: Gaps,
    errors: list[ApiError],
) -> tuple[Drift, ...]:
    """Adds what became of one question; returns what deviated in its answer."""
    try:
        answer, drift = await call()
    except ApiError as error:
        if error.is_answer:
            rows.append({**key, "state": "refused", "refusal_code": error.code})
            return drift_of(error)
        gaps.setdefault(reason_of(error), []).append(tuple(key.values()))
        errors.append(error)
        return ()
    rows.append({**key, "state": "ok", **answer})
    return drift


async def _address(source: PayeeSource, chain: str, address: str) -> Answer:
    answer = await source.check_withdrawal_address_validity(chain, address)
    return {"is_valid": answer.is_valid}, answer.drift


async def _user(source: PayeeSource, cwallet_user_id: str) -> Answer:
    answer = await source.get_cwallet_user_id(cwallet_user_id)
    return {"user_name": answer.cwallet_user_name}, answer.drift
