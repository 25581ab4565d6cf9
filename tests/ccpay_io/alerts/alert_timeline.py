"""A small language of ticks: one character is one poll of the chain list, thirty seconds apart.

The character says what the API says about the chain TRX (the other chains stay Normal):

    n Normal   m Maintenance   t Maintain   u an unseen word   . not listed
    x no connection   o nor to anything else   a bad signature   w IP not whitelisted
    r rate limit   q daily quota   b banned   s not sent (own budget)   k not sent (breaker)
    e empty list   h half a list

Blanks are for the reader. What is played goes through a real warehouse file and the real engine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import duckdb

from ccpay_io.alerts import Evaluation, Usual, evaluate
from ccpay_io.feeds.chains import chain_state
from ccpay_io.feeds.poll import Answers, Outcome, Poll, poll_id_at
from ccpay_io.models import Drift
from ccpay_io.settings import Credentials, Secret, Settings
from ccpay_io.store.datasets import DATASETS
from ccpay_io.store.folder import FolderStorage
from ccpay_io.store.watch import sync_watch_settings
from ccpay_io.store.writer import Warehouse

START = datetime(2026, 3, 2, 10, 0, 0, tzinfo=UTC)
TICK = timedelta(seconds=30)
OTHERS = ("BSC", "BTC", "ETH")

WORDS = {"n": "Normal", "m": "Maintenance", "t": "Maintain", "u": "Paused"}
FAILURES: dict[str, tuple[Outcome, int | None, str]] = {
    "x": ("failed", None, "ConnectFailed"),
    "o": ("failed", None, "OwnNetworkDown"),
    "a": ("failed", 11005, "VerifySignFailed"),
    "w": ("failed", 12002, "IpNotInWhitelist"),
    "r": ("failed", 11004, "RateLimit"),
    "q": ("failed", 11009, "ReqDailyLimit"),
    "b": ("failed", 11014, "MaliciousReq"),
    "s": ("skipped", None, "BudgetExhausted"),
    "k": ("skipped", None, "BreakerOpen"),
    "e": ("failed", None, "SuspectList"),
    "h": ("failed", None, "SuspectList"),
}
# What the source's failures are called when they are what a poll says.
NO_ANSWER = "".join(FAILURES)


def live_settings(root: Path, **given: Any) -> Settings:
    """Settings of a live installation, so that notices go to the channels that are given."""
    return Settings(
        environment="live",
        base_url="https://api.test/ccpayment/v2",
        credentials=Credentials(Secret("app-id-of-tests"), Secret("app-secret-of-tests")),
        warehouse=root,
        dagster_home=root / "dagster",
        **given,
    )


def chain_poll(statuses: Mapping[str, str], at: datetime) -> Poll:
    """A poll of the chain list with these answers."""
    rows = [
        {"chain": chain, "state": chain_state(word), "status_raw": word}
        for chain, word in statuses.items()
    ]
    return replace(_poll("ok", at), answers={"chain": Answers(DATASETS["chain"].frame(rows))})


def failed_poll(character: str, at: datetime) -> Poll:
    """A poll of the chain list without an answer that is believed."""
    outcome, code, name = FAILURES[character]
    return replace(
        _poll(outcome, at),
        error_code=code,
        error_name=name,
        error_message=f"getChainList failed with {name}",
    )


def _poll(outcome: Outcome, at: datetime) -> Poll:
    return Poll(poll_id_at(at), "chains", outcome, at, at + timedelta(seconds=1), 1, cadence_s=30)


def feed_poll(
    feed: str,
    at: datetime,
    rows: Mapping[str, Sequence[Mapping[str, object]]] | None = None,
    *,
    cadence_s: int = 300,
    failed: str = "",
    drift: tuple[Drift, ...] = (),
) -> Poll:
    """A poll of any other feed: rows per dataset, or the character of a failure."""
    poll = failed_poll(failed, at) if failed else _poll("ok", at)
    answers = {name: Answers(DATASETS[name].frame(given)) for name, given in (rows or {}).items()}
    return replace(poll, feed=feed, answers=answers, cadence_s=cadence_s, drift=drift)


class Clock:
    """Stands still until it is told to go on."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def __call__(self) -> datetime:
        return self.moment

    def pass_s(self, seconds: float) -> None:
        """Goes on by this many seconds."""
        self.moment += timedelta(seconds=seconds)


