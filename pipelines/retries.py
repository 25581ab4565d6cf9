"""Retries of the client are no news: they are told at debug level, by endpoint, and nowhere else.

Owns stamina's hook in processes of this project; by default stamina prints each planned retry with
the error that caused it, in every process, past our logging and its redaction.
"""

import logging

from stamina.instrumentation import RetryDetails, set_on_retry_hooks

log = logging.getLogger("ccpay.client")


def log_retries_quietly() -> None:
    """Replaces stamina's own reporting in this process."""
    set_on_retry_hooks([_log])


def _log(details: RetryDetails) -> None:
    cause = type(details.caused_by).__name__
    log.debug("%s: retry %s in %.1f s", cause, details.retry_num, details.wait_for)
