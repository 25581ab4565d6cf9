"""The dead man's switch: a sign of life after each healthy cycle of the watch.

Owns one request to CCPAY_HEARTBEAT_URL, where a service waits that raises the alarm when nothing
comes: what does not run cannot alert. Never raises and never says the address, which is a secret.
Called by whoever runs the watch, after its polls were committed.
"""

from __future__ import annotations

import contextlib
import logging
import time
from pathlib import Path

import httpx

from ccpay_io.feeds.result import WatchResult
from ccpay_io.redaction import redacted_logs
from ccpay_io.settings import Settings
from ccpay_io.transport import trusted

TIMEOUT_S = 5.0
# At most one a minute, whatever the watch's interval; less than a minute, or a watch that is due
# every 30 s would skip the second as well whenever it is a moment early.
PAUSE_S = 55.0
# They log the address that they ask for, and where the answer wants to send them.
_TALKATIVE = ("httpx", "httpcore.connection", "httpcore.http11", "httpcore.proxy")
log = logging.getLogger("ccpay.alerts")


def beat(settings: Settings, watched: WatchResult) -> bool:
    """Gives the sign of life, if there is a service that waits for it and it is due.

    Args:
        settings: where the address is.
        watched: the cycle that was made, judged and committed; one whose every poll could not be
            sent (own budget, breaker) is no sign of health.

    Returns:
        Whether it was given and taken.
    """
    if settings.heartbeat_url is None or watched.polls[-1].outcome == "skipped":
        return False
    if not _is_due(settings.warehouse / "private" / "heartbeat"):
        return False
    try:
        with redacted_logs(settings, *_TALKATIVE):
            return _ask(settings.heartbeat_url.reveal())
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, OSError) as error:
        log.info("the heartbeat was not taken: %s", type(error).__name__)
        return False


def _is_due(stamp: Path) -> bool:
    """Notes the time of this one, for every process that watches this warehouse."""
    with contextlib.suppress(OSError):
        # Of a clock that was put back, the last one lies in the future; that is no reason to wait.
        if 0 <= time.time() - stamp.stat().st_mtime < PAUSE_S:
            return False
    with contextlib.suppress(OSError):
        stamp.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        stamp.touch()
    return True


def _ask(url: str) -> bool:
    # What the service has to say is not read: it may be long, or never end.
    with httpx.stream("GET", url, timeout=TIMEOUT_S, verify=trusted()) as answer:
        return answer.is_success
