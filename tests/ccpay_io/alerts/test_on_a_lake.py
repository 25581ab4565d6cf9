"""The alert engine inside the transactions of a lake."""

from __future__ import annotations

from pathlib import Path

from alert_timeline import Clock, Timeline, live_settings
from lakes import Lakes
from receiver import Receiver

from ccpay_io.alerts import DeliveryReport, deliver
from ccpay_io.settings import Secret
from ccpay_io.store.lake.connection import forget
from ccpay_io.store.writer import Warehouse


def test_a_maintenance_is_told_once_and_so_is_its_end(
    lakes: Lakes, tmp_path: Path, receiver: Receiver
) -> None:
    """A chain enters Maintenance and leaves it: the webhook hears both, each once."""
    lake = lakes.empty(tmp_path / "lake")
    settings = live_settings(tmp_path / "data", lake=lake, alert_urls=(Secret(receiver.url),))
    timeline = Timeline(settings)
    timeline.warehouse = Warehouse(settings.warehouse, "test", lake=lake)
    clock = Clock(timeline.seen_at(8))

    assert timeline.play("nmm") == ["3 opened TRX"]
    assert deliver(timeline.warehouse, settings, now=clock) == DeliveryReport(sent=2)
    assert timeline.play("nnn") == ["6 resolved TRX"]
    assert deliver(timeline.warehouse, settings, now=clock) == DeliveryReport(sent=2)
    assert deliver(timeline.warehouse, settings, now=clock) == DeliveryReport()

    assert [request.data["transition"] for request in receiver.received] == ["opened", "resolved"]
    forget(lake, read_only=False)
