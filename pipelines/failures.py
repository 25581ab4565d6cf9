"""How a poll's outcome becomes what Dagster shows: a failed run, a warning, or a success.

Owns that translation, including the metadata of failures. Called by polling.py and delivery.py.
"""

from collections.abc import Callable

import dagster as dg

from ccpay_io.errors import ApiError, CcpayError


def failure_of(error: CcpayError, redact: Callable[[str], str]) -> dg.Failure:
    """The failed step for an error. Never retried: the next tick asks again, at its own pace.

    Args:
        redact: takes secrets out of text; an API may echo what it was sent.
    """
    metadata: dict[str, dg.MetadataValue] = {
        "error": dg.MetadataValue.text(type(error).__name__),
        "hint": dg.MetadataValue.text(error.hint or "see the run's log"),
    }
    if isinstance(error, ApiError):
        metadata["endpoint"] = dg.MetadataValue.text(error.endpoint)
        metadata["policy"] = dg.MetadataValue.text(error.policy.value)
        if error.code is not None:
            metadata["code"] = dg.MetadataValue.int(error.code)
    return dg.Failure(description=redact(one_line(error)), metadata=metadata, allow_retries=False)


def one_line(error: CcpayError) -> str:
    """The error and what to do about it, in one line."""
    return f"{error}; {error.hint}" if error.hint else str(error)
