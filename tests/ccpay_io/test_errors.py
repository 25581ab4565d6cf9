"""Errors: one class per documented code, a policy each, and one line that says what to do."""

from __future__ import annotations

import pytest

from ccpay_io.codes import CODE_ERRORS, error_for_code
from ccpay_io.errors import (
    ApiError,
    BreakerOpen,
    BudgetExhausted,
    CcpayError,
    CodeError,
    ConfigError,
    ConnectFailed,
    CutBody,
    HttpStatusError,
    NotJson,
    NullData,
    Policy,
    SuspectList,
    TimedOut,
    TransportError,
    UndocumentedCode,
    WarehouseError,
    WrongShape,
    quoted,
)

# The reference's tables of status and error codes.
DOCUMENTED = [
    (10001, "Failed"),
    (11000, "InvalidArgument"),
    (11001, "HeaderInvalidArgument"),
    (11002, "Internal"),
    (11003, "NotFound"),
    (11004, "RateLimit"),
    (11005, "VerifySignFailed"),
    (11006, "ReqExpired"),
    (11007, "RepeatedSubmit"),
    (11008, "QueryDurationTooMax"),
    (11009, "ReqDailyLimit"),
    (11010, "QueryNumMax"),
    (11011, "OrderDuplicate"),
    (11012, "ExpiredAtTooMax"),
    (11013, "NoSupportVersion"),
    (11014, "MaliciousReq"),
    (11015, "UserIdNotFound"),
    (12000, "MerchantDisabled"),
    (12001, "MerchantNotFound"),
    (12002, "IpNotInWhitelist"),
    (12003, "MerchantApiDisabled"),
    (13000, "InvalidCoin"),
    (13001, "InvalidChain"),
    (13002, "AbnormalCoinPrice"),
    (13003, "AbnormalCoinPriceNotSupportMode"),
    (13004, "UnstableBlockchain"),
    (14000, "BalanceInsufficient"),
    (14001, "WithdrawFeeTooLow"),
    (14002, "AddressNotActive"),
    (14003, "AddressEmptyMemo"),
    (14004, "ChainStopWithdraw"),
    (14005, "WithdrawValueLessThanLimit"),
    (14006, "WithdrawValueMoreThanLimit"),
    (14007, "WithdrawAddrFormat"),
    (14008, "WithdrawCannotSelf"),
    (14009, "CoinNoSupportMemo"),
    (14010, "NoSupportCoin"),
    (14011, "WithdrawFeeBalanceNotEnough"),
    (14012, "NotSupportMerchantTransfer"),
    (14013, "CoinPrecisionLimit"),
    (14014, "NotFinishCollection"),
    (14015, "WithdrawToContractAddress"),
    (14016, "WithdrawInvalidAddressType"),
    (15000, "GenerateAddressFailed"),
    (15001, "PaymentAddressNumTooMuch"),
    (15003, "ChainStopDeposit"),
]
RETRIED = {10001, 11002, 11007, 15000}
SPECIAL = {
    11004: Policy.SLOW_DOWN,
    11005: Policy.FIX_ACCOUNT,
    11006: Policy.RESIGN_ONCE,
    11009: Policy.WAIT_TOMORROW,
    11013: Policy.FIX_ACCOUNT,
    11014: Policy.STOP_EVERYTHING,
    12000: Policy.FIX_ACCOUNT,
    12001: Policy.FIX_ACCOUNT,
    12002: Policy.FIX_ACCOUNT,
    12003: Policy.FIX_ACCOUNT,
}


@pytest.mark.parametrize(("code", "name"), DOCUMENTED)
def test_documented_code_has_its_own_class(code: int, name: str) -> None:
    """Each documented code has a class of its own, named as in the reference, with a next step."""
    error = error_for_code("getWithdrawFee", code, "because")
    assert type(error) is CODE_ERRORS[code]
    assert (error.code, error.name, type(error).__name__) == (code, name, name)
    assert isinstance(error, CodeError)
    assert error.hint
    assert "\n" not in error.hint
    assert str(error) == f"getWithdrawFee: {code} {name} (because)"


