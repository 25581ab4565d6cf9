"""A file of misbehaviour: what happens to a sandbox, and when, without anybody at the admin corner.

Owns the form of a scenario file and what each step does. Steps are taken when a request comes that
is later than they are: nobody sees the difference, and no thread is needed. Read by
`ccpay sandbox --scenario FILE`; the admin corner (admin.py) does the same steps at once.

    [[step]]                            # seconds after the start; steps in the order of time
    at = 0
    limits = { rps = 20, ban_after = 30, quota = 100000 }    # {}: none any more
    [[step]]
    at = 60
    fault = { fault = "code:11002", endpoint = "getWithdrawFee", times = 5 }
    [[step]]
    at = 90
    chains = { TRX = "Maintain", ETH = "" }                   # "": as the world says
    skew_s = 300                                              # the sandbox's clock is so far ahead
    [[step]]
    at = 120
    clear = true                                              # no faults and pinned statuses
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ccpay_io.errors import ConfigError
from ccpay_io.sandbox.faults import Faults
from ccpay_io.sandbox.limits import Limits
from ccpay_io.sandbox.verifying import Verifier

Step = dict[str, Any]
_KEYS = {"at", "limits", "fault", "chains", "skew_s", "clear"}


class Stage:
    """Everything about a sandbox that a step can change.

    Args:
        faults, limits, verifier: of the sandbox.
    """

    def __init__(self, faults: Faults, limits: Limits, verifier: Verifier) -> None:
        self.faults, self.limits, self.verifier = faults, limits, verifier

    def take(self, step: Step) -> None:
        """Does what a step says.

        Raises:
            TypeError, ValueError: it says something that does not exist.
        """
        if unknown := step.keys() - _KEYS:
            raise ValueError(
                f"no {', '.join(sorted(unknown))}; there are {', '.join(sorted(_KEYS))}"
            )
        if step.get("clear"):
            self.faults.clear()
        if "limits" in step:
            self.limits.set(**step["limits"])
        if "fault" in step:
            self.faults.add(**step["fault"])
        for chain, status in step.get("chains", {}).items():
            self.faults.pin(chain, status)
        if "skew_s" in step:
            self.verifier.skew_s = float(step["skew_s"])


class Scenario:
    """Steps that are still to come.

    Args:
        steps: in the order of their `at`.
    """

    def __init__(self, steps: Sequence[Step] = ()) -> None:
        self._waiting = list(steps)

    def catch_up(self, elapsed_s: float, stage: Stage) -> None:
        """Takes the steps that are due so many seconds after the start."""
        while self._waiting and self._waiting[0]["at"] <= elapsed_s:
            stage.take(self._waiting.pop(0))


def read_scenario(path: Path) -> Scenario:
    """The scenario in a file, tried once on a stage of its own.

    Raises:
        ConfigError: it cannot be read, or a step says something that does not exist.
    """
    try:
        steps = _steps_in(path.read_text("utf-8"))
        rehearsal = Stage(Faults(), Limits(), Verifier({}))
        for number, step in enumerate(steps, start=1):
            _rehearse(rehearsal, number, step, steps[number - 2]["at"] if number > 1 else 0)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: {error}", hint="docs/sandbox.md has an example") from None
    return Scenario(steps)


def _steps_in(text: str) -> list[Any]:
    told = tomllib.loads(text)
    steps = told.get("step")
    if told.keys() != {"step"} or not isinstance(steps, list):
        raise ValueError("a scenario is a list of [[step]], and nothing else")
    return steps


def _rehearse(stage: Stage, number: int, step: object, not_before: float) -> None:
    if not isinstance(step, dict) or type(step.get("at")) not in (int, float):
        raise ValueError(f"step {number} has no `at`, seconds after the start")
    if step["at"] < not_before:
        raise ValueError(f"step {number} is earlier than the one before it")
    try:
        stage.take(step)
    except (AttributeError, TypeError, ValueError) as error:
        raise ValueError(f"step {number}: {error}") from None
