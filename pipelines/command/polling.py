"""Polls feeds through their Dagster jobs, in this process, one after the other.

Owns the progress bars, the summary and the exit code. Called by `ccpay poll` and by the first poll
of `ccpay up`.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import dagster as dg
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from ccpay_io.errors import CcpayError, ConfigError, WrongEnvironment
from ccpay_io.feeds.result import PollResult
from ccpay_io.feeds.session import open_warehouse
from ccpay_io.redaction import Redactor
from ccpay_io.settings import Settings
from pipelines.build import build_defs
from pipelines.command.interrupts import noted_interrupts
from pipelines.command.opening import open_instance
from pipelines.command.output import name_environment, print_table, stderr, stdout
from pipelines.failures import one_line
from pipelines.feeds import FEEDS
from pipelines.jobs import run_config_of

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


class Bars:
    """The listener that draws, and remembers what became of each poll."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._bar: dict[str, TaskID] = {}
        self.results: dict[str, PollResult] = {}
        self.errors: dict[str, CcpayError] = {}

    def begin(self, feed: str) -> None:
        """Draws a bar that does not know its length yet."""
        self._bar[feed] = self._progress.add_task(feed, total=None)

    def progress(self, feed: str, done: int, total: int) -> None:
        """Moves the bar."""
        self._progress.update(self._bar[feed], completed=done, total=total)

    def finished(self, result: PollResult) -> None:
        """Remembers the result."""
        self.results[result.feed] = result

    def broke(self, feed: str, error: CcpayError) -> None:
        """Remembers that nothing could be stored."""
        self.errors[feed] = error

    def end(self, feed: str) -> None:
        """Fills the bar."""
        result = self.results.get(feed)
        total = result.rows + result.unknown if result else 1
        self._progress.update(self._bar[feed], completed=total, total=total)


def poll_feeds(settings: Settings, names: Sequence[str], *, reuse: bool = False) -> int:
    """Polls the feeds, shows how it goes and what came of it.

    Args:
        names: feeds in the order in which they are polled.
        reuse: take a poll that is younger than its feed's cadence instead of asking.

    Returns:
        The exit code: 0 all ok or skipped, 1 every attempted feed failed, 3 otherwise.

    Raises:
        ConfigError, WrongEnvironment: no poll makes sense.
        KeyboardInterrupt: Ctrl-C, also if Dagster made a failed run of it; the polls that were
            committed until then are published.
    """
    name_environment(settings)
    with (
        noted_interrupts() as interrupts,
        open_instance(settings) as instance,
        _progress() as progress,
    ):
        bars = Bars(progress)
        defs = build_defs(resource_overrides={"listener": bars})
        for name in names:
            bars.begin(name)
            reuse_s = getattr(settings.feeds, name) if reuse else 0
            _run(defs, instance, name, reuse_s)
            bars.end(name)
            _stop_if_hopeless(bars.errors.get(name))
            if interrupts.seen:
                break
        interrupted = interrupts.seen
    if not interrupted:
        _summarize(names, bars, Redactor.of(settings).text)
    _publish_rest(settings, list(bars.results.values()))
    if interrupted:
        raise KeyboardInterrupt("what was committed is kept")
    return exit_code(names, bars.results)


def exit_code(names: Sequence[str], results: dict[str, PollResult]) -> int:
    """The contract of `ccpay poll`; a feed without a result could not even be stored."""
    outcomes = [results[name].outcome if name in results else "failed" for name in names]
    refused = any(result.refused for result in results.values())
    attempted = [outcome for outcome in outcomes if outcome != "skipped"]
    if attempted and all(outcome == "failed" for outcome in attempted):
        return 1
    return 3 if refused or any(outcome != "ok" for outcome in attempted) else 0


def _run(defs: dg.Definitions, instance: dg.DagsterInstance, name: str, reuse_s: int) -> None:
    feed = FEEDS[name]
    config = {**run_config_of(feed, reuse_s), **QUIET}
    job = defs.resolve_job_def(feed.job)
    job.execute_in_process(instance=instance, run_config=config, raise_on_error=False)


def _publish_rest(settings: Settings, results: Sequence[PollResult]) -> None:
    """Whoever asks next sees what this command brought, though no publication was due yet."""
    stored = [result for result in results if not result.reused]
    if stored and stored[-1].published is None:
        open_warehouse(settings).publish(force=True)


def _stop_if_hopeless(error: CcpayError | None) -> None:
    """Settings that do not fit are told once, not once per feed."""
    if isinstance(error, ConfigError | WrongEnvironment):
        raise error


@contextmanager
def _progress() -> Iterator[Progress]:
    console = stderr()
    columns = (TextColumn("{task.description:>9}"), BarColumn(), MofNCompleteColumn())
    with Progress(
        *columns, TimeElapsedColumn(), console=console, disable=not console.is_terminal
    ) as progress:
        yield progress


def _summarize(names: Sequence[str], bars: Bars, redact: Callable[[str], str]) -> None:
    numbers = ["answered", "changed", "refused", "unknown", "requests", "seconds"]
    rows = [_row(name, bars.results.get(name), bars.errors.get(name)) for name in names]
    rows = [[redact(cell) for cell in row] for row in rows]
    print_table(stdout(), ["feed", "outcome", *numbers, ""], rows, right=numbers)


def _row(name: str, result: PollResult | None, error: CcpayError | None) -> list[str]:
    if result is None:
        why = one_line(error) if error else "the run failed; see it in Dagster"
        return [name, "failed", "", "", "", "", "", "", why]
    numbers = (result.rows, result.changed, result.refused, result.unknown, result.requests)
    took = (result.observed_at - result.started_at).total_seconds()
    why = one_line(result.error) if result.error else "recent enough" if result.reused else ""
    notes = [note for note in (result.coverage, why) if note]
    return [name, result.outcome, *map(str, numbers), f"{took:.1f}", "; ".join(notes)]
