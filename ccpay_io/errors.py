"""Everything that can go wrong, as one tree with a policy and a next step for each.

Owns the classes, what each documented code means for the caller, and the wording of the one line
that people see: `str(error)` says what happened and what to do; `.what` and `.hint` are its halves.
Raised by every module of ccpay_io; knows none of them.

    CcpayError
    |-- ConfigError                  settings are missing or wrong (exit code 2)
    |-- WarehouseError               the warehouse cannot be written or read
    |   |-- WarehouseLocked, WrongEnvironment, SchemaTooNew, NothingPublished, QueryRefused
    `-- ApiError                     a call to CCPayment has no usable result
        |-- NotSent                  no request was made
        |   `-- BreakerOpen (after 11014), BudgetExhausted, PathRefused
        |-- TransportError           no readable answer
        |   `-- ConnectFailed, TimedOut, CutBody, HttpStatusError, NotJson, WrongShape, NullData
        |-- SuspectList              a readable list that is not believed
        |-- RequestFailed            10001, 11000-11015 and 15000-15003, one class per code
        |-- AccountError             12000-12003, one class per code
        |-- Refusal                  13000-13004, 14000-14016, one class per code: these are answers
        `-- UndocumentedCode         any other code
"""

from __future__ import annotations

import unicodedata
from enum import Enum
from typing import ClassVar

_QUOTE_CHARS = 120


class Policy(Enum):
    """What a caller does about an error."""

    RETRY = "retry"
    SLOW_DOWN = "slow down"
    WAIT_TOMORROW = "wait for tomorrow"
    RESIGN_ONCE = "sign once more"
    REFUSE = "do not repeat"
    STOP_EVERYTHING = "stop everything"
    FIX_ACCOUNT = "fix the account"


def one_line(text: object) -> str:
    """Foreign text without control or invisible characters, as one line."""
    kept = (" " if c.isspace() else c for c in str(text))
    return " ".join("".join(c for c in kept if unicodedata.category(c)[0] != "C").split())


def quoted(text: object) -> str:
    """Foreign text as one short line, for a message or a log."""
    line = one_line(text)
    return line if len(line) <= _QUOTE_CHARS else line[: _QUOTE_CHARS - 3] + "..."


class CcpayError(Exception):
    """Base of all errors of this package.

    Attributes:
        what: what happened, one line.
        hint: what to do, one line; may be empty.
    """

    hint: str = ""

    def __init__(self, what: str = "", *, hint: str | None = None) -> None:
        super().__init__(what)
        if hint is not None:
            self.hint = hint

    @property
    def what(self) -> str:
        """What happened, without the hint."""
        return str(self.args[0])

    def __str__(self) -> str:
        return f"{self.what}: {self.hint}" if self.hint else self.what


class ConfigError(CcpayError):
    """A setting is missing or wrong; exit code 2."""


class WarehouseError(CcpayError):
    """The warehouse cannot be written or read."""


class WarehouseLocked(WarehouseError):
    """Another process has been writing for longer than one should wait."""

    hint = "another process is writing; try again in a moment"


class WrongEnvironment(WarehouseError):
    """The warehouse belongs to another environment (live host or sandbox); exit code 2."""

    hint = "set CCPAY_WAREHOUSE to a folder of this environment"


class SchemaTooNew(WarehouseError):
    """A newer release has written this warehouse."""

    hint = "upgrade ccpay-warehouse to the release that wrote it"


class NothingPublished(WarehouseError):
    """There is no published file yet."""

    hint = "run `ccpay poll all` first"


class QueryRefused(WarehouseError):
    """A query is not allowed, or it is wrong."""


