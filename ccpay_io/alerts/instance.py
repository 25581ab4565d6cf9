"""What is known of one subject between polls: its phase, and what was told of it.

Owns the shape of a row of store.alert_state. Called by the pure parts (machine, flapping, muting,
engine) and by book.py, which reads and writes the rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from ccpay_io.alerts.subject import Observation

Phase = Literal["quiet", "pending", "firing", "recovering"]
Told = Literal["opened", "flapping"]


@dataclass(frozen=True)
class Instance:
    """One subject.

    Attributes:
        kind, key, subject, chain, coin_id: as in Observation.
        phase: quiet instances are kept while their past may still make them flap.
        streak: known observations in a row that led here, in this phase.
        value, severity: of the episode; the last bad value and the highest severity.
        alert_id: of the current episode, or of the last one.
        started_after, started_by, ended_after, ended_by: bounds of that episode.
        last_bad_at, last_known_at: when it was last seen bad, and last seen at all.
        absences: whole lists in a row without it.
        told: what was last told of it and not taken back; None: nothing, or that it is over.
        told_id: the alert_id under which that was told.
        sequence: notices of this episode so far.
        reminders, remind_at: how many there were, and when the next is due.
        muted_by: what keeps a bad subject from being told: "silence:<id>", "alert:<alert_id>".
        changes: the last 21 known observations as bits; 1 where the verdict changed.
        changed_at: when it last did.
        opens: when it opened, within the last hour.
        flapping_since: set while it changes too often to be told.
    """

    kind: str
    key: str
    subject: str
    chain: str | None
    coin_id: int | None
    phase: Phase
    streak: int
    value: str
    severity: str
    alert_id: str
    started_after: datetime | None
    started_by: datetime
    last_bad_at: datetime
    ended_after: datetime | None
    ended_by: datetime | None
    last_known_at: datetime
    absences: int = 0
    told: Told | None = None
    told_id: str | None = None
    sequence: int = 0
    reminders: int = 0
    remind_at: datetime | None = None
    muted_by: str | None = None
    changes: int = 0
    changed_at: datetime | None = None
    opens: tuple[datetime, ...] = ()
    flapping_since: datetime | None = None

    @classmethod
    def unseen(cls, seen: Observation) -> Instance:
        """A subject of which nothing is known yet."""
        return cls(
            seen.kind,
            seen.key,
            seen.subject,
            seen.chain,
            seen.coin_id,
            "quiet",
            0,
            seen.value,
            seen.severity,
            alert_id="",
            started_after=seen.after,
            started_by=seen.by,
            last_bad_at=seen.by,
            ended_after=None,
            ended_by=None,
            last_known_at=seen.by,
            changed_at=seen.by,
        )

    @property
    def is_open(self) -> bool:
        """Whether an episode is under way."""
        return self.phase in ("firing", "recovering")

    @property
    def is_bad(self) -> bool:
        """Whether the last known observation was bad."""
        return self.phase in ("pending", "firing")
