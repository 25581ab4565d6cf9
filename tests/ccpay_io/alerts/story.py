"""Stories without a warehouse: what each poll says of each subject, through the pure engine.

One character per poll and subject: g good, b bad, ? unknown, a absent, x gone, - not observed.
Subjects are the API, chains by name, and routes as "COIN on CHAIN".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from alert_timeline import START, TICK

from ccpay_io.alerts.engine import Judgement, Moment, Rules, judge
from ccpay_io.alerts.instance import Instance
from ccpay_io.alerts.muting import API
from ccpay_io.alerts.subject import Observation, Verdict
from ccpay_io.alerts.telling import Transition

VERDICTS: dict[str, Verdict] = {
    "g": "good",
    "b": "bad",
    "?": "unknown",
    "a": "absent",
    "x": "gone",
}


def observation(subject: str, character: str, at: datetime, severity: str) -> Observation:
    """What a character says of a subject."""
    verdict = VERDICTS[character]
    # Of what is bad in the first poll nobody knows the beginning.
    after = None if at <= START + TICK else START
    if subject == "API":
        return Observation(
            "source_health", API, "CCPayment API", verdict, "outage", severity, after, at
        )
    if " on " in subject:
        chain = subject.partition(" on ")[2]
        return Observation(
            "payout_route", subject, subject, verdict, "13004", severity, after, at, chain, 1
        )
    return Observation(
        "chain_status", subject, subject, verdict, "Maintenance", severity, after, at, subject
    )


@dataclass
class Story:
    """Plays polls a tick apart and remembers what was told.

    Attributes:
        rules: may be replaced between polls.
        told: (number of the poll, transition).
    """

    rules: Rules = field(default_factory=Rules)
    tick: timedelta = TICK
    state: Mapping[str, Instance] = field(default_factory=dict)
    told: list[tuple[int, Transition]] = field(default_factory=list)
    polls: int = 0

    @property
    def now(self) -> datetime:
        """When the last poll was."""
        return START + self.polls * self.tick

    def play(self, *, severity: str = "critical", **subjects: str) -> list[str]:
        """Plays columns of characters, one per subject; returns "4 opened TRX" of these polls."""
        named = {name.replace("_", " "): text.replace(" ", "") for name, text in subjects.items()}
        before = len(self.told)
        for row in zip(*named.values(), strict=True):
            self.poll(dict(zip(named, row, strict=True)), severity)
        return [f"{n} {t.word} {t.alert.subject}" for n, t in self.told[before:]]

    def poll(self, said: Mapping[str, str], severity: str = "critical") -> Judgement:
        """Plays one poll."""
        self.polls += 1
        seen: Sequence[Observation] = [
            observation(subject, character, self.now, severity)
            for subject, character in said.items()
            if character != "-"
        ]
        judged = judge(self.state, seen, Moment(self.now, self.polls, "test"), self.rules)
        self.state = judged.state
        self.told += [(self.polls, transition) for transition in judged.transitions]
        return judged

    def wait(self, length: timedelta) -> None:
        """Time passes without a poll."""
        self.polls += round(length / self.tick)
