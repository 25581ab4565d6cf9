"""The merchant's own withdrawals, from a CSV file into the warehouse: what payouts really cost.

table.py makes numbered lines of named texts of a file, lines.py checks what a line says, book.py
compares it with what was imported before and stores what is new, in one transaction.
"""

from __future__ import annotations

from ccpay_io.withdrawals.book import Imported, import_withdrawals

__all__ = ["Imported", "import_withdrawals"]
