"""Whatever a server sends: an error of the tree or values that were sent, nothing else.

In `make test` a few examples of each; `make fuzz` goes on for ten minutes.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ccpay_io.answers import (
    read_coins,
    read_fee,
    read_list,
    read_prices,
    read_user,
    read_validity,
)
from ccpay_io.envelope import read_answer
from ccpay_io.errors import ApiError, ConfigError
from ccpay_io.models import Chain, Fiat, SwapCoin
from ccpay_io.sandbox.scenario import read_scenario
from ccpay_io.settings import Credentials, Secret
from ccpay_io.signing import CcpayAuth, http_date
from ccpay_io.transport import retry_after

MINUTES = 10
PLAIN = re.compile(r"[0-9]{1,40}(\.[0-9]{1,18})?")

Body = bytes
Check = Callable[[Body], None]

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(["0.5", "1e5", "-1", "0x1", "1.", ".5", " 1", "٣", "9" * 41, "0." + "1" * 19])
)
JUNK = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)
AMOUNTS = st.from_regex(PLAIN, fullmatch=True) | SCALARS


def some(fields: dict[str, Any]) -> st.SearchStrategy[Any]:
    """An item with these fields: some missing, some junk, some new."""
    strange = {name: kind | JUNK for name, kind in fields.items()}
    whole = st.fixed_dictionaries(fields)
    return whole | st.fixed_dictionaries({}, optional={**strange, "newField": JUNK}) | JUNK


NAME = st.sampled_from(["TRX", "ETH", "EUR", "", " ", "a\x00b", "x" * 201])
ID = st.integers(0, 5) | st.sampled_from([2**63, -1, "1", 1.0, True])
CHAIN = some(
    {"chain": NAME, "status": NAME, "isEVM": st.booleans(), "supportMemo": st.booleans(),
     "confirmations": ID, "logoUrl": NAME}
)  # fmt: skip
FIAT = some({"fiatId": ID, "symbol": NAME, "usdRate": AMOUNTS, "mark": NAME})
SWAP = some({"coinId": ID, "symbol": NAME, "logoUrl": NAME})
NETWORK = some(
    {"chain": NAME, "canDeposit": st.booleans(), "canWithdraw": st.booleans(),
     "minimumDepositAmount": AMOUNTS, "minimumWithdrawAmount": AMOUNTS,
     "maximumWithdrawAmount": AMOUNTS, "isSupportMemo": st.booleans(), "precision": ID}
)  # fmt: skip
COIN = some(
    {"coinId": ID, "symbol": NAME, "status": NAME, "price": AMOUNTS,
     "networks": st.dictionaries(NAME, NETWORK, max_size=3) | JUNK}
)  # fmt: skip
FEE = some(
    {"coinId": ID, "coinSymbol": NAME, "amount": AMOUNTS, "networkFeeInquiryID": NAME}
)  # fmt: skip


def listed(name: str, item: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """`data` with a list of these items."""
    return st.fixed_dictionaries({name: st.lists(item, max_size=6) | JUNK}) | JUNK


@st.composite
def bodies(draw: st.DrawFn, data: st.SearchStrategy[Any]) -> Body:
    """The bytes of an answer, as they should be, cut, or with bytes changed."""
    code = draw(st.just(10000) | st.sampled_from([11002, 13004, 17007, -1, "10000", None, 2**40]))
    answer = {"code": code, "msg": draw(SCALARS), "data": draw(data)}
    body = json.dumps(draw(st.just(answer) | JUNK), allow_nan=True).encode("utf-8", "replace")
    match draw(st.sampled_from(["whole"] * 6 + ["cut", "changed", "bytes"])):
        case "cut":
            return body[: draw(st.integers(0, len(body)))]
        case "changed":
            place = draw(st.integers(0, len(body)))
            return body[:place] + draw(st.binary(max_size=4)) + body[place + 1 :]
        case "bytes":
            return draw(st.binary(max_size=60))
    return body


def read(body: Body, reader: Callable[[str, object], Any]) -> Any:
    """What the client would get; None where it is an error of the tree."""
    with suppress(ApiError):
        return read_answer("getX", 200, body, reader)
    return None


def sent(body: Body) -> Any:
    """`data` as another parser reads it."""
    return json.loads(body)["data"]


def is_exact(amount: Decimal, raw: object) -> bool:
    """Whether an amount is the text that was sent."""
    return isinstance(raw, str) and bool(PLAIN.fullmatch(raw)) and Decimal(raw) == amount


def of_id(body: Body, name: str, key: str, wanted: int) -> list[dict[str, Any]]:
    """The items of `data.<name>` with this id, which must be a number of JSON."""
    items = [raw for raw in sent(body)[name] if isinstance(raw, dict)]
    return [raw for raw in items if type(raw.get(key)) is int and raw[key] == wanted]


def check_chains(body: Body) -> None:
    """A chain is one of those that were sent, with its own status."""
    found = read(body, lambda e, d: read_list(e, d, "chains", Chain, "chain"))
    for chain in found.items if found else ():
        raws = [r for r in sent(body)["chains"] if isinstance(r, dict)]
        assert any(r.get("chain") == chain.chain and r.get("status") == chain.status for r in raws)
        assert "\x00" not in chain.chain


def check_fiats(body: Body) -> None:
    """A rate is the text that was sent for this very fiat."""
    found = read(body, lambda e, d: read_list(e, d, "fiats", Fiat, "fiatId"))
    for fiat in found.items if found else ():
        mine = of_id(body, "fiats", "fiatId", fiat.fiat_id)
        assert mine
        assert all(is_exact(fiat.usd_rate, raw.get("usdRate")) for raw in mine)


def check_swap_coins(body: Body) -> None:
    """An id has one symbol, and it was sent."""
    found = read(body, lambda e, d: read_list(e, d, "coins", SwapCoin, "coinId"))
    for coin in found.items if found else ():
        mine = of_id(body, "coins", "coinId", coin.coin_id)
        assert {raw["symbol"] for raw in mine} == {coin.symbol}


def check_coins(body: Body) -> None:
    """A price and a limit are the texts that were sent for this coin and this chain."""
    found = read(body, read_coins)
    for coin in found.items if found else ():
        mine = of_id(body, "coins", "coinId", coin.coin_id)
        assert coin.price is None or all(is_exact(coin.price, raw.get("price")) for raw in mine)
        for network in coin.networks:
            raw = mine[0]["networks"][network.chain]
            assert is_exact(network.minimum_withdraw_amount, raw["minimumWithdrawAmount"])
            assert raw["canWithdraw"] is network.can_withdraw


def check_prices(body: Body) -> None:
    """A price is the text under this id."""
    found = read(body, read_prices)
    for coin_id, price in found.prices.items() if found else ():
        assert is_exact(price, sent(body)["prices"][str(coin_id)])


def check_fee(body: Body) -> None:
    """A fee is the text that was sent."""
    found = read(body, read_fee)
    if found:
        raw = sent(body)["fee"]
        assert is_exact(found.amount, raw["amount"])
        assert (found.coin_id, found.coin_symbol) == (raw["coinId"], raw["coinSymbol"])


def check_validity(body: Body) -> None:
    """Valid is what was said to be, in so many words."""
    found = read(body, read_validity)
    assert found is None or sent(body)["addrIsValid"] is found.is_valid


def check_user(body: Body) -> None:
    """A name is the one that was sent."""
    found = read(body, read_user)
    assert found is None or sent(body)["cwalletUserName"] == found.cwallet_user_name


PRICES = st.dictionaries(st.from_regex(r"[0-9]{1,3}"), AMOUNTS, max_size=5) | JUNK
VALIDITY = some({"addrIsValid": st.booleans()})
USER = some({"cwalletUserId": NAME, "cwalletUserName": NAME})
FEE_DATA = st.fixed_dictionaries({"fee": FEE}, optional={"x": JUNK}) | JUNK
PARSERS: dict[str, tuple[st.SearchStrategy[Any], Check]] = {
    "getChainList": (bodies(listed("chains", CHAIN)), check_chains),
    "getFiatList": (bodies(listed("fiats", FIAT)), check_fiats),
    "getSwapCoinList": (bodies(listed("coins", SWAP)), check_swap_coins),
    "getCoinList": (bodies(listed("coins", COIN)), check_coins),
    "getCoinUSDTPrice": (bodies(st.fixed_dictionaries({"prices": PRICES})), check_prices),
    "getWithdrawFee": (bodies(FEE_DATA), check_fee),
    "checkWithdrawalAddressValidity": (bodies(VALIDITY), check_validity),
    "getCwalletUserId": (bodies(USER), check_user),
}


def check_headers(text: str) -> None:
    """A date or a pause is a number or nothing."""
    moment = http_date(text)
    assert moment is None or isinstance(moment, float)
    response = httpx.Response(
        429, headers=[(b"Retry-After", text.encode()), (b"Date", text.encode())]
    )
    pause = retry_after(response)
    assert pause is None or pause >= 0


def check_expired(body: Body) -> None:
    """A refusal is signed once more at most, whatever it says."""
    auth = CcpayAuth(Credentials(Secret("an-id"), Secret("a-secret")), now=lambda: 1.7e9)
    flow = auth.auth_flow(httpx.Request("POST", "https://api.example/x", content=b"{}"))
    next(flow)
    answers = 1
    with suppress(StopIteration):
        while True:
            flow.send(
                httpx.Response(200, content=body, headers={"Date": "Thu, 01 Jan 2026 00:00:00 GMT"})
            )
            answers += 1
    assert answers <= 2


def once(examples: int, what: st.SearchStrategy[Any], check: Callable[[Any], None]) -> None:
    """Checks so many examples."""

    @settings(
        max_examples=examples, deadline=None, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(what)
    def run(example: Any) -> None:
        check(example)

    run()


OTHERS: dict[str, tuple[st.SearchStrategy[Any], Callable[[Any], None]]] = {
    "dates and pauses": (
        st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40)
        | st.from_regex(r"[A-Z][a-z]{2}, [0-9]{1,3} [A-Z][a-z]{2} [0-9]{1,6} [0-9:]{1,9} \S{1,6}"),
        check_headers,
    ),
    "expired": (bodies(JUNK), check_expired),
}
ALL = {**PARSERS, **OTHERS}


@pytest.mark.parametrize("name", ALL)
def test_a_parser_says_what_was_sent_or_an_error(name: str) -> None:
    """A few examples of each, with every test run."""
    once(40, *ALL[name])


def test_a_scenario_is_read_or_refused(tmp_path: Path) -> None:
    """Any text is a scenario or a line that says why not."""
    path = tmp_path / "scenario.toml"

    def check(text: str) -> None:
        path.write_text(text, "utf-8")
        with suppress(ConfigError):
            read_scenario(path)

    value = st.sampled_from(
        ["1", "'x'", "{}", "{ fault = 'html' }", "{ rps = 1 }", "[]", "true", "nan"]
    )
    keys = st.sampled_from(["at", "fault", "limits", "chains", "skew_s", "clear", "x"])
    steps = st.lists(st.dictionaries(keys, value, max_size=4), max_size=3)
    texts = steps.map(
        lambda each: "\n".join(
            "[[step]]\n" + "\n".join(f"{k} = {v}" for k, v in s.items()) for s in each
        )
    )
    once(40, texts | st.text(st.characters(exclude_categories=["Cs"]), max_size=40), check)


@pytest.mark.fuzz
@pytest.mark.timeout(60 * MINUTES)
@pytest.mark.parametrize("name", ALL)
def test_for_minutes(name: str) -> None:
    """The same for its share of ten minutes, with new examples all the time."""
    ends = time.monotonic() + 60 * MINUTES / len(ALL)
    while time.monotonic() < ends:
        once(500, *ALL[name])
