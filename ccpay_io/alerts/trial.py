"""A test notice: to every channel, by the same way as any other."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from ccpay_io.alerts.channels import Sent, channels_of
from ccpay_io.alerts.delivery import deliver
from ccpay_io.alerts.outbox import Entry, put
from ccpay_io.feeds.poll import poll_id_at, utc_now
from ccpay_io.settings import Settings
from ccpay_io.store.writer import Warehouse

_RESULTS = """
    SELECT n.channel, d.outcome = 'sent', d.outcome = 'dead', d.status_code, d.provider_id, d.error
    FROM store.alert_outbox AS n JOIN store.alert_delivery AS d USING (notice_id)
    WHERE n.transition = 'test' AND n.poll_id = ?
    ORDER BY n.notice_id, d.attempt
"""


def send_test(
    warehouse: Warehouse, settings: Settings, *, now: Callable[[], datetime] = utc_now
) -> list[tuple[str, Sent]]:
    """Sends a test notice to every channel, and whatever else is due.

    Returns:
        (channel key, what became of the attempt); a channel that fails is tried again later, as
        with any notice.
    """
    at = now()
    number = poll_id_at(at)
    place = "[sandbox] " if settings.environment == "sandbox" else ""
    payload = {
        "type": "ccpay.alert.test",
        "timestamp": at.isoformat(),
        "environment": settings.stamp,
        "severity": "info",
        "alerts": [],
    }
    with warehouse.transaction() as con:
        for channel in channels_of(settings):
            put(
                con,
                Entry(
                    f"test-{number}.{channel.key}",
                    channel.key,
                    "test",
                    "info",
                    f"{place}Test of alerts",
                    "Nothing is wrong. This is what `ccpay alerts test` sends.",
                    payload,
                    number,
                    at,
                    f"test-{number}",
                ),
            )
    deliver(warehouse, settings, now=now)
    with warehouse.transaction() as con:
        rows = con.execute(_RESULTS, [number]).fetchall()
    return [
        (key, Sent(ok, permanent=dead, status_code=status, provider_id=name, error=error))
        for key, ok, dead, status, name, error in rows
    ]
