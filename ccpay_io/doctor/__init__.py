"""What is wrong with this installation, and what to do about it.

Owns the examination: settings, limits, the API, storage, what is watched; each in a module of its
own, with its findings in the order in which they should be mended. Asks each endpoint once and
changes nothing. Called by `ccpay doctor`, which prints the findings.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from ccpay_io.doctor.api import look_at_api
from ccpay_io.doctor.finding import Finding
from ccpay_io.doctor.limits import look_at_limits
from ccpay_io.doctor.storage import look_at_storage
from ccpay_io.doctor.watched import look_at_watched
from ccpay_io.feeds.session import open_pacer
from ccpay_io.settings import Settings


async def examine(settings: Settings) -> list[Finding]:
    """Looks at everything; the findings in the order in which they should be mended."""
    status = open_pacer(settings).status()
    findings = [_environment(settings), *look_at_limits(settings, status)]
    if status.breaker_since is None:
        findings += await look_at_api(settings)
    return [*findings, *look_at_storage(settings), *look_at_watched(settings)]


def rearm(settings: Settings) -> Finding:
    """Lets requests be sent again after 11014."""
    open_pacer(settings).rearm()
    return Finding("ok", "breaker", "re-armed: requests are sent again")


def _environment(settings: Settings) -> Finding:
    if settings.environment == "sandbox":
        step = "for real data copy .env.example to .env and fill it in"
        return Finding("ok", "settings", "sandbox: no credentials are set", step)
    signed = "an RSA key" if settings.credentials.rsa_key else "the secret"
    host = urlsplit(settings.base_url).netloc
    return Finding("ok", "settings", f"live, {host}; requests are signed with {signed}")
