"""Hostile days: months of polls with everything that may hide a chain's status, and the truth.

Owns the making of the days and the rule said another way: by searching the whole history at once,
where the engine goes poll by poll.

    g normal   b in maintenance   ? an unseen word, or nothing answered   a not listed
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

RAISE_AFTER, CLEAR_AFTER = 2, 3
Told = tuple[int, str, str]


@dataclass(frozen=True)
class Days:
    """What each poll says: one character per poll, of the API and of each chain."""

    api: str
    chains: dict[str, str]


def make_days(seed: int, polls: int, chains: int = 12) -> Days:
    """Outages of any length, maintenances with gaps and blips, words unseen, chains unlisted."""
    rng = random.Random(seed)  # noqa: S311
    api = _outages(rng, polls)
    mass = [rng.randrange(polls) for _ in range(3)]
    return Days(api, {f"C{i:02}": _chain(rng, api, mass) for i in range(chains)})


def _outages(rng: random.Random, polls: int) -> str:
    text = ["g"] * polls
    position = 20
    while position < polls:
        length = rng.choice([1, 1, 1, 2, 3, 10, 80])
        text[position : position + length] = ["b"] * len(text[position : position + length])
        # Some come back for a moment.
        text[min(position + rng.randrange(2 * length), polls - 1)] = "g"
        position += length + rng.randrange(40, 400)
    return "".join(text)


def _chain(rng: random.Random, api: str, mass: Sequence[int]) -> str:
    while True:
        text = _truth(rng, len(api), mass)
        hidden = [_hidden(rng, word, source) for word, source in zip(text, api, strict=True)]
        if not flaps(seen := "".join(hidden)):
            return seen


def _truth(rng: random.Random, polls: int, mass: Sequence[int]) -> str:
    text = ["g"] * polls
    position = rng.randrange(100)
    while position < polls:
        length = rng.choice([1, 2, 3, 30, 60, 200])
        text[position : position + length] = ["b"] * len(text[position : position + length])
        position += length + rng.randrange(60, 600)
    for start in mass:
        text[start : start + 50] = ["b"] * len(text[start : start + 50])
    return "".join(text)


def _hidden(rng: random.Random, word: str, source: str) -> str:
    if source == "b" or rng.random() < 0.02:
        return "?"
    return "a" if rng.random() < 0.005 else word


def flaps(text: str) -> bool:
    """Whether a chain changes too often to be told each time."""
    known = [c for c in text if c in "gb"]
    changes = [a != b for a, b in pairwise(known)]
    return "aaa" in text.replace("?", "") or any(
        sum(changes[i : i + 21]) >= 6 for i in range(len(changes))
    )


def episodes(text: str) -> list[tuple[int, int | None]]:
    """(poll in which it opened, poll in which it resolved) by searching the known answers."""
    known = [(poll, c) for poll, c in enumerate(text) if c in "gb"]
    line = "".join(c for _, c in known)
    found = list[tuple[int, int | None]]()
    position = 0
    while (begun := line.find("b" * RAISE_AFTER, position)) >= 0:
        opened = begun + RAISE_AFTER - 1
        over = line.find("g" * CLEAR_AFTER, opened)
        if over < 0:
            return [*found, (known[opened][0], None)]
        position = over + CLEAR_AFTER
        found.append((known[opened][0], known[position - 1][0]))
    return found


def expected(days: Days) -> list[Told]:
    """(poll, word, subject) of every opened and resolved that should be told."""
    source = episodes(days.api)
    told = _told_of("CCPayment API", source)
    outage = {
        poll for begun, over in source for poll in range(begun, over or len(days.api))
    }  # fmt: skip
    for chain, text in days.chains.items():
        for opened, over in episodes(text):
            last = over or len(text)
            # Told at the first poll that sees it while the API is not known to be away.
            first = next(
                (p for p in range(opened, last) if text[p] == "b" and p not in outage), None
            )
            if first is not None:
                told += _told_of(chain, [(first, over)])
    return sorted(told)


def _told_of(subject: str, spans: Sequence[tuple[int, int | None]]) -> list[Told]:
    opened = [(begun, "opened", subject) for begun, _ in spans]
    return opened + [(over, "resolved", subject) for _, over in spans if over is not None]
