"""What keeps an alert from being told: a silence, or an alert that explains it.

Owns who is muted by what. Muting never stops an observation, an episode or a resolving, only what
would be news: an opening or a reminder. One step is enough, as a muted alert still counts as one
that explains others. Pure; called by engine.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from ccpay_io.alerts.instance import Instance

# Alerts of these kinds explain others.
EXPLAINING = ("source_health", "chain_status")
# The watch asks the whole API every half minute; what it cannot reach, no other feed can.
API = "getChainList"
_EXPLAINED_BY_API = (
    "chain_status",
    "payout_route",
    "fee_level",
    "freshness",
    "source_health",
)
# An endpoint of its own that fails explains what it would have told.
_EXPLAINED_BY_ENDPOINT = {
    "getWithdrawFee": ("payout_route", "fee_level", "freshness:fees"),
    "getCoinUSDTPrice": ("fee_level", "freshness:prices"),
    "getFiatList": ("freshness:fiats",),
    "getSwapCoinList": ("freshness:coins",),
    "getCoinList": ("freshness:networks",),
}


@dataclass(frozen=True)
class Silence:
    """Somebody's word that some alerts are no news for a while; a matcher of None takes all."""

    silence_id: int
    kind: str | None
    chain: str | None
    coin_id: int | None
    alert_id: str | None
    starts_at: datetime
    until: datetime

    def covers(self, alert: Instance, at: datetime) -> bool:
        """Whether it is in force and about this alert."""
        wanted = (self.kind, self.chain, self.coin_id, self.alert_id)
        given = (alert.kind, alert.chain, alert.coin_id, alert.alert_id)
        matches = all(w in (None, g) for w, g in zip(wanted, given, strict=True))
        return matches and self.starts_at <= at < self.until


def muted_by(
    alert: Instance, causes: Iterable[Instance], silences: Sequence[Silence], at: datetime
) -> str | None:
    """What mutes an alert now: "alert:<alert_id>", "silence:<id>" or None.

    Args:
        alert: the one that would be told.
        causes: those that are open, of the kinds that explain others.
        silences: those that are set.
        at: the moment.
    """
    cause = next((cause for cause in causes if explains(cause, alert)), None)
    if cause:
        return f"alert:{cause.alert_id}"
    silence = next((silence for silence in silences if silence.covers(alert, at)), None)
    return f"silence:{silence.silence_id}" if silence else None


def explains(cause: Instance, alert: Instance) -> bool:
    """Whether `alert` is no news of its own while `cause` is open."""
    if cause.key == alert.key:
        return False
    if cause.kind == "source_health":
        # An answer of which nothing can be read is an outage of its endpoint; one cause, one word.
        if alert.kind == "contract":
            return alert.key == f"{cause.key} data"
        if cause.key == API:
            return alert.kind in _EXPLAINED_BY_API
        explained = _EXPLAINED_BY_ENDPOINT.get(cause.key, ())
        return alert.kind in explained or f"{alert.kind}:{alert.key}" in explained
    return (
        cause.kind == "chain_status"
        and alert.kind in ("payout_route", "fee_level")
        and alert.chain == cause.chain
    )
