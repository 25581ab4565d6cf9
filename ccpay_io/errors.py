"""Everything that can go wrong, as one tree, and what to do about each.

    CcpayError                      .hint: what to do, one line
    ├── ConfigError                 settings or arguments; exit code 2
    ├── ApiError                    .endpoint .code .http_status .policy .name .is_answer
    │   ├── one class per documented code (codes.py: Failed ... ChainStopDeposit)
    │   ├── UndocumentedCode        a code that the reference does not list
    │   ├── TransportError          no usable answer: .name is the class name
    │   │   ├── ConnectFailed, OwnNetworkDown, TimedOut, CutBody, HttpStatusError, NotJson,
    │   │   ├── WrongShape, NullData
    │   ├── SuspectList             code 10000, but not believed (feeds/quarantine.py)
    │   └── BreakerOpen, BudgetExhausted        no request was made
    └── WarehouseError
        ├── WarehouseLocked, WrongEnvironment, SchemaTooNew, NothingPublished, QueryRefused

13xxx and 14xxx are answers ("refused"): the API knows and says no. Everything else is no answer,
and what was asked stays unknown. Does no IO; raised by the client and the store, turned into exit
codes by the command and into Dagster failures by pipelines/.
"""

from __future__ import annotations

from enum import Enum

from ccpay_io.models import Drift

SUPPORT = "https://t.me/CCPaymentSupportBot or support@ccpayment.com"


class Policy(Enum):
    """What the code's owner should do next; the client acts on the first three by itself."""

    RETRY = "retry"
    SLOW_DOWN = "slow down"
    RESIGN_ONCE = "sign once more"
    WAIT_TOMORROW = "wait for tomorrow"
    REFUSE = "an answer: no"
    STOP_EVERYTHING = "stop everything"
    FIX_ACCOUNT = "fix the account"


class CcpayError(Exception):
    """Base of all errors that this package raises on purpose.

    Attributes:
        hint: what to do about it, one line.
    """

    hint = ""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        if hint is not None:
            self.hint = hint


class ConfigError(CcpayError):
    """The settings or the arguments cannot be used."""


class ApiError(CcpayError):
    """The API did not give what it was asked for.

    Attributes:
        endpoint: "getChainList".
        code: the API's own code; None when there was none.
        http_status: None when there was no response.
        policy: what to do next.
        name: the documented error tip ("RateLimit"), or the class name.
        retry_after_s: what the server asked to wait, in seconds.
    """

    code: int | None = None
    policy = Policy.RETRY
    name = ""

    def __init__(
        self,
        endpoint: str,
        detail: str = "",
        *,
        http_status: int | None = None,
        retry_after_s: float | None = None,
        policy: Policy | None = None,
    ) -> None:
        self.endpoint = endpoint
        self.http_status = http_status
        self.retry_after_s = retry_after_s
        if policy is not None:
            self.policy = policy
        label = self.name if self.code is None else f"{self.code} {self.name}"
        super().__init__(f"{endpoint}: {label}" + (f" ({quoted(detail)})" if detail else ""))

    def __init_subclass__(cls, **kwargs: object) -> None:
        super().__init_subclass__(**kwargs)
        cls.name = cls.__dict__.get("name", cls.__name__)

    @property
    def is_answer(self) -> bool:
        """Whether the API knows and says no (13xxx, 14xxx), rather than not answering."""
        return self.code is not None and 13000 <= self.code < 15000


def quoted(text: str, limit: int = 160) -> str:
    """Foreign text on one line: no control characters, not longer than `limit`."""
    line = "".join(c if c.isprintable() else " " for c in text).strip()
    return line if len(line) <= limit else line[: limit - 3] + "..."


class TransportError(ApiError):
    """There is no usable answer."""


class ConnectFailed(TransportError):
    hint = "check this machine's network and CCPAY_BASE_URL; the next poll tries again"


class TimedOut(TransportError):
    hint = "the API or the network is slow; the next poll tries again"


class OwnNetworkDown(TransportError):
    hint = "nothing can be reached from this machine; check its network, the API is not to blame"


class CutBody(TransportError):
    hint = "the connection broke inside an answer; the next poll tries again"


class HttpStatusError(TransportError):
    hint = "a proxy or the API itself is failing; if it lasts, ask " + SUPPORT


class NotJson(TransportError):
    hint = "something other than the API answered (a proxy, a block page?); check CCPAY_BASE_URL"


class WrongShape(TransportError):
    # What deviates from the contract, where that is less than the whole answer.
    drift: tuple[Drift, ...] = ()
    policy = Policy.REFUSE
    hint = "the API's answer is not as documented; look at contract_drift and report it"


class NullData(TransportError):
    hint = "the API said success without data; the next poll tries again"


class SuspectList(ApiError):
    """An answer with code 10000 whose list is empty or suddenly much shorter."""

    policy = Policy.REFUSE
    hint = "quarantined, nothing was stored as vanished; it is accepted if it stays like this"


class BreakerOpen(ApiError):
    policy = Policy.STOP_EVERYTHING
    hint = f"this IP is banned (11014), payouts too; ask {SUPPORT}; then `ccpay doctor --rearm`"


class BudgetExhausted(ApiError):
    policy = Policy.WAIT_TOMORROW
    hint = "polling goes on at 00:00 UTC; raise CCPAY_DAILY_BUDGET if the account allows more"


class CodeError(ApiError):
    """The API answered with a code other than 10000."""


class UndocumentedCode(CodeError):
    """A code that the reference does not list; kept verbatim."""

    # Repeating what nobody has documented could be the thing that gets an IP banned.
    policy = Policy.REFUSE
    hint = "not in CCPayment's reference; if it lasts, ask " + SUPPORT

    def __init__(self, endpoint: str, code: int, detail: str = "", *, http_status: int = 200):
        self.code = code
        super().__init__(endpoint, detail, http_status=http_status)


class WarehouseError(CcpayError):
    """The warehouse cannot be written or read."""


class WarehouseLocked(WarehouseError):
    """Another writer holds the lock for too long."""


class WrongEnvironment(WarehouseError):
    """The folder holds another environment's data; exit code 2."""


class SchemaTooNew(WarehouseError):
    """The file was written by a newer release."""


class NothingPublished(WarehouseError):
    """There is no publication to read yet."""


class QueryRefused(WarehouseError):
    """The query is not allowed, or not valid."""
