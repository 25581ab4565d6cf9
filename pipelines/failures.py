"""How a poll's outcome becomes what Dagster shows: a failed run, a warning, or a success.

Owns that translation, including the metadata of failures. Called by polling.py and delivery.py.
"""

import dagster as dg

from ccpay_io.errors import ApiError, CcpayError, ConfigError, Policy


def failure_of(error: CcpayError) -> dg.Failure:
    """The failed step for an error. Never retried: the next tick asks again, at its own pace."""
    metadata: dict[str, dg.MetadataValue] = {
        "error": dg.MetadataValue.text(type(error).__name__),
        "hint": dg.MetadataValue.text(error.hint or "see the run's log"),
    }
    if isinstance(error, ApiError):
        metadata["endpoint"] = dg.MetadataValue.text(error.endpoint)
        metadata["policy"] = dg.MetadataValue.text(error.policy.value)
        if error.code is not None:
            metadata["code"] = dg.MetadataValue.int(error.code)
    return dg.Failure(description=one_line(error), metadata=metadata, allow_retries=False)


def one_line(error: CcpayError) -> str:
    """The error and what to do about it, in one line."""
    return f"{error}; {error.hint}" if error.hint else str(error)


def needs_a_person(error: CcpayError) -> bool:
    """Whether waiting will not help."""
    if isinstance(error, ApiError):
        return error.policy in (Policy.FIX_ACCOUNT, Policy.STOP_EVERYTHING)
    return isinstance(error, ConfigError)
