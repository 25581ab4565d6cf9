"""Seals what is due, at the time that the history has reached.

The one place that knows how sealing is called. Called by writing.py and year.py.
"""

from __future__ import annotations

from datetime import datetime

from ccpay_io.store.writer import Warehouse


def seal_due(warehouse: Warehouse, now: datetime) -> None:
    """Seals every month that is due at `now`; as long as the store cannot seal, nothing."""
    seal = getattr(warehouse, "seal", None)
    if seal is not None:
        seal(now=now)
