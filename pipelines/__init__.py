"""When things happen, and in what order: the Dagster code location and the `ccpay` command.

No HTTP, no SQL text, no field mapping: those are ccpay_io's. Only modules outside `command/` may
import dagster freely; most sub-commands must start without it.
"""
