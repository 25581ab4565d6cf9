"""What the doctor says of one thing that it looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warn", "wrong"]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        level: "ok", "warn" (works, but not for ever) or "wrong" (does not work).
        subject: what was looked at.
        text: what was found.
        next_step: what to do; empty when nothing.
    """

    level: Level
    subject: str
    text: str
    next_step: str = ""
