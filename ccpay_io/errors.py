"""Everything that can go wrong, as one tree, and what to do about each.

    CcpayError                      .hint: what to do, one line
    ├── ConfigError                 settings or arguments; exit code 2
    ├── ApiError                    .endpoint .code .http_status .policy .name .is_answer
    │   ├── one class per documented code (Failed ... ChainStopDeposit)
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


_RETRY, _REFUSE, _FIX = Policy.RETRY, Policy.REFUSE, Policy.FIX_ACCOUNT
_BUG = "the request was not what the API expects; please report this as a bug"
_INPUT = "check the coin id, chain or address that was asked about"
_ACCOUNT = "see the developer page of the CCPayment dashboard, then run `ccpay doctor`"
_LATER = "the API answered no for now; it is asked again at the next poll"
_NOT_READ = "this code belongs to calls that this tool never makes; if it lasts, ask " + SUPPORT


def _code(code: int, name: str, policy: Policy, hint: str) -> type[CodeError]:
    body = {"code": code, "name": name, "policy": policy, "hint": hint, "__module__": __name__}
    return type(name, (CodeError,), {**body, "__doc__": f"Code {code}: {name}."})


# The reference's table of codes, in its order and under its names.
Failed = _code(10001, "Failed", _RETRY, "the API gave no reason; the next poll tries again")
InvalidArgument = _code(11000, "InvalidArgument", _REFUSE, _INPUT)
HeaderInvalidArgument = _code(11001, "HeaderInvalidArgument", _REFUSE, _BUG)
Internal = _code(11002, "Internal", _RETRY, "CCPayment has a problem; the next poll tries again")
NotFound = _code(11003, "NotFound", _REFUSE, _INPUT)
RateLimit = _code(
    11004, "RateLimit", Policy.SLOW_DOWN, "the pace was lowered; set CCPAY_MAX_RPS if it lasts"
)
VerifySignFailed = _code(11005, "VerifySignFailed", _FIX, "check CCPAY_APP_ID and CCPAY_APP_SECRET")
ReqExpired = _code(
    11006, "ReqExpired", Policy.RESIGN_ONCE, "this machine's clock is off; set it, e.g. with NTP"
)
RepeatedSubmit = _code(11007, "RepeatedSubmit", _RETRY, _LATER)
QueryDurationTooMax = _code(11008, "QueryDurationTooMax", _REFUSE, _NOT_READ)
ReqDailyLimit = _code(
    11009, "ReqDailyLimit", Policy.WAIT_TOMORROW, "the account's daily quota is used up"
)
QueryNumMax = _code(11010, "QueryNumMax", _REFUSE, _NOT_READ)
OrderDuplicate = _code(11011, "OrderDuplicate", _REFUSE, _NOT_READ)
ExpiredAtTooMax = _code(11012, "ExpiredAtTooMax", _REFUSE, _NOT_READ)
NoSupportVersion = _code(
    11013, "NoSupportVersion", _FIX, "this account has API version 1 only; ask " + SUPPORT
)
MaliciousReq = _code(11014, "MaliciousReq", Policy.STOP_EVERYTHING, BreakerOpen.hint)
UserIdNotFound = _code(11015, "UserIdNotFound", _REFUSE, _INPUT)
MerchantDisabled = _code(12000, "MerchantDisabled", _FIX, "ask " + SUPPORT)
MerchantNotFound = _code(12001, "MerchantNotFound", _FIX, "check CCPAY_APP_ID")
IpNotInWhitelist = _code(
    12002,
    "IpNotInWhitelist",
    _FIX,
    "add this machine's public IP to the whitelist on CCPayment's developer page",
)
MerchantApiDisabled = _code(12003, "MerchantApiDisabled", _FIX, _ACCOUNT)
InvalidCoin = _code(13000, "InvalidCoin", _REFUSE, _INPUT)
InvalidChain = _code(13001, "InvalidChain", _REFUSE, _INPUT)
AbnormalCoinPrice = _code(13002, "AbnormalCoinPrice", _REFUSE, _LATER)
AbnormalCoinPriceNotSupportMode = _code(13003, "AbnormalCoinPriceNotSupportMode", _REFUSE, _LATER)
UnstableBlockchain = _code(13004, "UnstableBlockchain", _REFUSE, _LATER)
BalanceInsufficient = _code(14000, "BalanceInsufficient", _REFUSE, _LATER)
WithdrawFeeTooLow = _code(14001, "WithdrawFeeTooLow", _REFUSE, _NOT_READ)
AddressNotActive = _code(14002, "AddressNotActive", _REFUSE, _INPUT)
AddressEmptyMemo = _code(14003, "AddressEmptyMemo", _REFUSE, _INPUT)
ChainStopWithdraw = _code(14004, "ChainStopWithdraw", _REFUSE, _LATER)
WithdrawValueLessThanLimit = _code(14005, "WithdrawValueLessThanLimit", _REFUSE, _NOT_READ)
WithdrawValueMoreThanLimit = _code(14006, "WithdrawValueMoreThanLimit", _REFUSE, _NOT_READ)
WithdrawAddrFormat = _code(14007, "WithdrawAddrFormat", _REFUSE, _INPUT)
WithdrawCannotSelf = _code(14008, "WithdrawCannotSelf", _REFUSE, _INPUT)
CoinNoSupportMemo = _code(14009, "CoinNoSupportMemo", _REFUSE, _INPUT)
NoSupportCoin = _code(
    14010, "NoSupportCoin", _REFUSE, "add the coin to the tokens of your business in the dashboard"
)
WithdrawFeeBalanceNotEnough = _code(14011, "WithdrawFeeBalanceNotEnough", _REFUSE, _NOT_READ)
NotSupportMerchantTransfer = _code(14012, "NotSupportMerchantTransfer", _REFUSE, _NOT_READ)
CoinPrecisionLimit = _code(14013, "CoinPrecisionLimit", _REFUSE, _NOT_READ)
NotFinishCollection = _code(14014, "NotFinishCollection", _REFUSE, _ACCOUNT)
WithdrawToContractAddress = _code(14015, "WithdrawToContractAddress", _REFUSE, _INPUT)
WithdrawInvalidAddressType = _code(14016, "WithdrawInvalidAddressType", _REFUSE, _INPUT)
GenerateAddressFailed = _code(15000, "GenerateAddressFailed", _RETRY, _NOT_READ)
PaymentAddressNumTooMuch = _code(15001, "PaymentAddressNumTooMuch", _REFUSE, _NOT_READ)
ChainStopDeposit = _code(15003, "ChainStopDeposit", _REFUSE, _NOT_READ)

CODE_ERRORS: dict[int, type[CodeError]] = {
    cls.code: cls for cls in CodeError.__subclasses__() if cls.code is not None
}


def error_for_code(endpoint: str, code: int, message: str, *, http_status: int = 200) -> CodeError:
    """The error for an answer whose code is not 10000.

    Args:
        endpoint: the endpoint that was asked.
        code: the API's code.
        message: the API's `msg`; quoted, shortened.
        http_status: of the response.
    """
    known = CODE_ERRORS.get(code)
    detail = "" if known and message.replace(" ", "").lower() == known.name.lower() else message
    if known is None:
        return UndocumentedCode(endpoint, code, detail, http_status=http_status)
    return known(endpoint, detail, http_status=http_status)
