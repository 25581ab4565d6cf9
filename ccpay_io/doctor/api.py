"""What the API answers to this account: signature, whitelist, permissions by endpoint, clock.

Asks each endpoint once, and stops at the first answer that holds for all of them.
"""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from ccpay_io.client import CcpayClient
from ccpay_io.doctor.finding import Finding
from ccpay_io.errors import ApiError, ConnectFailed, Policy
from ccpay_io.feeds.session import open_client
from ccpay_io.redaction import Redactor
from ccpay_io.settings import Settings
from ccpay_io.transport import proxy_of

# The signature is valid for two minutes either way; a clock this far off is on its way there.
SKEW_WARN_S = 30
IP_NOT_WHITELISTED = 12002
_HOLDS_FOR_ALL = (Policy.FIX_ACCOUNT, Policy.STOP_EVERYTHING, Policy.WAIT_TOMORROW)
# Ids that every account can be asked about: USDT, and a chain that carries it.
PROBE_COIN, PROBE_CHAIN = 1280, "TRX"
PROBE_ADDRESS, PROBE_CWALLET = "TQn9Y2khEsLJW1ChVWFMSMeRDow5KcbLSE", "9558861"

Question = Callable[[], Awaitable[object]]


async def look_at_api(settings: Settings) -> list[Finding]:
    """One question per endpoint; stops at the first answer that holds for all of them."""
    findings: list[Finding] = []
    async with open_client(settings) as client:
        for endpoint, ask in questions_of(client).items():
            finding, goes_on = await _ask(endpoint, ask, settings)
            findings.append(finding)
            if not goes_on:
                break
        if any(finding.level == "ok" for finding in findings):
            findings.append(_clock(client.clock_skew_s))
    return findings


def questions_of(client: CcpayClient) -> dict[str, Question]:
    """Endpoint -> a question that every account may ask."""
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


async def _ask(endpoint: str, ask: Question, settings: Settings) -> tuple[Finding, bool]:
    """What an endpoint answers, and whether it makes sense to ask the others too."""
    try:
        await ask()
    except ApiError as error:
        if knows_and_says_no(error):
            return Finding("ok", endpoint, f"answers ({error.code} {error.name})"), True
        step = error.hint
        if error.code == IP_NOT_WHITELISTED:
            step = f"{step}; {egress(settings)}"
        # An HTTP status may be about one path only; a code of the API about the account is not.
        about_account = error.code is not None and error.policy in _HOLDS_FOR_ALL
        final = about_account or isinstance(error, ConnectFailed)
        return Finding("wrong", endpoint, Redactor.of(settings).text(str(error)), step), not final
    return Finding("ok", endpoint, "answers; credentials and signature are accepted"), True


def knows_and_says_no(error: ApiError) -> bool:
    """Whether we may ask: "there is no such Cwallet id" is an answer to an accepted signature."""
    return error.is_answer or error.code in (11000, 11003, 11015)


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
