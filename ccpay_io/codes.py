"""The API's documented codes: a class for each, with what it means and what to do.

Owns the reference's table of codes. What a policy makes the client do is client.py's and
pacing.py's. Does no IO; called by envelope.py, which reads the codes, by the sandbox and the demo,
which answer with them.
"""

from __future__ import annotations

from ccpay_io.errors import SUPPORT, BreakerOpen, CodeError, Policy, UndocumentedCode

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
