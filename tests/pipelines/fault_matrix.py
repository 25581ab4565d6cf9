"""Every fault at every endpoint: what a poll makes of it, as rows of docs/faults.md.

Owns the faults, the polls that meet them over real HTTP, and the words of the page. The warehouse
is real and polled before; the polls of the matrix are made by the collector, and committed together
by the test, which looks at what is stored then.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from ccpay_io.client import CcpayClient
from ccpay_io.codes import CODE_ERRORS
from ccpay_io.errors import ApiError
from ccpay_io.feeds.collector import Collector
from ccpay_io.feeds.plan import Plan
from ccpay_io.feeds.poll import Poll, utc_now
from ccpay_io.feeds.result import PollResult
from ccpay_io.pacing import Pacer
from ccpay_io.sandbox.faults import Faults
from ccpay_io.sandbox.scenario import Stage
from ccpay_io.settings import Settings
from ccpay_io.store.writer import Warehouse
from pipelines.command.polling import exit_code

ENDPOINTS = {
    "getChainList": "chains",
    "getFiatList": "fiats",
    "getSwapCoinList": "coins",
    "getCoinList": "networks",
    "getCoinUSDTPrice": "prices",
    "getWithdrawFee": "fees",
    "checkWithdrawalAddressValidity": "watchlist",
    "getCwalletUserId": "watchlist",
}
TIMEOUT_S = 0.4
UNDOCUMENTED = (11016, 13005, 17007)

# Fault -> what it is, in words. What depends on an endpoint's shape stands in SHAPES.
FAULTS = {
    "status:403": "HTTP 403, no JSON",
    "status:429": "HTTP 429, no JSON",
    "status:500": "HTTP 500, no JSON",
    "status:503": "HTTP 503, no JSON",
    "html": "a block page with HTTP 200",
    "echo": "an error page that quotes the request's headers",
    "not_json": "half a JSON object",
    "cut": "the connection ends inside the body",
    "reset": "the connection is reset before the answer",
    "slow:5": "no answer before the timeout",
    "null": "success without data",
    'set:notInTheReference={"a": 1}': "a field that the reference does not have",
}
SHAPES = {
    "empty": "the list is empty",
    "half": "half of the list",
    "double": "everything twice, in another order",
    "status_word:Maintain": "every chain's status is the word of the vendor's SDK notes",
    "status_word:Frozen": "every chain's status is a word that nobody documented",
    "set:status=null": "every status is missing",
    "set:chains=7": "a number in place of the list",
    'set:fiats="x"': "a text in place of the list",
    "set:coins={}": "an object in place of the list",
    "set:prices=[]": "a list in place of the prices",
    "set:fee=null": "no fee",
    "set:usdRate=1.5": "rates are JSON numbers",
    'set:usdRate="1e5"': "rates have exponents",
    'set:amount="-1"': "the fee is negative",
    'set:amount="0.1234567890123456789"': "the fee has more than 18 decimals",
    "set:amount=0.1": "the fee is a JSON number",
    'set:coinId="1280"': "ids are texts",
    "set:addrIsValid=1": "validity is a number",
    "set:cwalletUserName=7": "the name is a number",
    "set:logoUrl=7": "a field that nothing depends on has the wrong type",
}
_OF = {
    "getChainList": (
        "empty",
        "half",
        "double",
        "status_word",
        "set:status",
        "set:chains",
        "set:logoUrl",
    ),
    "getFiatList": ("empty", "half", "double", "set:fiats", "set:usdRate", "set:logoUrl"),
    "getSwapCoinList": ("half", "double", "set:coins", "set:coinId", "set:logoUrl"),
    "getCoinList": ("half", "double", "set:coins", "set:coinId"),
    "getCoinUSDTPrice": ("empty", "half", "set:prices"),
    "getWithdrawFee": ("set:fee", "set:amount", "set:coinId"),
    "checkWithdrawalAddressValidity": ("set:addrIsValid",),
    "getCwalletUserId": ("set:cwalletUserName",),
}


@dataclass(frozen=True)
class Met:
    """One fault at one endpoint.

    Attributes:
        what: the fault in words.
        poll: what the collector made of it.
        error: what is reported.
        questions: that the poll had to ask.
        took_s: real seconds.
    """

    what: str
    endpoint: str
    poll: Poll
    error: ApiError | None
    questions: int
    took_s: float

    def row(self) -> tuple[str, ...]:
        """What the page says: outcome, stored, reported, requests per question, exit code."""
        poll, answered, error = self.poll, self.poll.answered, self.error
        unknown = sum(answers.unknown for answers in poll.answers.values())
        reasons = sorted({why for a in poll.answers.values() for why in a.gaps})
        refused = sum(int((a.frame["state"] == "refused").sum()) for a in poll.answers.values())
        if not poll.answers:
            stored = "nothing; what was known stays, and is unknown in this poll"
        elif refused == answered and refused:
            stored = "refused, with the code"
        else:
            stored = "what was answered"
            stored += f"; unknown ({', '.join(reasons)}): " if unknown else ""
            stored += ("all" if not answered else "the rest") if unknown else ""
        kinds = sorted({f"drift: {one.kind} at {one.path}" for one in poll.drift})
        told = [*([f"{error.code or ''} {error.name}".strip()] if error else []), *kinds]
        result = PollResult(
            0, poll.feed, poll.outcome, poll.started_at, poll.observed_at, refused=refused
        )
        per_question = f"{poll.requests / self.questions:.2g}"
        exits = str(exit_code([poll.feed], {poll.feed: result}))
        return poll.outcome, stored, "; ".join(told) or "nothing", per_question, exits


def faults_of(endpoint: str) -> Iterator[tuple[str, str]]:
    """(fault, in words) that an endpoint can meet."""
    for code in (*sorted(CODE_ERRORS), *UNDOCUMENTED):
        name = CODE_ERRORS[code].name if code in CODE_ERRORS else "undocumented"
        yield f"code:{code}", f"code {code} {name}"
    yield from FAULTS.items()
    for fault, words in SHAPES.items():
        if fault.startswith(_OF[endpoint]):
            yield fault, words


@dataclass
class Matrix:
    """Meets faults with one poll each.

    Args:
        folder: for limits files, a new one for each poll: a ban must not reach the next.
    """

    folder: Path
    settings: Settings
    warehouse: Warehouse
    faults: Faults
    stage: Stage
    plans: dict[str, Plan]
    made: int = 0

    async def all(self) -> list[Met]:
        """Every fault at every endpoint, then clocks and limits."""
        met = []
        for endpoint in ENDPOINTS:
            for fault, words in faults_of(endpoint):
                self.faults.clear()
                self.faults.add(fault, endpoint)
                met.append(await self.meet(words, endpoint))
            self.faults.clear()
            met += [await one for one in self._surroundings(endpoint)]
        return met

    def _surroundings(self, endpoint: str) -> Iterator[Awaitable[Met]]:
        for skew in (-600, 600):
            yield self._skewed(f"this machine's clock is {-skew:+} s off", endpoint, skew)
        for jump in (-3600, 3600):
            yield self.meet(f"this machine's clock jumps by {jump:+} s", endpoint, jump_s=jump)
        yield self._limited("the account's quota is used up from the second request on", endpoint)

    async def _skewed(self, words: str, endpoint: str, skew: float) -> Met:
        self.stage.verifier.skew_s = skew
        try:
            return await self.meet(words, endpoint)
        finally:
            self.stage.verifier.skew_s = 0

    async def _limited(self, words: str, endpoint: str) -> Met:
        self.stage.limits.set(quota=1)
        try:
            return await self.meet(words, endpoint)
        finally:
            self.stage.limits.set()

    async def meet(self, words: str, endpoint: str, *, jump_s: float = 0) -> Met:
        """One poll; the clock may jump between its beginning and its end."""
        self.made += 1
        feed, looks = ENDPOINTS[endpoint], iter((0.0,))
        # A second between two polls, as they are made far more quickly than ever.
        base = timedelta(seconds=self.made)

        def now() -> datetime:
            return utc_now() + base + timedelta(seconds=next(looks, jump_s))

        pacer = Pacer(
            self.folder / f"{self.made}.sqlite",
            credentials_key="x", daily_budget=10**6, start_rps=1000, ceiling_rps=1000,
        )  # fmt: skip
        watch = self.settings.watch
        kept = {"addresses": watch.addresses, "cwallet_ids": ()}
        if endpoint == "getCwalletUserId":
            kept = {"addresses": (), "cwallet_ids": watch.cwallet_ids}
        settings = dataclasses.replace(self.settings, watch=watch.model_copy(update=kept))
        before = utc_now()
        async with CcpayClient(
            settings.credentials, base_url=settings.base_url, pacer=pacer, timeout_s=TIMEOUT_S
        ) as client:
            collector = Collector(client, self.warehouse, settings, now=now)
            poll, error = await collector.observe(feed, self.plans[feed])
        took_s = (utc_now() - before).total_seconds()
        return Met(words, endpoint, poll, error, self._questions(feed, settings), took_s)

    def _questions(self, feed: str, settings: Settings) -> int:
        if feed == "watchlist":
            return len(settings.watch.addresses) + len(settings.watch.cwallet_ids)
        return len(self.plans[feed].pairs) if feed == "fees" else 1


HEADER = """\
# Faults

