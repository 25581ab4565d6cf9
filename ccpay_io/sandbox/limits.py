"""Limits that the sandbox can be given: a pace, a ban for whoever keeps ignoring it, a quota.

Owns the counting. Without being asked to, a sandbox limits nothing. Called by server.py for each
signed request.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ccpay_io.sandbox.replies import Refused


@dataclass
class Limits:
    """What is allowed, and what was made of it.

    Attributes:
        rps: requests a second, with bursts of as many; None: any.
        ban_after: refusals (11004) after which every request is answered with 11014; None: never.
        quota: requests after which every request is answered with 11009; None: any.
        allowed, refused: requests so far, by what became of them.
        banned: whether the ban is in force.
    """

    rps: float | None = None
    ban_after: int | None = None
    quota: int | None = None
    allowed: int = 0
    refused: int = 0
    banned: bool = False
    clock: Callable[[], float] = field(default=time.monotonic, repr=False)
    _tokens: float = field(default=0, repr=False)
    _at: float | None = field(default=None, repr=False)

    def set(
        self, *, rps: float | None = None, ban_after: int | None = None, quota: int | None = None
    ) -> None:
        """Gives other limits, and begins to count anew.

        Raises:
            ValueError: a limit is not a positive number.
        """
        for value in (rps, ban_after, quota):
            if value is not None and not (type(value) in (int, float) and value > 0):
                raise ValueError(f"{value!r} is not a positive number")
        self.rps, self.ban_after, self.quota = rps, ban_after, quota
        self.allowed = self.refused = 0
        self.banned, self._at = False, None

    def admit(self) -> None:
        """Counts a request.

        Raises:
            Refused: it is one too many.
        """
        if self.banned:
            raise Refused(11014)
        if self.quota is not None and self.allowed >= self.quota:
            raise Refused(11009)
        if self.rps is not None and not self._take_token(self.rps):
            self.refused += 1
            self.banned = self.ban_after is not None and self.refused >= self.ban_after
            raise Refused(11004)
        self.allowed += 1

    def shown(self) -> dict[str, Any]:
        """Limits and counts, for the admin corner."""
        names = ("rps", "ban_after", "quota", "allowed", "refused", "banned")
        return {name: getattr(self, name) for name in names}

    def _take_token(self, rps: float) -> bool:
        now = self.clock()
        burst = max(1.0, rps)
        earned = burst if self._at is None else (now - self._at) * rps
        self._tokens, self._at = min(burst, self._tokens + earned), now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
