from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from ccpay_io.sandbox.universe import load_universe
from ccpay_io.sandbox.world import World

# A moment in autumn 2026, at the start of a day.
T = 1_790_035_200.0
DAY = 86_400
PLAIN = re.compile(r"(0|[1-9][0-9]{0,19})(\.[0-9]{0,17}[1-9])?")
MOMENTS = [T + k * 3.37 * DAY + k * 1234.5 for k in range(6)]

Fees = dict[tuple[int, str], dict[str, Any] | int | None]


def all_fees(world: World, t: float) -> Fees:
    """The answer for every pair at one moment."""
    pairs = load_universe().networks
    return {(n.coin_id, n.chain): world.fee(n.coin_id, n.chain, t) for n in pairs}


def amounts(fees: Fees) -> dict[tuple[int, str], str]:
    """The quoted amounts, refusals left out."""
    return {pair: fee["amount"] for pair, fee in fees.items() if isinstance(fee, dict)}


def fingerprint(world: World) -> str:
    """A hash over everything that a world says at one moment."""
    said = [
        world.chains(T),
        world.fiats(T),
        world.swap_coins(),
        world.coin_list(T),
        list(all_fees(world, T).values()),
    ]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def test_lists_are_complete() -> None:
    """198 chains, 155 fiats, 773 coins in both coin lists, 1,798 pairs in their networks."""
    world = World()
    coins = world.coin_list(T)
    assert len(world.chains(T)) == 198
    assert len(world.fiats(T)) == 155
    assert {coin["coinId"] for coin in coins} == {coin["coinId"] for coin in world.swap_coins()}
    assert len(coins) == 773
    assert sum(len(coin["networks"]) for coin in coins) == 1798


def test_another_process_serves_the_same_world() -> None:
    """A process of its own, with other hash randomization, says the same of the same moment."""
    script = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from test_world import World, fingerprint
print(fingerprint(World(7)))
"""
    ran = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONHASHSEED": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.strip() == fingerprint(World(7))


def test_past_moments_do_not_depend_on_what_was_asked_before() -> None:
    """Asking for later moments first changes nothing: there is no state to replay."""
    asked, fresh = World(3), World(3)
    for t in reversed(MOMENTS):
        all_fees(asked, t)
        asked.chains(t)
    assert fingerprint(asked) == fingerprint(fresh)


def test_another_seed_is_another_world() -> None:
    """Most fees, and some statuses of chains over a week, differ between two seeds."""
    one, other = World(1, lively=False), World(2, lively=False)
    fees, other_fees = amounts(all_fees(one, T)), amounts(all_fees(other, T))
    assert sum(fees[pair] != other_fees.get(pair) for pair in fees) > 1500
    week = [T + hour * 3600 for hour in range(0, 168, 4)]
    assert [one.chains(t) for t in week] != [other.chains(t) for t in week]


@pytest.mark.parametrize("t", MOMENTS)
def test_a_quarter_of_the_fees_moves_in_five_minutes(t: float) -> None:
    """Between two fee polls 15 to 30 % of the pairs change."""
    world = World(lively=False)
    before, after = amounts(all_fees(world, t)), amounts(all_fees(world, t + 300))
    both = before.keys() & after.keys()
    assert 0.15 < sum(before[pair] != after[pair] for pair in both) / len(both) < 0.30


def test_fees_stay_around_what_is_typical() -> None:
    """Nearly every fee is within 40 % of its pair's typical one; the rest are spikes."""
    world = World(lively=False)
    typical = {(n.coin_id, n.chain): float(n.typical_fee) for n in load_universe().networks}
    for t in MOMENTS:
        fees = amounts(all_fees(world, t))
        near = [0.6 * typical[p] <= float(a) <= 1.4 * typical[p] for p, a in fees.items()]
        assert sum(near) / len(near) > 0.98


def test_some_fees_spike() -> None:
    """Over a day somebody pays more than twice the typical fee, on a few pairs only."""
    world = World(lively=False)
    typical = {(n.coin_id, n.chain): float(n.typical_fee) for n in load_universe().networks}
    spikes = {
        pair
        for t in range(int(T), int(T) + DAY, 3600)
        for pair, amount in amounts(all_fees(world, t)).items()
        if 2 * typical[pair] < float(amount) < 5 * typical[pair]
    }
    assert 5 <= len(spikes) <= 400


