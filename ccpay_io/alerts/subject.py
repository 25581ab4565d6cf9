"""What alerts are about, and what a poll says about it.

Owns the kinds, verdicts and severities, and the identity of a subject. Made by observe/, taken by
machine.py and engine.py; pure data.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from ccpay_io.config import AlertKind

# absent: a whole list came without it. gone: it is no longer asked for, so nothing will come.
Verdict = Literal["good", "bad", "unknown", "absent", "gone"]

SEVERITIES = ("info", "warning", "critical")


@dataclass(frozen=True)
class Observation:
    """What one poll says about one subject.

    Attributes:
        kind: of subject.
        key: identity among its kind; never thresholds, texts or values, so that edits keep it.
        subject: its name for people.
        verdict: only good and bad count towards anything.
        value: what was seen, in the API's words where there are any.
        severity: of the alert if it opens now.
        after: this verdict began after this moment (None: it was so when monitoring began).
        by: and at the latest at this moment.
        chain, coin_id: what it is about, for inhibition and silences.
        raise_after, clear_after: instead of the settings, where one answer settles it.
    """

    kind: AlertKind
    key: str
    subject: str
    verdict: Verdict
    value: str
    severity: str
    after: datetime | None
    by: datetime
    chain: str | None = None
    coin_id: int | None = None
    raise_after: int | None = None
    clear_after: int | None = None


def fingerprint(environment: str, kind: str, key: str) -> str:
    """Identity of a subject over all environments."""
    text = f"{environment}\0{kind}\0{key}"
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def is_worse(severity: str, than: str) -> bool:
    """Whether one severity is above another."""
    return SEVERITIES.index(severity) > SEVERITIES.index(than)
