"""What alerts treat as important, where they go, and whether anybody hears a silence."""

from __future__ import annotations

from collections.abc import Iterator

from ccpay_io.doctor.finding import Finding, Level
from ccpay_io.errors import NothingPublished
from ccpay_io.settings import Settings
from ccpay_io.store.reading import connect_published


def look_at_watched(settings: Settings) -> Iterator[Finding]:
    """What alerts treat as important, and where they go."""
    try:
        with connect_published(settings.place) as con:
            chains = con.execute(
                "SELECT chain FROM chain_status_now WHERE is_watched ORDER BY chain"
            ).fetchall()
            published = con.execute(
                "SELECT name FROM store.watch_setting WHERE kind IN ('chain', 'coin')"
            ).fetchall()
        names = ", ".join(chain for (chain,) in chains[:8]) + (", ..." if len(chains) > 8 else "")
        if {name for (name,) in published} == {*settings.watch.chains, *settings.watch.coins}:
            yield Finding("ok", "watched", f"{len(chains)} chains: {names}; {_why(settings)}")
        else:
            text = (
                f"until the next publication {len(chains)} chains: {names}; then {_why(settings)}"
            )
            yield Finding("ok", "watched", text)
    except NothingPublished:
        yield Finding("ok", "watched", "known after the first poll")
    where = "alerts.log" + (f" and {len(settings.alert_urls)} URLs" if settings.alert_urls else "")
    step = "" if settings.alert_urls else "set CCPAY_ALERT_URLS to be told elsewhere too"
    yield Finding("ok", "alerts", f"go to {where}", step)
    yield _dead_man(settings)
    payees = len(settings.watch.addresses) + len(settings.watch.cwallet_ids)
    if payees:
        hours = settings.feeds.watchlist / 3600
        form = "text" if settings.watch.addresses_as_text else "hashes"
        text = f"{payees} addresses and Cwallet ids, every {hours:g} h, stored as {form}"
        yield Finding("ok", "watchlist", text)


def _why(settings: Settings) -> str:
    named = [*settings.watch.chains, *settings.watch.coins]
    if not named:
        return "those that carry your coins, as [watch] in ccpay.toml names none"
    shown = ", ".join(named[:8]) + (", ..." if len(named) > 8 else "")
    what = "those" if not settings.watch.coins else "those, and the chains of those coins,"
    return f"{what} named in ccpay.toml: {shown}"


def _dead_man(settings: Settings) -> Finding:
    """Whether anybody would notice that nothing runs."""
    if settings.heartbeat_url:
        return Finding("ok", "heartbeat", "a sign of life is sent after each cycle of the watch")
    step = "set CCPAY_HEARTBEAT_URL to a service that alerts you when the signs of life stop"
    level: Level = "ok" if settings.environment == "sandbox" else "warn"
    return Finding(level, "heartbeat", "nobody is told when this stops running", step)