def test_fees_have_hours_of_the_day() -> None:
    """Averaged over ten days, USDT payouts are at least 20 % dearer in the dearest hour."""
    world = World(lively=False)
    pairs = [n for n in load_universe().networks if n.coin_id == 1280]
    by_hour = []
    for hour in range(24):
        level = 0.0
        for day in range(10):
            for n in pairs:
                fee = world.fee(n.coin_id, n.chain, T + day * DAY + hour * 3600 + 1800)
                level += float(fee["amount"]) / float(n.typical_fee) if isinstance(fee, dict) else 1
        by_hour.append(level)
    assert max(by_hour) > 1.2 * min(by_hour)


def test_every_amount_is_a_plain_decimal_string() -> None:
    """Fees, prices, rates and limits: digits and at most one point, at most 18 decimals."""
    world = World()
    for t in MOMENTS:
        coins = world.coin_list(t)
        said = [*amounts(all_fees(world, t)).values()]
        said += [fiat["usdRate"] for fiat in world.fiats(t)]
        said += [coin["price"] for coin in coins]
        said += [
            network[limit]
            for coin in coins
            for network in coin["networks"].values()
            for limit in ("minimumWithdrawAmount", "maximumWithdrawAmount", "minimumDepositAmount")
        ]
        assert [text for text in said if not PLAIN.fullmatch(text)] == []


def test_fees_differ_in_their_number_of_decimals() -> None:
    """Amounts come with from none to many decimals, as pairs have them in the real API."""
    lengths = {len(a.partition(".")[2]) for a in amounts(all_fees(World(), T)).values()}
    assert len(lengths) >= 8


def test_edges_of_what_an_amount_can_be_are_served() -> None:
    """One pair costs 1e-18 and one 1e17, always, written out."""
    for t in MOMENTS:
        said = set(amounts(all_fees(World(lively=False), t)).values())
        assert {"0.000000000000000001", "100000000000000000"} <= said


def test_fees_have_the_documented_fields() -> None:
    """A quote names the fee coin by id and symbol; USDT on POLYGON is charged in MATIC."""
    fee = World(lively=False).fee(1280, "POLYGON", T)
    assert isinstance(fee, dict)
    assert fee.keys() == {"coinId", "coinSymbol", "amount"}
    assert (fee["coinId"], fee["coinSymbol"]) == (1329, "MATIC")


def test_every_fee_coin_has_a_price() -> None:
    """Whatever a fee is charged in can be turned into dollars, and is worth more than nothing."""
    world = World()
    fee_coins = {n.fee_coin_id for n in load_universe().networks}
    prices = [world.price(coin_id, T) for coin_id in fee_coins]
    assert all(price is not None and float(price) > 0 for price in prices)


def test_prices_wander_smoothly() -> None:
    """From minute to minute a price moves by less than 1 %, over days by more than that."""
    world = World()
    btc = [float(world.price(1002, T + 60 * minute) or 0) for minute in range(600)]
    steps = [abs(b / a - 1) for a, b in pairwise(btc)]
    assert 0 < max(steps) < 0.01
    days = [float(world.price(1002, T + DAY * day) or 0) for day in range(10)]
    assert max(days) / min(days) > 1.03


def test_stable_coins_stay_at_a_dollar() -> None:
    """USDT is within 0.1 % of a dollar at any time."""
    prices = [float(World().price(1280, t) or 0) for t in MOMENTS]
    assert all(abs(price - 1) < 0.001 for price in prices)


def test_coins_that_are_not_there_have_neither_price_nor_fee() -> None:
    """An unknown coin, and a chain that a coin does not live on, are told apart from a refusal."""
    world = World()
    assert world.price(5, T) is None
    assert world.fee(5, "TRX", T) is None
    assert world.fee(1280, "NOWHERE", T) is None


def test_fiat_rates_drift_slowly_and_the_dollar_not_at_all() -> None:
    """A rate moves by less than 1 % in a quarter of an hour, most rates do move, USD is 1."""
    world = World()
    now, later = ({f["symbol"]: f["usdRate"] for f in world.fiats(T + s)} for s in (0, 900))
    assert now["USD"] == later["USD"] == "1"
    assert all(abs(float(later[s]) / float(now[s]) - 1) < 0.01 for s in now)
    assert sum(now[s] != later[s] for s in now) > 100


def test_a_few_coins_are_on_their_way_out_and_a_few_networks_closed() -> None:
    """Some coins are Pre-delisting; some networks refuse deposits, others withdrawals."""
    coins = World().coin_list(T)
    states = Counter(coin["status"] for coin in coins)
    networks = [network for coin in coins for network in coin["networks"].values()]
    assert set(states) == {"Normal", "Pre-delisting"}
    assert 1 <= states["Pre-delisting"] <= 30
    for flag in ("canWithdraw", "canDeposit"):
        assert 1 <= sum(not network[flag] for network in networks) <= 60