What each fault of the API, the network and the clock does to a poll: made by
`tests/pipelines/test_fault_matrix.py`, which polls a sandbox that has the fault, over real HTTP,
and commits what came of it. After all of it every earlier value is still there, and no value is
stored that was not served. No poll lasted longer than its timeout, times its attempts.

*Requests* are those made for one question, repetitions included; a sweep of the fees has several
questions, and stops where more of them would be useless. *Exit* is that of `ccpay poll FEED`. A
fault hits every request of the poll; where it hits some, the others are answered and the poll is
`partial`.

| fault | endpoints | outcome | stored | reported | requests | exit |
|---|---|---|---|---|---|---|
"""


def page_of(met: Sequence[Met]) -> str:
    """docs/faults.md: endpoints, and codes, that do the same share a row."""
    at: dict[tuple[str, ...], list[str]] = {}
    for one in met:
        at.setdefault((one.what, *one.row()), []).append(one.endpoint)
    rows: dict[tuple[str, ...], list[str]] = {}
    for (what, outcome, stored, reported, *rest), endpoints in at.items():
        where = "all" if len(endpoints) == len(ENDPOINTS) else ", ".join(endpoints)
        is_code = what.startswith("code ")
        drift = reported[reported.index("drift") :] if "drift" in reported else ""
        told = "; ".join(filter(None, ("the code", drift))) if is_code else reported
        shared = (where, outcome, stored, told, *rest)
        rows.setdefault(("" if is_code else what, *shared), []).append(what)
    lines = []
    order = {what: n for n, what in enumerate(dict.fromkeys(one.what for one in met))}
    for (_, *cells), whats in sorted(rows.items(), key=lambda row: order[row[1][0]]):
        names = [what.removeprefix("code ") for what in whats] if len(whats) > 1 else whats
        named = f"codes {', '.join(names)}" if len(whats) > 1 else whats[0]
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in (named, *cells)) + " |")
    return HEADER + "\n".join(lines) + "\n"
