"""The targets of the project, each with what was measured: met, not met, or not measured.

Owns the numbers that are aimed at. They hold for 90 days; a shorter run is judged all the same, and
the text says how long it was. Called by __main__.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.asking import BARE, CLIENT, COMMITTED, SEQUENTIAL, Asked
from bench.report import counted, gb_per_day, geometric_mean, ratio
from bench.run import Measured
from bench.year import Year

# Change rate -> bytes per observation hot and sealed, times as fast as plain rows.
_BY_RATE = {0.05: (1.0, 0.6, 5.0), 0.30: (4.0, 2.5, 2.0)}
_NOW_MS = 10.0
_GB_A_DAY = 10.0
_DLT_SHARE = 0.1
_YEAR_RATIO = 1.3
_MINUTES = 30.0
# 0.9 and 1.2 ms of CPU where aiohttp takes 0.35 to 0.4.
_OF_BARE, _OF_SEQUENTIAL, _CPU_MODEL, _CPU_ROW = 0.85, 12.0, 2.4, 3.2


@dataclass(frozen=True)
class Target:
    """One of them.

    Attributes:
        what: in words, with its limit.
        value: what was measured; None when it was not.
        limit: what it is compared with.
        at_least: whether more is better.
    """

    what: str
    value: float | None
    limit: float
    at_least: bool = False

    def __str__(self) -> str:
        if self.value is None:
            return f"  {'not measured':<14}{self.what}"
        met = self.value >= self.limit if self.at_least else self.value <= self.limit
        return f"  {'met' if met else 'NOT MET':<14}{self.what}: {self.value:.2f}"


def target_lines(runs: Sequence[Measured], year: Year, days: float, elapsed_s: float) -> list[str]:
    """Every target, one a line."""
    targets = [target for measured in runs for target in _of_rate(measured)]
    targets += [
        Target(
            f"commit and publication after a year, at most {_YEAR_RATIO} times one hot window",
            year.after.both_s / year.window.both_s,
            _YEAR_RATIO,
        ),
        Target(f"the whole run, at most {_MINUTES:.0f} minutes", elapsed_s / 60, _MINUTES),
    ]
    return [f"targets (set for 90 days; this run had {days:g})", *map(str, targets)]


def asking_targets(asked: Mapping[str, Asked]) -> list[str]:
    """Those of asking, one a line."""
    bare, client, committed = asked[BARE], asked[CLIENT], asked[COMMITTED]
    return [
        str(target)
        for target in (
            Target(f"at least {_OF_BARE} of aiohttp's fees per second",
                   client.per_s / bare.per_s, _OF_BARE, at_least=True),
            Target(f"at least {_OF_SEQUENTIAL:g} times the fees of one after the other",
                   client.per_s / asked[SEQUENTIAL].per_s, _OF_SEQUENTIAL, at_least=True),
            Target(f"CPU to a model, at most {_CPU_MODEL} times aiohttp's",
                   client.cpu_ms / bare.cpu_ms, _CPU_MODEL),
            Target(f"CPU to a committed row, at most {_CPU_ROW} times aiohttp's",
                   committed.cpu_ms / bare.cpu_ms, _CPU_ROW),
        )
    ]  # fmt: skip


def _of_rate(measured: Measured) -> list[Target]:
    hot_limit, sealed_limit, speed = _BY_RATE[measured.rate]
    hot, hour = measured.written.fullest, measured.hour
    answered = measured.answered
    sealed = measured.parts["sealed"] / measured.sealed if measured.sealed else None
    dlt = hour.fee_poll_s / hour.dlt_poll_s if hour.dlt_poll_s else None
    now = max(item.ms["store"] for item in answered if item.question.is_now)
    slowest = min(ratio(item) for item in counted(answered))
    at = f"{measured.rate:.0%}: "
    return [
        Target(f"{at}bytes per observation hot, at most {hot_limit}",
               hot.size / hot.observations, hot_limit),
        Target(f"{at}bytes per observation sealed, at most {sealed_limit}", sealed, sealed_limit),
        Target(f"{at}GB written per day, under {_GB_A_DAY:g}",
               gb_per_day(hour) if hour.written else None, _GB_A_DAY),
        Target(f"{at}eight questions, at least {speed:g} times as fast as plain rows",
               geometric_mean(answered), speed, at_least=True),
        Target(f"{at}none of them slower (the smallest ratio)", slowest, 1.0, at_least=True),
        Target(f"{at}'now' questions, ms, under {_NOW_MS:g}", now, _NOW_MS),
        Target(f"{at}a fee poll in at most {_DLT_SHARE:g} of dlt's time", dlt, _DLT_SHARE),
    ]  # fmt: skip