def test_refusals_come_only_while_the_chain_is_in_maintenance() -> None:
    """A fee is refused with 13004 on some pairs of a chain in Maintenance, and nowhere else."""
    world, refused = World(), 0
    for t in range(int(T), int(T) + DAY, 2700):
        bad = {chain["chain"] for chain in world.chains(t) if chain["status"] == "Maintenance"}
        for (_, chain), fee in all_fees(world, t).items():
            if not isinstance(fee, dict):
                assert (fee, chain in bad) == (13004, True)
                refused += 1
    assert refused > 0


def test_without_liveliness_maintenance_is_rare() -> None:
    """Over a month: every tenth chain at least once, at most one moment in fifty per chain."""
    world = World(lively=False)
    moments = range(int(T), int(T) + 30 * DAY, 7200)
    bad = Counter(
        chain["chain"] for t in moments for chain in world.chains(t) if chain["status"] != "Normal"
    )
    assert 20 <= len(bad) < 198
    assert sum(bad.values()) < 198 * len(moments) / 50


def test_maintenance_lasts_from_minutes_to_half_a_day() -> None:
    """No incident of a quiet world is shorter than twenty minutes or longer than twelve hours."""
    world = World(lively=False)
    for chain in ("TRX", "ETH", "BSC", "SOL", "KMD"):
        states = [world.chain_status(chain, T + 300 * i) for i in range(90 * 288)]
        lengths = [len(run) for run in re.findall("M+", "".join(s[0] for s in states))]
        assert all(3 <= length <= 2 * 145 for length in lengths)


def polls(world: World, start: float) -> Iterator[dict[str, str]]:
    """What somebody sees on chains that carry ten coins or more, every 30 s for ten minutes."""
    coins = Counter(network.chain for network in load_universe().networks)
    chains = [chain for chain, carried in coins.items() if carried >= 10]
    for i in range(21):
        yield {chain: world.chain_status(chain, start + 30 * i) for chain in chains}


def opened_and_resolved(seen: Iterator[dict[str, str]]) -> set[str]:
    """Chains that alert (two polls in Maintenance) and recover (three normal polls) in a series."""
    bad: Counter[str] = Counter()
    good: Counter[str] = Counter()
    resolved = set()
    for statuses in seen:
        for chain, status in statuses.items():
            if status == "Maintenance":
                bad[chain], good[chain] = bad[chain] + 1, 0
            elif bad[chain] < 2:
                bad[chain] = 0
            else:
                good[chain] += 1
            if good[chain] == 3:
                resolved.add(chain)
    return resolved


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_newcomer_sees_an_alert_open_and_resolve_within_ten_minutes(seed: int) -> None:
    """In each of fifty ten-minute windows, whenever it starts, polling every 30 s shows both."""
    world = World(seed)
    quiet = [k for k in range(50) if not opened_and_resolved(polls(world, T + 617 * k))]
    assert quiet == []


def test_a_lively_chain_is_no_flapping_chain() -> None:
    """Within any hour the liveliness sends no chain into maintenance more than twice."""
    world = World()
    for chain in ("TRX", "POLYGON", "TON", "BASE"):
        day = "".join(world.chain_status(chain, T + 15 * i)[0] for i in range(DAY // 15))
        starts = [m.start() for m in re.finditer("NM", day)]
        hour = 3600 // 15
        assert max(sum(s <= other < s + hour for other in starts) for s in starts) <= 2


def test_chains_look_like_the_real_ones() -> None:
    """Names, links and flags are those of the universe; confirmations stay what they are."""
    now, later = ({c["chain"]: c for c in World().chains(t)} for t in (T, T + DAY))
    polygon = now["POLYGON"]
    assert (polygon["chainFullName"], polygon["isEVM"], polygon["supportMemo"]) == (
        "Polygon",
        True,
        False,
    )
    assert polygon["baseUrl"] == "https://polygonscan.com/tx/%s"
    assert all(now[c]["confirmations"] == later[c]["confirmations"] >= 1 for c in now)


def test_a_sweep_of_all_fees_is_cheap() -> None:
    """All 1,798 fees of a moment take well under 60 ms: a demo asks for thousands of moments."""
    world = World()
    all_fees(world, T)
    best = min(_seconds(world, T + i) for i in range(5))
    assert best < 0.06


def _seconds(world: World, t: float) -> float:
    before = time.perf_counter()
    all_fees(world, t)
    return time.perf_counter() - before
