"""Makes a poll again, from its raw file, as the collector made it from the API.

Owns what is asked anew of the record: the same feed modules read the same answers. What was decided
at the time (a list that was not believed, a deadline) is taken from the header, not judged again:
the same poll comes out whatever happened since. Called by care/rebuild.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ccpay_io.errors import ApiError, OwnNetworkDown, SuspectList, TimedOut, WarehouseError
from ccpay_io.feeds.asked import Asked, drift_of
from ccpay_io.feeds.chains import ask_chains
from ccpay_io.feeds.coins import ask_coins
from ccpay_io.feeds.fees import retell_fees
from ccpay_io.feeds.fiats import ask_fiats
from ccpay_io.feeds.networks import ask_networks
from ccpay_io.feeds.plan import ENDPOINTS, NothingToAsk
from ccpay_io.feeds.poll import Poll
from ccpay_io.feeds.prices import ask_prices
from ccpay_io.feeds.record import Told, told_by
from ccpay_io.feeds.recorded import Recorded
from ccpay_io.feeds.result import concluded
from ccpay_io.feeds.watchlist import retell_watchlist

# What no answer says: it was decided at the time.
_DECIDED: dict[str, type[ApiError]] = {kind.name: kind for kind in (SuspectList, OwnNetworkDown)}


async def replay(lines: Sequence[dict[str, Any]]) -> Poll:
    """The poll of a raw file.

    Args:
        lines: the header and one line for each exchange or silence.

    Raises:
        WarehouseError: the file is of an earlier release, or does not have what it should.
    """
    told = told_by(lines[0])
    if told is None:
        raise WarehouseError(
            "the raw file was written by an earlier release, which kept too little"
        )
    asked, error = await _asked(told, Recorded(lines[1:]))
    if told.error and (decided := _DECIDED.get(told.error[1])):
        error = decided(ENDPOINTS[told.poll.feed])
    poll = concluded(told.poll, asked, error)
    if told.error and told.error[:2] == (poll.error_code, poll.error_name):
        poll = replace(poll, error_message=told.error[2])
    return poll


async def _asked(told: Told, source: Recorded) -> tuple[Asked, ApiError | None]:
    endpoint = ENDPOINTS[told.poll.feed]
    if told.cut_off:
        return Asked({}, cut_off=True), TimedOut(endpoint)
    if told.error and told.error[1] == NothingToAsk.name:
        return Asked({}), NothingToAsk(endpoint, told.poll.feed)
    try:
        asked = await _retell(told, source)
    except ApiError as error:
        return Asked({}, drift=drift_of(error)), error
    return asked, asked.failure(endpoint)


async def _retell(told: Told, source: Recorded) -> Asked:
    match told.poll.feed:
        case "chains":
            return await ask_chains(source)
        case "fiats":
            return await ask_fiats(source)
        case "coins":
            return await ask_coins(source)
        case "networks":
            return await ask_networks(source)
        case "watchlist":
            return await retell_watchlist(source, told.watched)
        case "prices":
            coin_ids = [coin_id for _, asked in source.ended for coin_id in asked["coinIds"]]
            return await ask_prices(source, coin_ids)
    pairs = [(asked["coinId"], asked["chain"]) for _, asked in source.ended]
    unseen = {pair for left in told.left.values() for pair in left}
    return await retell_fees(source, [pair for pair in pairs if pair not in unseen], told.left)
