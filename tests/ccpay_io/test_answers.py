"""Answers: what one bad value costs, and that every deviation is reported once."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ccpay_io.answers import (
    read_coins,
    read_fee,
    read_list,
    read_prices,
    read_user,
    read_validity,
)
from ccpay_io.models import Chain, Drift, Fiat, Listed, SwapCoin

NETWORK = {
    "chain": "ETH",
    "chainFullName": "Ethereum",
    "contract": "0x1",
    "precision": 6,
    "canDeposit": True,
    "canWithdraw": True,
    "minimumDepositAmount": "0",
    "minimumWithdrawAmount": "0.000000000000000001",
    "maximumWithdrawAmount": "0",
    "isSupportMemo": False,
}
COIN = {
    "coinId": 1280,
    "symbol": "USDT",
    "coinFullName": "Tether",
    "logoUrl": "",
    "status": "Normal",
    "price": "1.0001",
    "networks": {"ETH": NETWORK, "POLYGON": {**NETWORK, "chain": "POLYGON"}},
}


def chain(symbol: str, **fields: object) -> dict[str, object]:
    """An item of getChainList."""
    return {
        "chain": symbol,
        "chainFullName": symbol.title(),
        "explorer": "https://x.example/",
        "baseUrl": "https://x.example/tx/%s",
        "isEVM": True,
        "supportMemo": False,
        "logoUrl": "",
        "status": "Normal",
        "confirmations": 12,
        **fields,
    }


def without(item: dict[str, object], name: str) -> dict[str, object]:
    """The item without one field."""
    return {key: value for key, value in item.items() if key != name}


def chains(*items: object, **beside: object) -> Listed[Chain]:
    """Reads a getChainList answer with these items."""
    return read_list("getChainList", {"chains": list(items), **beside}, "chains", Chain, "chain")


def coins(*items: object) -> tuple[list[tuple[int, list[str]]], list[tuple[str, str, Any]]]:
    """Coins with their networks, and the drift, of a getCoinList answer."""
    answer = read_coins("getCoinList", {"coins": list(items)})
    found = [(coin.coin_id, [net.chain for net in coin.networks]) for coin in answer.items]
    return found, summary(answer.drift)


def summary(drift: tuple[Drift, ...]) -> list[tuple[str, str, Any]]:
    """Path, kind and key of each report."""
    return [(one.path, one.kind, one.key) for one in drift]


def test_a_documented_answer_has_no_drift() -> None:
    """What the reference and the notes describe is read whole, without a report."""
    answer = chains(chain("ETH"), chain("BSC", status="Maintenance"))
    assert [(c.chain, c.status, c.is_evm, c.confirmations) for c in answer.items] == [
        ("ETH", "Normal", True, 12),
        ("BSC", "Maintenance", True, 12),
    ]
    assert answer.drift == ()


@pytest.mark.parametrize("status", ["Maintain", " NORMAL ", "Frozen", "维护"])
def test_a_status_is_kept_verbatim(status: str) -> None:
    """What a status means is not decided here."""
    assert chains(chain("ETH", status=status)).items[0].status == status


@pytest.mark.parametrize("name", ["chain", "status", "isEVM", "supportMemo"])
def test_a_missing_field_that_matters_costs_its_item(name: str) -> None:
    """The item is left out and reported, with its key if that can be told; the others stay."""
    answer = chains(chain("BSC"), without(chain("ETH"), name))
    assert [item.chain for item in answer.items] == ["BSC"]
    key = None if name == "chain" else ("ETH",)
    assert summary(answer.drift) == [(f"data.chains[].{name}", "missing_field", key)]


@pytest.mark.parametrize(
    ("name", "value"),
    [("status", 3), ("status", ""), ("status", None), ("isEVM", "true"), ("supportMemo", 0)],
)
def test_a_bad_value_that_matters_costs_its_item(name: str, value: object) -> None:
    """The item is left out and reported with its key and its content."""
    answer = chains(chain("ETH", **{name: value}), chain("BSC"))
    assert [item.chain for item in answer.items] == ["BSC"]
    (drift,) = answer.drift
    assert (drift.path, drift.kind, drift.key) == (f"data.chains[].{name}", "bad_value", ("ETH",))
    assert json.loads(drift.sample)["chain"] == "ETH"


@pytest.mark.parametrize(
    ("name", "value"),
    [("logoUrl", {"a": 1}), ("confirmations", "12"), ("confirmations", -1), ("explorer", 7)],
)
def test_a_bad_value_that_nothing_depends_on_costs_itself(name: str, value: object) -> None:
    """The status of a chain is known whatever its logo is; the report has no key."""
    answer = chains(chain("ETH", **{name: value}))
    assert [item.chain for item in answer.items] == ["ETH"]
    assert summary(answer.drift) == [(f"data.chains[].{name}", "bad_value", None)]
    assert getattr(answer.items[0], {"logoUrl": "logo_url"}.get(name, name)) in ("", None)


@pytest.mark.parametrize("item", [None, 5, "ETH", [], {}, [chain("ETH")]])
def test_an_item_that_is_no_item_is_reported(item: object) -> None:
    """Whatever else stands in a list costs only its place."""
    answer = chains(item, chain("BSC"))
    assert [item.chain for item in answer.items] == ["BSC"]
    assert answer.drift
    assert all(drift.key is None for drift in answer.drift)


@pytest.mark.parametrize("key", [5, True, None, "", "a\x00", ["ETH"]])
def test_a_key_that_could_not_be_stored_is_no_key(key: object) -> None:
    """A report never carries a key of the wrong type or one that the store cannot hold."""
    answer = chains(chain("ETH", chain=key))
    assert answer.items == ()
    assert [drift.key for drift in answer.drift] == [None]


def test_a_new_field_is_reported_once_per_path() -> None:
    """New fields break nothing and are reported once, however many items carry them."""
    answer = chains(chain("ETH", gasToken="ETH"), chain("BSC", gasToken="BNB"), total=2)
    assert [item.chain for item in answer.items] == ["ETH", "BSC"]
    assert summary(answer.drift) == [
        ("data.chains[].gasToken", "new_field", None),
        ("data.total", "new_field", None),
    ]


def test_identical_duplicates_are_folded() -> None:
    """The same item twice is one item, reported without a key: nothing was left out."""
    answer = chains(chain("ETH"), chain("BSC"), chain("ETH"))
    assert [item.chain for item in answer.items] == ["ETH", "BSC"]
    assert summary(answer.drift) == [("data.chains[]", "duplicate", None)]


def test_contradicting_duplicates_are_left_out() -> None:
    """Of two items that contradict each other none is believed; the key says which."""
    answer = chains(chain("ETH"), chain("BSC"), chain("ETH", status="Maintenance"))
    assert [item.chain for item in answer.items] == ["BSC"]
    assert summary(answer.drift) == [("data.chains[]", "duplicate", ("ETH",))]


@pytest.mark.parametrize("order", [1, -1])
def test_an_unreadable_twin_contradicts(order: int) -> None:
    """An entity is either answered or reported unreadable, never both."""
    answer = chains(*[chain("ETH"), chain("ETH", status=None)][::order])
    assert answer.items == ()
    assert summary(answer.drift) == [("data.chains[].status", "bad_value", ("ETH",))]


@pytest.mark.parametrize("data", [None, [], {}, {"chains": None}, {"chains": {}}, {"chains": "x"}])
def test_without_the_list_there_is_no_answer(data: object) -> None:
    """A missing list is an error and not an empty list."""
    with pytest.raises(ValueError, match="not an array"):
        read_list("getChainList", data, "chains", Chain, "chain")


def test_fiat_rates_are_exact() -> None:
    """A rate is the exact decimal of the string; a JSON number is refused."""
    rows = [
        {"fiatId": 1, "symbol": "DKK", "mark": "KR", "logoUrl": "", "usdRate": "6.825765"},
        {"fiatId": 2, "symbol": "EUR", "mark": "€", "logoUrl": "", "usdRate": 0.92},
    ]
    answer = read_list("getFiatList", {"fiats": rows}, "fiats", Fiat, "fiatId")
    assert [(fiat.symbol, fiat.usd_rate) for fiat in answer.items] == [("DKK", Decimal("6.825765"))]
    assert summary(answer.drift) == [("data.fiats[].usdRate", "bad_value", (2,))]
    assert answer.drift[0].value == "0.92"


def test_an_empty_list_is_an_answer() -> None:
    """Whether an empty list is believed is not decided here."""
    assert read_list("getSwapCoinList", {"coins": []}, "coins", SwapCoin, "coinId") == Listed(())


def test_coins_have_their_networks() -> None:
    """Coins carry price and networks; a maximum of 0 stays 0."""
    answer = read_coins("getCoinList", {"coins": [COIN]})
    (coin,) = answer.items
    assert (coin.symbol, coin.price, coin.status) == ("USDT", Decimal("1.0001"), "Normal")
    assert [net.chain for net in coin.networks] == ["ETH", "POLYGON"]
    assert coin.networks[0].minimum_withdraw_amount == Decimal("0.000000000000000001")
    assert coin.networks[0].maximum_withdraw_amount == 0
    assert answer.drift == ()


@pytest.mark.parametrize("price", [None, "", "absent"])
def test_a_coin_may_have_no_price(price: str | None) -> None:
    """An absent, null or empty price is no price."""
    raw = without(COIN, "price") if price == "absent" else {**COIN, "price": price}
    (coin,) = read_coins("getCoinList", {"coins": [raw]}).items
    assert coin.price is None


@pytest.mark.parametrize("price", [1.5, "1e5", "-1", {}])
def test_an_unreadable_price_is_not_the_same_as_none(price: object) -> None:
    """A price that cannot be read exactly costs the coin, not just the price."""
    found, drift = coins({**COIN, "price": price})
    assert found == []
    assert drift == [("data.coins[].price", "bad_value", (1280,))]


@pytest.mark.parametrize("networks", [None, {}, [], "absent"])
def test_a_coin_may_have_no_networks(networks: object) -> None:
    """A coin without networks is a coin."""
    raw = without(COIN, "networks") if networks == "absent" else {**COIN, "networks": networks}
    assert coins(raw) == ([(1280, [])], [])


@pytest.mark.parametrize("networks", ["ETH", 5, [NETWORK], True])
def test_something_else_in_place_of_networks_costs_the_coin(networks: object) -> None:
    """A coin whose networks cannot be read is unreadable, and not a coin without networks."""
    found, drift = coins({**COIN, "networks": networks})
    assert found == []
    assert drift == [("data.coins[].networks", "bad_value", (1280,))]


@pytest.mark.parametrize(
    "bad", [{**NETWORK, "canWithdraw": "yes"}, {**NETWORK, "maximumWithdrawAmount": 0}, None, []]
)
def test_a_bad_network_costs_itself(bad: object) -> None:
    """The coin and its other networks stay; the report has coin and chain as its key."""
    raw = {**COIN, "networks": {"ETH": bad, "BSC": {**NETWORK, "chain": "BSC"}}}
    found, drift = coins(raw)
    assert found == [(1280, ["BSC"])]
    assert [key for _, _, key in drift] == [(1280, "ETH")]


def test_a_network_under_another_name_is_not_believed() -> None:
    """A network whose own chain is not the one it is listed under is left out."""
    found, drift = coins({**COIN, "networks": {"BSC": NETWORK}})
    assert found == [(1280, [])]
    assert drift == [("data.coins[].networks.*.chain", "bad_value", (1280, "BSC"))]


def test_prices_by_coin() -> None:
    """Prices are exact, by integer id; what is not exact is left out and reported."""
    raw = {"1280": "1.0001", "1": 2.5, "x": "1", "1_0": "1", "007": "1", "-5": "1", "2": None}
    answer = read_prices("getCoinUSDTPrice", {"prices": raw})
    assert answer.prices == {1280: Decimal("1.0001")}
    assert [(drift.value, drift.key) for drift in answer.drift] == [
        ("2.5", (1,)),
        ("x", None),
        ("1_0", None),
        ("007", None),
        ("-5", None),
        ("null", (2,)),
    ]


@pytest.mark.parametrize("data", [None, {}, {"prices": None}, {"prices": [1]}])
def test_without_prices_there_is_no_answer(data: object) -> None:
    """A missing price object is an error."""
    with pytest.raises(ValueError, match="not an object"):
        read_prices("getCoinUSDTPrice", data)


def fee(**fields: object) -> dict[str, object]:
    """The `data` of a getWithdrawFee answer."""
    return {"fee": {"coinId": 1329, "coinSymbol": "MATIC", "amount": "0.0213814", **fields}}


@pytest.mark.parametrize("amount", ["0", "0.000000000000000001", "100000000000000000", "0.0213814"])
def test_a_fee_is_exact(amount: str) -> None:
    """From 1e-18 to 1e17, and zero, the fee is the exact decimal."""
    answer = read_fee("getWithdrawFee", fee(amount=amount))
    assert (answer.coin_id, answer.coin_symbol, answer.amount) == (1329, "MATIC", Decimal(amount))
    assert answer.network_fee_inquiry_id is None
    assert answer.drift == ()


@pytest.mark.parametrize(
    "data",
    [fee(networkFeeInquiryID="q-1"), {**fee(), "networkFeeInquiryID": "q-1"}],
)
def test_the_inquiry_id_may_stand_in_either_place(data: dict[str, object]) -> None:
    """The networkFeeInquiryID is read in the fee or beside it, and is no news."""
    answer = read_fee("getWithdrawFee", data)
    assert answer.network_fee_inquiry_id == "q-1"
    assert answer.drift == ()


def test_a_strange_inquiry_id_does_not_cost_the_fee() -> None:
    """An inquiry id of another type is dropped and reported."""
    answer = read_fee("getWithdrawFee", fee(networkFeeInquiryID=77))
    assert answer.network_fee_inquiry_id is None
    assert summary(answer.drift) == [("data.fee.networkFeeInquiryID", "bad_value", None)]


def test_new_fields_of_a_fee_are_reported() -> None:
    """News in the fee or beside it are reported."""
    answer = read_fee("getWithdrawFee", {**fee(tier="fast"), "ttl": 60})
    assert [drift.path for drift in answer.drift] == ["data.fee.tier", "data.ttl"]


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {},
        {"fee": None},
        {"fee": []},
        {"fee": "0.1"},
        fee(amount=0.1),
        fee(amount="1e-8"),
        fee(amount=None),
        fee(coinId="1329"),
        fee(coinSymbol=None),
    ],
)
def test_a_fee_that_is_not_exact_is_no_answer(data: object) -> None:
    """A fee of a wrong type or an inexact amount is an error that says where."""
    with pytest.raises(ValueError, match=r"data"):
        read_fee("getWithdrawFee", data)


@pytest.mark.parametrize("valid", [True, False])
def test_validity(valid: bool) -> None:
    """A validity is a boolean."""
    read = read_validity("checkWithdrawalAddressValidity", {"addrIsValid": valid})
    assert read.is_valid is valid


@pytest.mark.parametrize("data", [None, {}, {"addrIsValid": "true"}, {"addrIsValid": 1}, []])
def test_no_validity(data: object) -> None:
    """Anything but a boolean is an error and never "invalid"."""
    with pytest.raises(ValueError, match="not a boolean"):
        read_validity("checkWithdrawalAddressValidity", data)


def test_user() -> None:
    """A Cwallet user has an id and a masked name."""
    user = read_user("getCwalletUserId", {"cwalletUserId": "9", "cwalletUserName": "j***"})
    assert (user.cwallet_user_id, user.cwallet_user_name) == ("9", "j***")


@pytest.mark.parametrize("data", [None, [], {}, {"cwalletUserId": 9, "cwalletUserName": "j"}])
def test_no_user(data: object) -> None:
    """Without id or name there is no answer."""
    with pytest.raises(ValueError, match="not both strings"):
        read_user("getCwalletUserId", data)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
READERS: list[tuple[Callable[[object], object], dict[str, object]]] = [
    (lambda data: read_list("e", data, "chains", Chain, "chain"), {"chains": [chain("ETH")]}),
    (lambda data: read_coins("e", data), {"coins": [COIN]}),
    (lambda data: read_prices("e", data), {"prices": {"1": "2"}}),
    (lambda data: read_fee("e", data), fee()),
    (lambda data: read_validity("e", data), {"addrIsValid": True}),
    (lambda data: read_user("e", data), {"cwalletUserId": "1", "cwalletUserName": "x"}),
]


def spoil(value: Any, path: list[int], poison: object) -> Any:
    """The value with something else at some place in it."""
    if not path or not isinstance(value, dict | list) or not value:
        return poison
    if isinstance(value, list):
        place = path[0] % len(value)
        return [spoil(v, path[1:], poison) if i == place else v for i, v in enumerate(value)]
    name = sorted(value)[path[0] % len(value)]
    return {k: spoil(v, path[1:], poison) if k == name else v for k, v in value.items()}


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(READERS), st.lists(st.integers(0, 20), max_size=6), json_values)
def test_any_value_anywhere_is_an_answer_or_a_value_error(
    reader: tuple[Callable[[object], object], dict[str, object]], path: list[int], poison: object
) -> None:
    """Whatever JSON stands at whatever place, reading ends in an answer or in ValueError."""
    read, data = reader
    with suppress(ValueError):
        read(spoil(data, path, poison))