class KeptFile(FolderStorage):
    """A folder whose file stays open, where the product opens it for each transaction.

    What opening does is tested elsewhere.
    """

    _files: ClassVar[dict[Path, tuple[ExitStack, duckdb.DuckDBPyConnection]]] = {}

    @contextmanager
    def _open(self) -> Iterator[duckdb.DuckDBPyConnection]:
        if self._private not in self._files:
            stack = ExitStack()
            self._files[self._private] = stack, stack.enter_context(super()._open())
        yield self._files[self._private][1]

    @classmethod
    def close_all(cls) -> None:
        """Lets others open the files."""
        while cls._files:
            cls._files.popitem()[1][0].close()


class KeptOpen(Warehouse):
    """A warehouse in such a folder."""

    def __init__(self, root: Path, stamp: str) -> None:
        super().__init__(root, stamp)
        self._storage = KeptFile(root, stamp, 5, self.step)


class Timeline:
    """Plays ticks into the warehouse in a folder and tells which notices were written when.

    Args:
        settings: of the warehouse.
        on_step: told the steps of each commit, which then open the file as the product does.

    Attributes:
        kind: the class of warehouse where there is no on_step.
    """

    kind: ClassVar[type[Warehouse]] = Warehouse

    def __init__(self, settings: Settings, *, on_step: Callable[[str], None] | None = None) -> None:
        self.settings = settings
        if on_step is None:
            self.warehouse = self.kind(settings.warehouse, settings.stamp)
        else:
            KeptFile.close_all()
            self.warehouse = Warehouse(settings.warehouse, settings.stamp, on_step=on_step)
        self.ticks = 0
        self.polls: list[Poll] = []
        self.usual: Usual | None = None

    def play(self, script: str, *, channel: str = "log") -> list[str]:
        """Plays ticks; returns the channel's notices of these ticks, as "4 opened TRX"."""
        begun = self.ticks
        polls = [self.tick(character) for character in script if character != " "]
        self.commit(polls)
        return [text for tick, text in self.notices(channel) if tick > begun]

    def play_lists(self, lists: Sequence[Mapping[str, str]]) -> list[bool]:
        """Plays whole chain lists, a tick apart; returns where confirmation is wanted."""
        polls = []
        for statuses in lists:
            self.ticks += 1
            polls.append(chain_poll(statuses, self.at(self.ticks)))
        return self.commit(polls)

    def confirms(self, character: str) -> bool:
        """Plays one tick; whether the caller is asked to poll again at once."""
        (confirm,) = self.commit([self.tick(character)])
        return confirm

    def wait(self, ticks: int) -> None:
        """Time passes without a poll, as when nothing runs."""
        self.ticks += ticks

    def commit(self, polls: list[Poll]) -> list[bool]:
        """Stores polls in one transaction; returns for each whether confirmation is wanted."""
        self.polls += polls
        return [c.confirm for c in self.warehouse.commit(polls, evaluate=self.judge)]

    def judge(self, con: duckdb.DuckDBPyConnection, poll: Poll) -> Evaluation:
        """What the collector does inside the poll's transaction."""
        sync_watch_settings(con, self.settings)
        return evaluate(con, poll, self.settings, self.usual)

    def notices(self, channel: str = "log") -> list[tuple[int, str]]:
        """(tick, "4 opened TRX") of all notices of a channel, in the order of polls."""
        rows = self.rows(
            "SELECT poll_id, transition, payload::JSON ->> '$.alerts[*].subject'"
            " FROM store.alert_outbox WHERE channel = ? ORDER BY poll_id, notice_id",
            channel,
        )
        found = []
        for poll_id, transition, subjects in rows:
            tick = self._tick_of(poll_id)
            found.append((tick, f"{tick} {transition} {', '.join(sorted(subjects))}"))
        return found

    def rows(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        """The rows of a query on the writers' file."""
        with self.warehouse.transaction() as con:
            return con.execute(sql, list(parameters)).fetchall()

    def at(self, tick: int) -> datetime:
        """When the poll of a tick started; the first tick is 1."""
        return START + (tick - 1) * TICK

    def seen_at(self, tick: int) -> datetime:
        """When its answer was received."""
        return self.at(tick) + timedelta(seconds=1)

    def tick(self, character: str) -> Poll:
        """The next poll, not played."""
        self.ticks += 1
        at = self.at(self.ticks)
        if character in FAILURES:
            return failed_poll(character, at)
        statuses = dict.fromkeys(OTHERS, "Normal")
        if character != ".":
            statuses["TRX"] = WORDS[character]
        return chain_poll(statuses, at)

    def _tick_of(self, poll_id: int) -> int:
        return round((poll_id - poll_id_at(START)) / 1_000_000 / TICK.total_seconds()) + 1
