"""What is wrong with this installation, and what to do about it.

Owns the examination: settings, limits, each endpoint of the API, disk, warehouse, what is watched.
Asks each endpoint once and changes nothing. Called by `ccpay doctor`, which prints the findings.
"""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from ccpay_io.budget import plan_of
from ccpay_io.client import CcpayClient
from ccpay_io.errors import ApiError, CcpayError, ConnectFailed, NothingPublished, Policy
from ccpay_io.feeds.session import open_client, open_pacer, open_warehouse
from ccpay_io.pacing import PacerStatus
from ccpay_io.redaction import Redactor
from ccpay_io.settings import Settings
from ccpay_io.store.publication import stable_path
from ccpay_io.store.reading import connect_published
from ccpay_io.transport import proxy_of

Level = Literal["ok", "warn", "wrong"]

# The signature is valid for two minutes either way; a clock this far off is on its way there.
SKEW_WARN_S = 30
FREE_WARN_BYTES = 1024**3
IP_NOT_WHITELISTED = 12002
_HOLDS_FOR_ALL = (Policy.FIX_ACCOUNT, Policy.STOP_EVERYTHING, Policy.WAIT_TOMORROW)
# Ids that every account can be asked about: USDT, and a chain that carries it.
PROBE_COIN, PROBE_CHAIN = 1280, "TRX"
PROBE_ADDRESS, PROBE_CWALLET = "TQn9Y2khEsLJW1ChVWFMSMeRDow5KcbLSE", "9558861"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        level: "ok", "warn" (works, but not for ever) or "wrong" (does not work).
        subject: what was looked at.
        text: what was found.
        next_step: what to do; empty when nothing.
    """

    level: Level
    subject: str
    text: str
    next_step: str = ""


async def examine(settings: Settings) -> list[Finding]:
    """Looks at everything; the findings in the order in which they should be mended."""
    status = open_pacer(settings).status()
    findings = [_environment(settings), *_limits(settings, status)]
    if status.breaker_since is None:
        findings += await _api(settings)
    return [*findings, _disk(settings), *_warehouse(settings), *_watched(settings)]


def rearm(settings: Settings) -> Finding:
    """Lets requests be sent again after 11014."""
    open_pacer(settings).rearm()
    return Finding("ok", "breaker", "re-armed: requests are sent again")


def _environment(settings: Settings) -> Finding:
    if settings.environment == "sandbox":
        step = "for real data copy .env.example to .env and fill it in"
        return Finding("ok", "settings", "sandbox: no credentials are set", step)
    return Finding("ok", "settings", f"live, {urlsplit(settings.base_url).netloc}")


def _limits(settings: Settings, status: PacerStatus) -> Iterator[Finding]:
    if status.breaker_since:
        yield Finding(
            "wrong",
            "breaker",
            f"open since {status.breaker_since:%Y-%m-%d %H:%M} UTC: this IP was blocked (11014)",
            "ask CCPayment's support to unblock it, then run `ccpay doctor --rearm`",
        )
    learned = status.learned_ceiling_rps
    ceiling = f", refused above {learned:.1f}" if learned else ""
    yield Finding("ok", "pace", f"{status.rate_rps:.1f} requests a second{ceiling}")
    plan = plan_of(settings)
    used = (
        f"{status.used_today:,} of {status.daily_budget:,} used today, {plan.total:,} planned a day"
    )
    if status.quota_exhausted or status.used_today >= status.daily_budget:
        yield Finding("wrong", "budget", f"{used}: used up", "polling goes on at 00:00 UTC")
    elif plan.total > status.daily_budget:
        step = "raise CCPAY_DAILY_BUDGET, or poll less often ([feeds] in ccpay.toml)"
        yield Finding("warn", "budget", used, step)
    else:
        yield Finding("ok", "budget", used)


async def _api(settings: Settings) -> list[Finding]:
    """One question per endpoint; stops at the first answer that holds for all of them."""
    findings: list[Finding] = []
    async with open_client(settings) as client:
        for endpoint, ask in _questions(client).items():
            finding, goes_on = await _ask(endpoint, ask, settings)
            findings.append(finding)
            if not goes_on:
                break
        if any(finding.level == "ok" for finding in findings):
            findings.append(_clock(client.clock_skew_s))
    return findings


def _questions(client: CcpayClient) -> dict[str, Callable[[], Awaitable[object]]]:
    return {
        "getChainList": client.get_chain_list,
        "getFiatList": client.get_fiat_list,
        "getSwapCoinList": client.get_swap_coin_list,
        "getCoinList": client.get_coin_list,
        "getCoinUSDTPrice": lambda: client.get_coin_usdt_price([PROBE_COIN]),
        "getWithdrawFee": lambda: client.get_withdraw_fee(PROBE_COIN, PROBE_CHAIN),
        "checkWithdrawalAddressValidity": lambda: client.check_withdrawal_address_validity(
            PROBE_CHAIN, PROBE_ADDRESS
        ),
        "getCwalletUserId": lambda: client.get_cwallet_user_id(PROBE_CWALLET),
    }


async def _ask(
    endpoint: str, ask: Callable[[], Awaitable[object]], settings: Settings
) -> tuple[Finding, bool]:
    """What an endpoint answers, and whether it makes sense to ask the others too."""
    try:
        await ask()
    except ApiError as error:
        # "There is no such Cwallet id" is an answer: the signature was accepted and we may ask.
        if error.is_answer or error.code in (11000, 11003, 11015):
            return Finding("ok", endpoint, f"answers ({error.code} {error.name})"), True
        step = error.hint
        if error.code == IP_NOT_WHITELISTED:
            step = f"{step}; {egress(settings)}"
        # An HTTP status may be about one path only; a code of the API about the account is not.
        about_account = error.code is not None and error.policy in _HOLDS_FOR_ALL
        final = about_account or isinstance(error, ConnectFailed)
        return Finding("wrong", endpoint, Redactor.of(settings).text(str(error)), step), not final
    return Finding("ok", endpoint, "answers; credentials and signature are accepted"), True


def egress(settings: Settings) -> str:
    """From where requests leave, as far as this machine can know."""
    if proxy := proxy_of(settings.base_url):
        where = urlsplit(proxy).hostname or "named in the environment"
        return f"requests leave through the proxy {where}: CCPayment sees the proxy's public IP"
    host = urlsplit(settings.base_url).hostname or ""
    try:
        (family, kind, *_, address), *_ = socket.getaddrinfo(host, 443, type=socket.SOCK_DGRAM)
        with socket.socket(family, kind) as probe:
            probe.connect(address)  # of a datagram socket: chooses a route, sends nothing
            local = probe.getsockname()[0]
    except OSError:
        return "this machine cannot even find the API's address"
    return (
        f"requests leave from {local}; if that is a private address, your router's public IP counts"
    )


def _clock(skew_s: float) -> Finding:
    if abs(skew_s) < SKEW_WARN_S:
        return Finding("ok", "clock", "agrees with the API's")
    text = f"this machine's clock is {abs(skew_s):.0f} s {'behind' if skew_s > 0 else 'ahead'}"
    return Finding("warn", "clock", text, "set it with NTP; signatures are valid for 120 s")


def _disk(settings: Settings) -> Finding:
    folder = settings.warehouse
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    text = f"{free / 1024**3:.1f} GB free at {settings.warehouse}"
    if not os.access(folder, os.W_OK):
        return Finding("wrong", "disk", f"{folder} cannot be written", "change its owner or mode")
    if free < FREE_WARN_BYTES:
        return Finding("warn", "disk", text, "free some; a full disk stops polling, loses nothing")
    return Finding("ok", "disk", text)


def _warehouse(settings: Settings) -> Iterator[Finding]:
    """Opens the writers' file as a poll would, and looks at what today's polls came to."""
    if not stable_path(settings.warehouse).exists():
        yield Finding("warn", "warehouse", "nothing published yet", "run `ccpay poll all`")
        return
    try:
        with open_warehouse(settings).transaction():
            pass
    except CcpayError as error:
        yield Finding("wrong", "warehouse", str(error), error.hint)
        return
    yield Finding("ok", "warehouse", str(stable_path(settings.warehouse)))
    with connect_published(settings.warehouse) as con:
        rows = con.execute(
            "SELECT feed, ok + partial, failed, missed, top_api_code FROM poll_coverage"
            " WHERE day = today() ORDER BY feed"
        ).fetchall()
    for feed, good, failed, missed, code in rows:
        text = f"today {good} good, {failed} failed, {missed} missed"
        bad = failed > good
        why = f"; most often code {code}" if code else ""
        yield Finding(
            "warn" if bad else "ok",
            f"feed {feed}",
            text + (why if bad else ""),
            "SELECT * FROM poll_coverage says more" if bad else "",
        )


def _watched(settings: Settings) -> Iterator[Finding]:
    """What alerts treat as important, and where they go."""
    try:
        with connect_published(settings.warehouse) as con:
            chains = con.execute(
                "SELECT chain FROM chain_status_now WHERE is_watched ORDER BY chain"
            ).fetchall()
        names = ", ".join(chain for (chain,) in chains[:8]) + (", ..." if len(chains) > 8 else "")
        yield Finding("ok", "watched", f"{len(chains)} chains: {names}")
    except NothingPublished:
        yield Finding("ok", "watched", "known after the first poll")
    where = "alerts.log" + (f" and {len(settings.alert_urls)} URLs" if settings.alert_urls else "")
    step = "" if settings.alert_urls else "set CCPAY_ALERT_URLS to be told elsewhere too"
    yield Finding("ok", "alerts", f"go to {where}", step)
