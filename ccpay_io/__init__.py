"""CCPayment's fees, chain statuses and rates as a library: client, warehouse, alerts, sandbox.

This package never imports Dagster (a lint rule and a test hold it to that); pipelines/ wraps it.
Everything works from a REPL:

    >>> import ccpay_io
    >>> ccpay_io.read("withdraw_fee_now")
"""

from __future__ import annotations

from ccpay_io.errors import ApiError, CcpayError, WarehouseError
from ccpay_io.settings import Settings, load_settings
from ccpay_io.store.reader import Reader
from ccpay_io.store.reading import connect_published, read

__all__ = [
    "ApiError",
    "CcpayError",
    "Reader",
    "Settings",
    "WarehouseError",
    "connect_published",
    "load_settings",
    "read",
]
