"""Alerts: judged inside the poll's transaction, delivered outside of it.

subject and instance are the data; observe/ says what a poll means for each subject; engine decides
(pure), with machine, flapping, muting and telling; usual is what it takes for a usual fee; book
keeps state and episodes as rows; notices, with messages, words and impact, writes the outbox;
channels/ send; delivery sees to it that everything is sent at least once, with outbox, late and
health. control, naming, listing and trial are `ccpay alerts`; heartbeat is the sign of life.
"""

from __future__ import annotations

from ccpay_io.alerts.book import Evaluation, evaluate
from ccpay_io.alerts.delivery import DeliveryReport, deliver, due_notices
from ccpay_io.alerts.trial import send_test
from ccpay_io.alerts.usual import Usual, usual_fees

__all__ = [
    "DeliveryReport",
    "Evaluation",
    "Usual",
    "deliver",
    "due_notices",
    "evaluate",
    "send_test",
    "usual_fees",
]
