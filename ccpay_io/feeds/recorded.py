"""Answers out of a raw file, for the feed modules: they cannot tell it from the API.

Owns which recorded line answers which call: the last attempt of that call. Called by replay.py.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from ccpay_io.calls import Calls
from ccpay_io.envelope import read_answer
from ccpay_io.errors import (
    ApiError,
    BreakerOpen,
    BudgetExhausted,
    ConnectFailed,
    CutBody,
    TimedOut,
    WarehouseError,
)

_SILENCES: Mapping[str, type[ApiError]] = {
    kind.name: kind for kind in (TimedOut, ConnectFailed, CutBody, BreakerOpen, BudgetExhausted)
}
# Their requests are masked in the record. They were made one after the other, in the order of the
# watchlist, so they are answered in that order.
_MASKED = ("checkWithdrawalAddressValidity", "getCwalletUserId")

T = TypeVar("T")


class Recorded(Calls):
    """Answers each call as it was answered when the raw file was written.

    Args:
        lines: of the raw file, without its header.

    Attributes:
        ended: (endpoint, request) of each call, in the order in which they ended.
    """

    def __init__(self, lines: Iterable[dict[str, Any]]) -> None:
        last: dict[int, dict[str, Any]] = {}
        for line in lines:
            last.pop(line["call"], None)
            last[line["call"]] = line
        self.ended = [(line["endpoint"], json.loads(line["request"])) for line in last.values()]
        self._answers: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for line in last.values():
            self._answers.setdefault(_key(line["endpoint"], line["request"]), []).append(line)

    async def _call(
        self, endpoint: str, parameters: Mapping[str, Any], read: Callable[[str, object], T]
    ) -> T:
        """Reads what was recorded.

        Raises:
            ApiError: what was said instead of an answer, then as now.
            WarehouseError: the record does not have this call.
        """
        request = json.dumps(parameters, separators=(",", ":"))
        waiting = self._answers.get(_key(endpoint, request))
        if not waiting:
            raise WarehouseError(f"the raw file has no answer of {endpoint} to {request}")
        line = waiting.pop(0)
        if "error" in line:
            raise _SILENCES[line["error"]](endpoint)
        return read_answer(endpoint, line["http_status"], line["response"].encode(), read)


def _key(endpoint: str, request: str) -> tuple[str, str]:
    return endpoint, "" if endpoint in _MASKED else request
