"""What an answer says before its `data` is read: the HTTP status and the API's code.

Owns when a response is a success and which error everything else is. What `data` holds is read by
answers.py. Does no IO. Called by the client, and by the replay of recorded answers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from pydantic_core import from_json

from ccpay_io.codes import CODE_ERRORS, error_for_code
from ccpay_io.errors import HttpStatusError, NotJson, NullData, WrongShape
from ccpay_io.transport import policy_of_status

SUCCESS = 10000

T = TypeVar("T")


def read_answer(
    endpoint: str,
    status: int,
    content: bytes,
    read: Callable[[str, object], T],
    redact: Callable[[str], str] = str,
) -> T:
    """The model that a response carries.

    Args:
        status: of HTTP.
        content: the body as received.
        read: makes the model of (endpoint, data).
        redact: takes secrets out of what is quoted in errors.

    Raises:
        ApiError: what came instead.
    """
    data = _data(endpoint, status, content, redact)
    try:
        return read(endpoint, data)
    except ValueError as error:
        wrong = WrongShape(endpoint, redact(str(error)), http_status=status)
        wrong.drift = tuple(one.redacted(redact) for one in getattr(error, "drift", ()))
        raise wrong from None


def _data(endpoint: str, status: int, content: bytes, redact: Callable[[str], str]) -> object:
    """The `data` of a successful answer."""
    try:
        answer = from_json(content)
    except ValueError:
        answer = None
    code = answer.get("code") if isinstance(answer, dict) else None
    # What a gateway says in JSON of its own ({"code": 429}) is about HTTP, not from the API.
    if status != 200 and code not in CODE_ERRORS:
        raise HttpStatusError(
            endpoint, f"HTTP {status}", http_status=status, policy=policy_of_status(status)
        )
    if not isinstance(answer, dict):
        start = redact(content[:200].decode("utf-8", "replace"))[:60]
        detail = f"it begins with {start!r}" if content else "empty"
        raise NotJson(endpoint, detail, http_status=status)
    if type(code) is not int or not 0 <= code < 2**31:
        raise WrongShape(endpoint, "the answer has no code", http_status=status)
    if code != SUCCESS:
        message = redact(str(answer.get("msg") or ""))
        raise error_for_code(endpoint, code, message, http_status=status)
    if answer.get("data") is None:
        raise NullData(endpoint, http_status=status)
    data: object = answer["data"]
    return data
