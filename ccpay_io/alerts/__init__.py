"""Alerts: judged inside the poll's transaction, delivered outside of it.

engine.py decides (pure), observe.py says what a poll means for each subject, book.py keeps state,
episodes and outbox as rows, messages.py words them, channels.py sends, delivery.py sees to it that
everything is sent at least once.
"""

from __future__ import annotations

from ccpay_io.alerts.book import Evaluation, evaluate
from ccpay_io.alerts.delivery import DeliveryReport, deliver, due_notices

__all__ = ["DeliveryReport", "Evaluation", "deliver", "due_notices", "evaluate"]
