"""How the sandbox misbehaves on request.

Owns the small language of faults, the statuses that tests pin, and the count of requests; what a
fault does is in spoiling.py. A fault is a JSON object: {"fault": "code:11004", "times": 3,
"endpoint": "getWithdrawFee" or "*", "match": {"coinId": 1280}}. Without `match` it hits every
request, without `times` until it is cleared.

    code:N [message]   the API's code N                 status:N    HTTP status N without JSON
    html               an HTML page with status 200     not_json    half a JSON object
    cut                a body shorter than announced    reset       the connection is reset
    slow:S             the answer comes S seconds late  null        code 10000 without data
    empty              the list of the answer is empty  half        it has half of its items
    double             each item of the list is there twice, in another order
    status_word:W      every item has the status W      set:F=V     field F, of data or of each
                                                                    item, is V (JSON)
    echo               the request's headers in an HTML error page
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

_PLAIN = ("html", "not_json", "cut", "reset", "null", "empty", "half", "double", "echo")
# What follows the colon, by fault: raises ValueError when it is not that.
_VALUES: dict[str, Callable[[str], Any]] = {
    "code": lambda value: int(value.partition(" ")[0]),
    "status": int,
    "slow": float,
    "status_word": str,
    "set": lambda value: json.loads(value.partition("=")[2]),
    **dict.fromkeys(_PLAIN, str),
}


@dataclass
class Fault:
    """One fault that is in force; `times` counts down."""

    endpoint: str
    fault: str
    match: dict[str, Any] = field(default_factory=dict)
    times: int | None = None

    def hits(self, endpoint: str, request: dict[str, Any]) -> bool:
        """Whether this request is to be spoiled."""
        return (
            self.endpoint in ("*", endpoint)
            and self.times != 0
            and all(request.get(name) == value for name, value in self.match.items())
        )


@dataclass
class Faults:
    """What is wrong with a sandbox at the moment; changed by tests and by /admin.

    Attributes:
        active: faults in force; the first that hits a request wins.
        statuses: chain -> the status that it has, whatever the world says.
        requests: endpoint -> signed requests received.
    """

    active: list[Fault] = field(default_factory=list)
    statuses: dict[str, str] = field(default_factory=dict)
    requests: Counter[str] = field(default_factory=Counter)

    def add(
        self,
        fault: str,
        endpoint: str = "*",
        *,
        times: int | None = None,
        match: dict[str, Any] | None = None,
    ) -> None:
        """Puts a fault in force.

        Raises:
            ValueError: the language does not have it.
        """
        name, _, value = fault.partition(":")
        if name not in _VALUES:
            raise ValueError(f"no fault {name!r}; there are {', '.join(sorted(_VALUES))}")
        _VALUES[name](value)
        self.active.append(Fault(endpoint, fault, match or {}, times))

    def pin(self, chain: str, status: str) -> None:
        """Gives a chain a status, whatever the world says; an empty one ends that."""
        if status:
            self.statuses[chain] = status
        else:
            self.statuses.pop(chain, None)

    def clear(self) -> None:
        """Ends all faults and pinned statuses."""
        self.active.clear()
        self.statuses.clear()

    def take(self, endpoint: str, request: dict[str, Any]) -> str | None:
        """The fault for this request, counted down, or None."""
        for fault in self.active:
            if fault.hits(endpoint, request):
                if fault.times is not None:
                    fault.times -= 1
                return fault.fault
        return None
