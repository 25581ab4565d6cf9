"""The envelope of every answer: HTTP 200 with code, msg and data, also when the answer is no.

Called by server.py and spoiling.py.
"""

from __future__ import annotations

from typing import Any

from starlette.responses import JSONResponse, Response

from ccpay_io.codes import CODE_ERRORS


class Refused(Exception):
    """The API's way of saying no: a code, and the message that goes with it."""

    def __init__(self, code: int, message: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.message = message or (CODE_ERRORS[code].name if code in CODE_ERRORS else "error")


def success(data: dict[str, Any] | None) -> Response:
    """Code 10000 with this data."""
    return JSONResponse({"code": 10000, "msg": "success", "data": data})


def failure(refused: Refused) -> Response:
    """A code that says no, without data."""
    return JSONResponse({"code": refused.code, "msg": refused.message, "data": None})