class ApiError(CcpayError):
    """A call to CCPayment has no usable result.

    Attributes:
        endpoint: e.g. "getWithdrawFee"; "" when no call was involved.
        detail: what is known beyond the kind of error, one line, safe to show.
        code: the API's code; None when there was none.
        http_status: of the response; None when there was none.
        policy: what to do about it.
        name: the documented name of the code, or the name of the class.
        retry_after_s: how long the server asked to wait, in seconds.
    """

    code: int | None = None
    policy: Policy = Policy.REFUSE
    name: ClassVar[str] = "ApiError"

    def __init__(
        self,
        endpoint: str,
        detail: str = "",
        *,
        http_status: int | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__()
        # Positional arguments only: copying and pickling rebuild an exception from its args.
        self.args = (endpoint, detail)
        self.endpoint = endpoint
        self.detail = quoted(detail)
        self.http_status = http_status
        self.retry_after_s = retry_after_s

    def __init_subclass__(cls, code: int | None = None, policy: Policy | None = None) -> None:
        cls.name = cls.__name__
        if policy is not None:
            cls.policy = policy
        if code is not None:
            cls.code = code
            BY_CODE[code] = cls

    @property
    def is_answer(self) -> bool:
        """Whether the API did answer, with a refusal (13xxx, 14xxx), rather than fail."""
        return self.code is not None and 13000 <= self.code < 15000

    @property
    def what(self) -> str:
        """Endpoint, code and name, and what the API said; without the hint."""
        kind = self.name if self.code is None else f"{self.code} {self.name}"
        told = f' ("{self.detail}")' if self.code is not None else f", {self.detail}"
        subject = f"{self.endpoint} failed with {kind}" if self.endpoint else kind
        return subject + (told if self.detail else "")


BY_CODE: dict[int, type[ApiError]] = {}


class NotSent(ApiError):
    """No request was made."""


class BreakerOpen(NotSent, policy=Policy.STOP_EVERYTHING):
    hint = "after a ban nothing is sent; see `ccpay doctor`, then `ccpay doctor --rearm`"


class BudgetExhausted(NotSent, policy=Policy.WAIT_TOMORROW):
    hint = "requests go on at 00:00 UTC; CCPAY_DAILY_BUDGET sets the daily budget"


class PathRefused(NotSent):
    hint = "only the read-only endpoints may be called, at the configured address"


class TransportError(ApiError, policy=Policy.RETRY):
    """The request may have been sent, but there is no readable answer."""


class ConnectFailed(TransportError):
    hint = "check the network, DNS, proxy and CCPAY_BASE_URL"


class TimedOut(TransportError):
    hint = "the API or the network is slow; the next poll asks again"


class CutBody(TransportError):
    hint = "the answer did not arrive whole; the next poll asks again"


class HttpStatusError(TransportError):
    hint = "the API is out, or a proxy or firewall answered in its place"

    def __init__(
        self,
        endpoint: str,
        detail: str = "",
        *,
        http_status: int | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(endpoint, detail, http_status=http_status, retry_after_s=retry_after_s)
        if http_status == 429:
            self.policy = Policy.SLOW_DOWN
        elif http_status is not None and http_status < 500 and http_status != 408:
            self.policy = Policy.REFUSE


class NotJson(TransportError):
    hint = "a proxy, firewall or login page may have answered in the API's place"


class WrongShape(TransportError, policy=Policy.REFUSE):
    hint = "the API may have changed; run `ccpay doctor --contract` and report it"


class NullData(TransportError, policy=Policy.REFUSE):
    hint = "the API reported success without data; the next poll asks again"


class SuspectList(ApiError):
    hint = "an empty or much shorter list is not stored until further polls confirm it"


class UndocumentedCode(ApiError):
    """A code that the reference does not list; 13xxx and 14xxx among them stay answers."""

    hint = "this code is undocumented; if it persists, ask support@ccpayment.com what it means"

    def __init__(
        self,
        endpoint: str,
        detail: str = "",
        *,
        code: int | None = None,
        http_status: int | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(endpoint, detail, http_status=http_status, retry_after_s=retry_after_s)
        self.code = code


def error_for_code(
    endpoint: str,
    code: int,
    msg: object,
    *,
    http_status: int | None = None,
    retry_after_s: float | None = None,
) -> ApiError:
    """The error for a code other than 10000.

    Args:
        endpoint: e.g. "getWithdrawFee".
        code: the API's `code`.
        msg: the API's `msg`, free of secrets; any type, quoted shortened.
        http_status: of the response.
        retry_after_s: the response's Retry-After in seconds.
    """
    cls = BY_CODE.get(code)
    detail = "" if msg is None else one_line(msg)
    if cls is None:
        return UndocumentedCode(
            endpoint, detail, code=code, http_status=http_status, retry_after_s=retry_after_s
        )
    return cls(endpoint, detail, http_status=http_status, retry_after_s=retry_after_s)
