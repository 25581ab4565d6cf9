"""The feed `fees`: one getWithdrawFee per (coin, chain), within a deadline.

Owns the sweep: who is asked in which order, when it gives up, and what each answer or silence
means. The plan comes from plan.py; pace and retries are the client's. Called by the collector.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from ccpay_io.errors import ApiError, Policy, TimedOut
from ccpay_io.feeds.asked import Asked, drift_of, reason_of
from ccpay_io.feeds.poll import Answers
from ccpay_io.feeds.sampling import REASON, Pair
from ccpay_io.feeds.source import Source
from ccpay_io.models import Drift
from ccpay_io.store.datasets import DATASETS

Progress = Callable[[int, int], None]

# After this many failures in a row, without one answer between them, the API is out: asking the
# other pairs would only add to its trouble and to ours.
GIVE_UP_AFTER = 24

_HOPELESS = (Policy.STOP_EVERYTHING, Policy.FIX_ACCOUNT, Policy.WAIT_TOMORROW)


class _Sweep:
    """The state of one sweep: what has been answered, what has failed, whether to go on."""

    def __init__(self, total: int, progress: Progress) -> None:
        self.rows: list[dict[str, object]] = []
        self.gaps: dict[str, list[tuple[object, ...]]] = {}
        self.errors: list[ApiError] = []
        self.drift: dict[tuple[str, str, str], Drift] = {}
        self.stopped: str | None = None
        self._in_a_row = 0
        self._total, self._progress = total, progress

    def answered(self, row: dict[str, object], drift: Iterable[Drift] = ()) -> None:
        self.rows.append(row)
        self._in_a_row = 0
        for one in drift:
            self.drift.setdefault((one.path, one.kind, one.value), one)
        self._report()

    def failed(self, pair: Pair, error: ApiError) -> None:
        self.gap(pair, reason_of(error))
        self.errors.append(error)
        self._in_a_row += 1
        if error.policy in _HOPELESS or self._in_a_row >= GIVE_UP_AFTER:
            self.stopped = "not_asked"
        self._report()

    def cut_off(self, why: str = "") -> None:
        self.stopped = "deadline"
        self.errors.append(TimedOut("getWithdrawFee", why))

    def gap(self, pair: Pair, reason: str) -> None:
        self.gaps.setdefault(reason, []).append(pair)

    def _report(self) -> None:
        done = len(self.rows) + sum(len(pairs) for pairs in self.gaps.values())
        self._progress(done, self._total)


async def ask_fees(
    source: Source,
    pairs: Sequence[Pair],
    *,
    deadline_s: float,
    workers: int,
    left_out: Sequence[Pair] = (),
    progress: Progress = lambda done, total: None,
) -> Asked:
    """Asks for the fee of every pair, in the given order, until the deadline.

    13xxx and 14xxx are answers (refused); everything else that is not a fee is no answer, and the
    pair is unknown with the reason. What the deadline cuts off is unknown("deadline"), what was not
    asked because the API was out or forbade it is unknown("not_asked"), what was left out because
    the budget does not reach is unknown("budget").
    """
    sweep = _Sweep(len(pairs), progress)
    waiting = list(reversed(pairs))
    asking: set[Pair] = set()

    async def work() -> None:
        while waiting and sweep.stopped is None:
            pair = waiting.pop()
            asking.add(pair)
            await _ask_one(source, pair, sweep)
            asking.discard(pair)

    try:
        async with asyncio.timeout(deadline_s), asyncio.TaskGroup() as group:
            for _ in range(min(workers, len(pairs))):
                group.create_task(work())
    except TimeoutError:
        sweep.cut_off(f"the sweep's {deadline_s:.0f} s are over")
    except ExceptionGroup as group:
        # What is no ApiError (a limits file that cannot be written) is told as what it is.
        raise group.exceptions[0] from None
    for pair in [*asking, *reversed(waiting)]:
        sweep.gap(pair, sweep.stopped or "not_asked")
    for pair in left_out:
        sweep.gap(pair, REASON)
    return _asked(sweep)


async def retell_fees(
    source: Source, pairs: Sequence[Pair], left: Mapping[str, Sequence[Pair]]
) -> Asked:
    """What a recorded sweep learned.

    Args:
        source: the record.
        pairs: whose calls ended, in the order in which they did.
        left: why -> the other pairs of the sweep.
    """
    sweep = _Sweep(len(pairs), lambda done, total: None)
    for pair in pairs:
        await _ask_one(source, pair, sweep)
    if "deadline" in left:
        sweep.cut_off()
    for reason, unasked in left.items():
        for pair in unasked:
            sweep.gap(pair, reason)
    return _asked(sweep)


async def _ask_one(source: Source, pair: Pair, sweep: _Sweep) -> None:
    coin_id, chain = pair
    row: dict[str, object] = {"coin_id": coin_id, "chain": chain}
    try:
        fee = await source.get_withdraw_fee(coin_id, chain)
    except ApiError as error:
        if error.is_answer:
            refused = {**row, "state": "refused", "refusal_code": error.code}
            sweep.answered(refused, drift_of(error))
        else:
            sweep.failed(pair, error)
        return
    row |= {
        "state": "ok",
        "fee_amount": fee.amount,
        "fee_coin_id": fee.coin_id,
        "fee_coin": fee.coin_symbol,
        "network_fee_inquiry_id": fee.network_fee_inquiry_id,
    }
    sweep.answered(row, fee.drift)


def _asked(sweep: _Sweep) -> Asked:
    frame = DATASETS["withdraw_fee"].frame(sweep.rows)
    most_frequent = Counter(map(reason_of, sweep.errors)).most_common(1)
    error = next(
        (e for e in sweep.errors if most_frequent and reason_of(e) == most_frequent[0][0]), None
    )
    drift = (*sweep.drift.values(), *drift_of(*sweep.errors))
    return Asked({"withdraw_fee": Answers(frame, sweep.gaps)}, drift=drift, error=error)