@pytest.mark.parametrize("code", [code for code, _ in DOCUMENTED])
def test_policy_of_a_documented_code(code: int) -> None:
    """What to do about a code is fixed: only a few are worth another try."""
    wanted = SPECIAL.get(code, Policy.RETRY if code in RETRIED else Policy.REFUSE)
    assert error_for_code("getChainList", code, "").policy is wanted


def test_no_code_is_missing_or_made_up() -> None:
    """The classes are those of the reference, no more and no fewer."""
    assert sorted(CODE_ERRORS) == [code for code, _ in DOCUMENTED]
    assert len({cls.__name__ for cls in CODE_ERRORS.values()}) == len(DOCUMENTED)


@pytest.mark.parametrize("code", [code for code, _ in DOCUMENTED])
def test_only_13xxx_and_14xxx_are_answers(code: int) -> None:
    """The API's "no" about a coin, chain or address is an answer; any other code is none."""
    assert error_for_code("getWithdrawFee", code, "").is_answer is (13000 <= code < 15000)


@pytest.mark.parametrize(
    ("code", "is_answer"),
    [(11016, False), (12004, False), (13005, True), (14029, True), (16001, False), (17007, False)],
)
def test_undocumented_code_keeps_its_number(code: int, is_answer: bool) -> None:
    """An undocumented code is kept, is an answer if it is 13xxx or 14xxx, and is not repeated."""
    error = error_for_code("getWithdrawFee", code, "news")
    assert type(error) is UndocumentedCode
    assert (error.code, error.is_answer, error.policy) == (code, is_answer, Policy.REFUSE)
    assert str(error) == f"getWithdrawFee: {code} UndocumentedCode (news)"
    assert error.hint


def test_the_name_is_not_said_twice() -> None:
    """A message that only repeats the code's name is left out."""
    assert str(error_for_code("getFiatList", 11004, "Rate limit")) == "getFiatList: 11004 RateLimit"


@pytest.mark.parametrize(
    "kind", [ConnectFailed, TimedOut, CutBody, HttpStatusError, NotJson, WrongShape, NullData]
)
def test_transport_error_names_endpoint_kind_and_next_step(kind: type[TransportError]) -> None:
    """A failure without a code names the endpoint and itself, and says what to do."""
    error = kind("getCoinList", "why", http_status=502)
    assert (error.name, error.code, error.is_answer) == (kind.__name__, None, False)
    assert str(error) == f"getCoinList: {kind.__name__} (why)"
    assert error.http_status == 502
    assert error.hint


@pytest.mark.parametrize(
    ("kind", "policy"),
    [
        (BreakerOpen, Policy.STOP_EVERYTHING),
        (BudgetExhausted, Policy.WAIT_TOMORROW),
        (SuspectList, Policy.REFUSE),
    ],
)
def test_errors_without_a_request_have_a_policy_and_a_next_step(
    kind: type[ApiError], policy: Policy
) -> None:
    """A call that was not made, or a list that is not believed, is an ApiError like any other."""
    error = kind("getChainList")
    assert error.policy is policy
    assert error.hint


def test_everything_is_one_tree() -> None:
    """One except clause catches whatever this package raises on purpose."""
    for kind in (ConfigError, ApiError, WarehouseError):
        assert issubclass(kind, CcpayError)


def test_a_hint_can_be_given() -> None:
    """Who raises an error can say more exactly what to do."""
    assert ConfigError("no", hint="set X").hint == "set X"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("too\x1b[31m many\r\nrequests\x00", "too [31m many  requests"),
        ("a\u202eb\u2028c", "a b c"),
        ("", ""),
        ("x" * 500, "x" * 157 + "..."),
        ("\ud800", ""),
    ],
)
def test_foreign_text_is_quoted_on_one_line(text: str, line: str) -> None:
    """What the API says is shown on one line, shortened, without anything that moves a terminal."""
    assert quoted(text) == line
    assert "\x1b" not in str(error_for_code("getFiatList", 11004, text))
