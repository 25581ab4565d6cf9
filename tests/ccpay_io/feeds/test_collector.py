"""Polls from end to end: a real server, a real warehouse, and everything that can go wrong."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import socket
import threading
import time
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import ccpay_io
from ccpay_io.feeds import prices
from ccpay_io.feeds.plan import plan_pairs
from ccpay_io.feeds.poll import utc_now
from ccpay_io.feeds.replay import replay
from ccpay_io.feeds.session import open_collector, open_warehouse
from ccpay_io.sandbox import EMPTY_APP_ID
from ccpay_io.sandbox.faults import Faults
from ccpay_io.sandbox.world import World
from ccpay_io.settings import (
    Credentials,
    Secret,
    Settings,
    WatchedAddress,
    WatchedCwallet,
)
from ccpay_io.store.raw import read_raw
from ccpay_io.store.verify import verify

ALL = ("chains", "fiats", "coins", "networks", "prices", "fees")


def test_everything_that_is_served_is_stored_exactly(
    collect: Any, polled: Settings, query: Any
) -> None:
    """Amounts equal the served strings as decimals, from 1e-18 to 1e17, for every pair."""
    served = {}
    ((name,),) = query("SELECT raw_name FROM store.poll WHERE feed = 'fees'")
    for line in read_raw(polled.warehouse, name)[1][1:]:
        asked, fee = json.loads(line["request"]), json.loads(line["response"])["data"]["fee"]
        served[asked["coinId"], asked["chain"]] = (
            Decimal(fee["amount"]),
            fee["coinId"],
            fee["coinSymbol"],
        )
    stored = query("SELECT coin_id, chain, fee_amount, fee_coin_id, fee_coin FROM withdraw_fee_now")

    assert {(row[0], row[1]): row[2:] for row in stored} == served
    assert Decimal("0.000000000000000001") in {amount for amount, *_ in served.values()}
    assert Decimal(10) ** 17 in {amount for amount, *_ in served.values()}
    assert [finding for finding in verify(open_warehouse(polled)) if not finding.ok] == []


def test_the_published_file_has_the_sweep_at_once(collect: Any, polled: Settings) -> None:
    """A fee poll publishes, however young the last publication is."""
    result = collect("fees")

    frame = ccpay_io.read("withdraw_fee_now", polled.warehouse)

    assert result.published is not None
    assert frame.height == result.rows > 30


def test_what_ends_a_gap_is_published_at_once(settings: Settings) -> None:
    """Readers who have nothing of a feed, or only what is old, do not wait for the next sweep."""

    async def polls() -> list[bool]:
        start, published = utc_now(), []
        for minutes in (0, 15, 30, 61):
            clock = start + timedelta(minutes=minutes)
            async with open_collector(settings, now=lambda clock=clock: clock) as collector:
                await collector.poll("chains")
                published.append((await collector.poll("fiats")).published is not None)
        return published

    assert asyncio.run(polls()) == [True, False, False, True]


def test_one_refused_pair_costs_only_itself(
    collect: Any, polled: Settings, faults: Faults, query: Any
) -> None:
    """The refusal is stored with its code, all others as they are."""
    ((coin_id, chain),) = query("SELECT coin_id, chain FROM coin_network_now LIMIT 1")
    faults.add("code:14004", "getWithdrawFee", match={"coinId": coin_id, "chain": chain})
    result = collect("fees")

    assert (result.outcome, result.refused, result.unknown) == ("ok", 1, 0)
    assert [(coin_id, chain, 14004)] == query(
        "SELECT coin_id, chain, refusal_code FROM withdraw_fee_now WHERE state = 'refused'"
    )


def test_one_unanswered_pair_is_unknown_and_goes_first_next_time(
    collect: Any, faults: Faults, query: Any, polled: Settings
) -> None:
    """Partial: the pair is unknown with the reason, not carried over; then it is asked first."""
    ((coin_id, chain),) = query(
        "SELECT coin_id, chain FROM coin_network_now ORDER BY coin_id DESC, chain DESC LIMIT 1"
    )
    faults.add("code:11002", "getWithdrawFee", match={"coinId": coin_id, "chain": chain})
    result = collect("fees")

    assert (result.outcome, result.unknown, result.error.name) == ("partial", 1, "Internal")
    assert query(
        "SELECT state, unknown_reason, fee_amount FROM withdraw_fee_now"
        " WHERE coin_id = ? AND chain = ?",
        coin_id,
        chain,
    ) == [("unknown", "11002 Internal", None)]
    with open_warehouse(polled).transaction() as con:
        assert (coin_id, chain) == plan_pairs(con)[0]


def test_an_outage_is_a_failed_poll_and_touches_nothing(
    collect: Any, polled: Settings, faults: Faults, query: Any
) -> None:
    """Every feed: one ledger row with the reason, no observation, history as it was."""
    before = query("SELECT count(*) FROM store.withdraw_fee_span")
    rates = query("SELECT fiat_id, usd_rate FROM fiat_rate_now ORDER BY 1")
    faults.add("status:503")
    for feed in ALL:
        result = collect(feed)
        assert result.outcome == "failed", feed
        assert result.error.name == "HttpStatusError"

    assert before == query("SELECT count(*) FROM store.withdraw_fee_span")
    assert rates == query("SELECT fiat_id, usd_rate FROM fiat_rate_now ORDER BY 1")
    assert query("SELECT count(*) FROM store.poll WHERE outcome = 'failed'") == [(6,)]
    assert query("SELECT DISTINCT status FROM chain_status_now") == [("unknown",)]
    assert query("SELECT DISTINCT state FROM withdraw_fee_now") == [("unknown",)]


@pytest.mark.parametrize("anything", [True, False], ids=["something answers", "nothing answers"])
def test_who_cannot_reach_anything_does_not_blame_the_api(
    collect: Any, settings: Settings, tmp_path: Path, anything: bool
) -> None:
    """Where the heartbeat goes is the canary; a rebuild makes the same poll without asking it."""
    with socket.create_server(("127.0.0.1", 0)) as living, socket.socket() as dead:
        dead.bind(("127.0.0.1", 0))
        nowhere = f"http://127.0.0.1:{dead.getsockname()[1]}"
        canary = f"http://127.0.0.1:{living.getsockname()[1]}" if anything else nowhere
        cut_off = dataclasses.replace(
            settings,
            base_url=nowhere,
            heartbeat_url=Secret(f"{canary}/token"),
            warehouse=tmp_path / "cut off",
        )
        result = collect("chains", with_settings=cut_off)

    assert result.outcome == "failed"
    assert result.error.name == ("ConnectFailed" if anything else "OwnNetworkDown")
    with open_warehouse(cut_off).transaction() as con:
        ((name,),) = con.execute("SELECT raw_name FROM store.poll").fetchall()
    again = asyncio.run(replay(read_raw(cut_off.warehouse, name)[1]))
    assert again.error_name == result.error.name
    assert "token" not in str(again)


def test_who_was_answered_in_part_has_reached_the_api(
    collect: Any, polled: Settings, faults: Faults
) -> None:
    """A sweep that its deadline cuts off is no outage of ours, though the canary is silent."""
    faults.add("slow:0.2", "getWithdrawFee")
    with socket.socket() as dead:
        dead.bind(("127.0.0.1", 0))
        nowhere = Secret(f"http://127.0.0.1:{dead.getsockname()[1]}/token")
        silent = dataclasses.replace(polled, heartbeat_url=nowhere)
        result = collect("fees", with_settings=silent, deadline_s=2.6)

    assert (result.outcome, result.error.name) == ("partial", "TimedOut")


def test_an_outage_in_a_sweep_is_given_up_early(
    collect: Any, polled: Settings, faults: Faults
) -> None:
    """After two dozen failures in a row the other pairs are not even asked."""
    faults.requests.clear()
    faults.add("code:12002", "getWithdrawFee")
    result = collect("fees")

    assert result.outcome == "failed"
    assert faults.requests["getWithdrawFee"] <= 8


def test_a_ban_stops_everything_for_good(collect: Any, faults: Faults) -> None:
    """After 11014 no request is made any more, by any feed, until somebody re-arms."""
    faults.add("code:11014", times=1)
    first = collect("chains")
    faults.requests.clear()
    others = [collect(feed).outcome for feed in ("chains", "fiats", "coins")]

    assert (first.outcome, first.error.name) == ("failed", "MaliciousReq")
    assert others == ["skipped"] * 3
    assert dict(faults.requests) == {}


def test_shuffled_lists_and_new_inquiry_ids_change_nothing(
    collect: Any, world: World, query: Any
) -> None:
    """The sandbox shuffles each list and makes each inquiry id anew: only changes are stored."""
    moment = 1_767_225_600.0
    frozen = {
        "chains": world.chains(moment),
        "fiats": world.fiats(moment),
        "coin_list": world.coin_list(moment),
    }
    fees = {
        (n.coin_id, n.chain): world.fee(n.coin_id, n.chain, moment) for n in world.universe.networks
    }
    world.chains = lambda t: frozen["chains"]  # type: ignore[method-assign]
    world.fiats = lambda t: frozen["fiats"]  # type: ignore[method-assign]
    world.coin_list = lambda t: frozen["coin_list"]  # type: ignore[method-assign]
    world.fee = lambda coin_id, chain, t: fees[coin_id, chain]  # type: ignore[method-assign]
    feeds = ("chains", "fiats", "coins", "networks", "fees")
    for feed in feeds:
        collect(feed)
    again = {feed: collect(feed) for feed in feeds}

    assert dict.fromkeys(feeds, 0) == {feed: result.changed for feed, result in again.items()}
    hashes = query("SELECT feed, count(DISTINCT content_hash) FROM store.poll GROUP BY 1")
    assert dict.fromkeys(feeds, 1) == dict(hashes)


@pytest.mark.parametrize("fault", ["empty", "half"])
def test_a_list_that_shrank_is_quarantined(
    collect: Any, faults: Faults, query: Any, fault: str
) -> None:
    """Nothing vanishes because of one strange answer."""
    collect("chains")
    faults.add(fault, "getChainList")
    result = collect("chains")

    assert (result.outcome, result.error.name) == ("failed", "SuspectList")
    assert query("SELECT count(*) FROM store.chain_span WHERE state = 'absent'") == [(0,)]
    assert query("SELECT DISTINCT status, unknown_reason FROM chain_status_now") == [
        ("unknown", "SuspectList")
    ]


def test_a_list_that_stays_short_is_accepted(
    collect: Any, faults: Faults, query: Any, settings: Settings
) -> None:
    """Never stuck for ever: after three identical answers over three intervals it is the truth."""
    quick = settings.feeds.model_copy(update={"watch_s": 0})
    hasty = dataclasses.replace(settings, feeds=quick)
    collect("chains")
    faults.add("half", "getChainList")
    outcomes = [collect("chains", with_settings=hasty).outcome for _ in range(3)]

    assert outcomes == ["failed", "failed", "ok"]
    assert query("SELECT count(*) FROM chain_status_now WHERE status = 'absent'") == [(99,)]


def test_an_account_without_tokens_is_believed_and_told(
    collect: Any, settings: Settings, query: Any
) -> None:
    """The very first empty token list is an answer; prices and fees have nothing to ask for."""
    nobody = Credentials(Secret(EMPTY_APP_ID), settings.credentials.app_secret)
    empty = dataclasses.replace(settings, credentials=nobody)
    results = [collect(feed, with_settings=empty) for feed in ALL]

    assert [result.outcome for result in results] == ["ok"] * 4 + ["skipped"] * 2
    assert "ccpay poll all" in results[-1].error.hint
    assert query("SELECT count(*) FROM swap_coin_now") == [(0,)]


def test_a_status_word_is_read_whatever_its_case(
    collect: Any, polled: Settings, faults: Faults, query: Any
) -> None:
    """Both documented spellings are maintenance; an unseen word is unknown, kept and reported."""
    words = {
        "BSC": ("Normal", "normal"),
        "BTC": (" NORMAL ", "normal"),
        "ETH": ("Maintain", "maintenance"),
        "LTC": ("maintenance", "maintenance"),
        "SOL": ("Main tenance", "maintenance"),
        "TRX": ("Frozen", "unknown"),
    }
    faults.statuses |= {chain: word for chain, (word, _) in words.items()}
    assert collect("chains").outcome == "ok"

    rows = query(
        "SELECT chain, status_raw, state FROM store.chain_current JOIN store.chain_entity"
        " USING (entity_id) ORDER BY chain"
    )
    assert {row[0]: row[1:] for row in rows if row[0] in words} == words
    drift = query("SELECT value FROM contract_drift WHERE kind = 'unknown_enum'")
    assert drift == [("Frozen",)]


def test_a_list_without_a_status_is_no_answer(
    collect: Any, polled: Settings, faults: Faults, query: Any
) -> None:
    """It is refused as a whole: nothing of it is stored."""
    states = "SELECT chain_entity.chain, state, status_raw FROM store.chain_current"
    states += " JOIN store.chain_entity USING (entity_id) ORDER BY ALL"
    before = query(states)
    faults.add("status_word:", "getChainList")
    assert collect("chains").outcome == "failed"
    assert query(states) == before


def test_without_the_token_list_pairs_are_found_by_trial(
    collect: Any, faults: Faults, query: Any, world: World
) -> None:
    """Swap coins x chains are tried, in portions; what does not exist is not asked again."""
    used = {network.chain for network in world.universe.networks}
    chains = tuple(row for row in world.universe.chains if row["chain"] in used)
    world.universe = dataclasses.replace(
        world.universe, coins=world.universe.coins[:5], chains=chains
    )
    faults.add("code:12003", "getCoinList")
    for feed in ("chains", "coins"):
        collect(feed)
    assert collect("networks").outcome == "failed"
    total = len(world.universe.coins) * len(world.universe.chains)
    asked = 0
    while True:
        faults.requests.clear()
        result = collect("fees")
        asked += faults.requests["getWithdrawFee"]
        if not query("SELECT 1 FROM withdraw_fee_now WHERE refusal_code = 13001 LIMIT 1"):
            break

    assert total <= asked < total * 1.2
    ids = {int(row["coin_id"]) for row in world.universe.coins}
    assert result.requests == sum(n.coin_id in ids for n in world.universe.networks)
    assert result.requests == len(query("SELECT 1 FROM withdraw_fee_now WHERE state <> 'unknown'"))


def test_the_deadline_commits_what_there_is(
    collect: Any, polled: Settings, faults: Faults, query: Any
) -> None:
    """What was not asked in time is unknown(deadline), the rest is stored."""
    faults.add("slow:0.2", "getWithdrawFee")
    result = collect("fees", deadline_s=3.0)

    assert result.outcome == "partial"
    assert 0 < result.rows < result.rows + result.unknown
    assert query(
        "SELECT DISTINCT unknown_reason FROM withdraw_fee_now WHERE state = 'unknown'"
    ) == [("deadline",)]


@pytest.mark.parametrize("as_text", [False, True])
def test_payees_are_hashes_unless_asked_otherwise(
    collect: Any, settings: Settings, query: Any, as_text: bool
) -> None:
    """The label is the user's; address and id are hashes, or what ccpay.toml has."""
    address, user = "TXmVpin5vq5gdZsciyyjdZgKRUju4st1wM", "35255142"
    watch = settings.watch.model_copy(
        update={
            "addresses": (WatchedAddress(label="cold", chain="TRX", address=address),),
            "cwallet_ids": (WatchedCwallet(label="partner", cwallet_user_id=user),),
            "addresses_as_text": as_text,
        }
    )
    result = collect("watchlist", with_settings=dataclasses.replace(settings, watch=watch))
    assert result.outcome == "ok"
    ((label, stored),) = query("SELECT label, address FROM address_validity_now")
    ((_, stored_user),) = query("SELECT label, cwallet_user_id FROM cwallet_user_now")
    assert label == "cold"
    assert (stored == address, stored_user == user) == (as_text, as_text)
    assert as_text or (stored.startswith("sha256:") and user not in stored_user)


def test_an_empty_watchlist_is_skipped_and_no_success(collect: Any) -> None:
    """A poll that asked nobody has not succeeded: it must not hide that all others failed."""
    result = collect("watchlist")

    assert result.outcome == "skipped"
    assert "ccpay.toml" in result.error.hint


def test_a_young_watch_poll_is_reused(collect: Any, faults: Faults) -> None:
    """The snapshot asset takes what the watch has just learned."""
    watched = collect("chains")
    faults.requests.clear()
    reused = collect("chains", reuse_s=60)

    assert (True, watched.poll_id, watched.rows) == (reused.reused, reused.poll_id, reused.rows)
    assert dict(faults.requests) == {}
    assert not collect("chains", reuse_s=0.001).reused


def test_a_chain_that_enters_maintenance_opens_and_resolves(
    settings: Settings, faults: Faults, query: Any
) -> None:
    """One evaluation of the watch confirms a first bad, and later a first good, by itself."""
    brisk = dataclasses.replace(
        settings, alerts=settings.alerts.model_copy(update={"confirm_after_s": 0})
    )

    async def watch() -> Any:
        async with open_collector(brisk) as collector:
            return await collector.watch_chains()

    assert len(asyncio.run(watch()).polls) == 1
    faults.statuses["TRX"] = "Maintain"
    opened = asyncio.run(watch())
    faults.statuses["TRX"] = "Normal"
    resolved = asyncio.run(watch())

    assert (len(opened.polls), opened.notices_due) == (2, True)
    assert (len(resolved.polls), resolved.notices_due) == (3, True)
    titles = query("SELECT title FROM store.alert_outbox WHERE channel = 'log' ORDER BY poll_id")
    assert titles[0][0] == "TRX is in maintenance"
    assert titles[1][0].startswith("TRX is back to normal after")


def test_nothing_secret_is_in_any_file(
    collect: Any, faults: Faults, polled: Settings, tmp_path: Path
) -> None:
    """Polls of every kind, an echoing error page among them: no file holds the app secret or id."""
    for fault in ("echo", "code:11005", "html", "cut"):
        faults.clear()
        faults.add(fault)
        collect("chains")
    secrets = [polled.credentials.app_id.reveal(), polled.credentials.app_secret.reveal()]
    for path in tmp_path.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            if path.suffix == ".zst":
                content = json.dumps(
                    read_raw(polled.warehouse, "/".join(path.parts[-2:]))[1]
                ).encode()
            assert not [s for s in secrets if s.encode() in content], path


def test_pairs_that_never_answer_do_not_keep_the_others_waiting(
    collect: Any, polled: Settings, faults: Faults, world: World
) -> None:
    """A chain that always fails: sweep after sweep, every pair of the other chains is answered."""
    pairs = [(n.coin_id, n.chain) for n in world.universe.networks]
    broken = pairs[:30]
    for coin_id, chain in broken:
        faults.add("code:16001", "getWithdrawFee", match={"coinId": coin_id, "chain": chain})
    sweeps = [collect("fees") for _ in range(4)]

    assert [sweep.rows for sweep in sweeps] == [len(pairs) - 30] * 4
    assert [sweep.unknown for sweep in sweeps] == [30] * 4


def test_a_failed_sweep_observes_nothing(
    collect: Any, faults: Faults, query: Any, polled: Settings
) -> None:
    """A pair that left the plan while every call failed is not absent: nobody has said so."""
    before = query("SELECT count(*) FROM store.withdraw_fee_span")
    with open_warehouse(polled).transaction() as con:
        con.execute("UPDATE store.coin_network_current SET state = 'absent' WHERE entity_id = 1")
    faults.add("status:503", "getWithdrawFee")
    assert collect("fees").outcome == "failed"

    assert query("SELECT count(*) FROM store.withdraw_fee_span") == before


def test_waiting_for_the_lock_costs_neither_the_deadline_nor_the_time_of_observation(
    collect: Any, faults: Faults, polled: Settings
) -> None:
    """Another writer holds the lock while a sweep begins and while it ends."""
    faults.add("slow:0.05", "getWithdrawFee")
    warehouse = open_warehouse(polled)

    def hold() -> None:
        with warehouse.transaction():
            time.sleep(2.5)

    holder = threading.Thread(target=hold)
    holder.start()
    result = collect("fees", deadline_s=4.0)
    holder.join()

    assert result.outcome == "ok"
    assert result.observed_at - result.started_at < timedelta(seconds=2.4)


def test_an_outage_of_the_token_list_starts_no_search_by_trial(
    collect: Any, faults: Faults, settings: Settings
) -> None:
    """Only a refusal does: an outage may pass, and trying pairs is thousands of requests."""
    faults.add("status:503", "getCoinList")
    collect("chains", "coins", "networks")
    faults.requests.clear()

    assert collect("fees").outcome == "skipped"
    assert dict(faults.requests) == {}


def test_a_batch_of_prices_that_fails_costs_only_itself(
    collect: Any, faults: Faults, world: World, query: Any
) -> None:
    """The other coins are priced; those of the batch are unknown."""
    prices.BATCH, whole = 5, prices.BATCH
    try:
        collect("chains", "coins")
        faults.add("code:11002", "getCoinUSDTPrice", times=3)
        result = collect("prices")
    finally:
        prices.BATCH = whole

    assert (result.outcome, result.unknown) == ("partial", 5)
    assert result.rows == len(world.universe.coins) - 5


def test_a_fee_that_is_not_exact_is_unknown_and_drift(
    collect: Any, polled: Settings, faults: Faults, query: Any
) -> None:
    """It is not rounded, and contract_drift, where the error sends people, has the value."""
    amounts = ["", "-1", "0.0000000000000000001", "1e5", "NaN"]
    pairs = query("SELECT coin_id, chain FROM coin_network_now LIMIT 5")
    for (coin_id, chain), amount in zip(pairs, amounts, strict=True):
        pair = {"coinId": coin_id, "chain": chain}
        faults.add(f'set:amount="{amount}"', "getWithdrawFee", match=pair)
    result = collect("fees")

    assert (result.outcome, result.unknown) == ("partial", 5)
    unknown = "SELECT unknown_reason, fee_amount FROM withdraw_fee_now WHERE state <> 'ok'"
    assert query(unknown) == [("WrongShape", None)] * 5
    assert query("SELECT endpoint, path, kind, value FROM contract_drift ORDER BY value") == [
        ("getWithdrawFee", "data.fee.amount", "bad_value", amount) for amount in amounts
    ]


def test_drift_quotes_no_secret(
    collect: Any, faults: Faults, query: Any, settings: Settings
) -> None:
    """A server that puts what it was sent into an answer does not get it into the warehouse."""
    app_id = settings.credentials.app_id.reveal()
    faults.add(f'set:debug="{app_id}"', "getFiatList")

    assert collect("fiats").outcome == "ok"
    ((path, sample),) = query("SELECT path, sample FROM contract_drift")
    assert path == "data.fiats[].debug"
    assert app_id not in sample


def test_an_answer_without_its_list_is_drift(collect: Any, faults: Faults, query: Any) -> None:
    """A failed poll leaves a trace of what was wrong with the answer."""
    faults.add("set:fiats=7", "getFiatList")

    assert collect("fiats").outcome == "failed"
    ((endpoint, path, value),) = query("SELECT endpoint, path, value FROM contract_drift")
    assert (endpoint, path) == ("getFiatList", "data")
    assert "data.fiats is not an array" in value


def test_an_item_without_a_readable_key_makes_nothing_vanish(
    collect: Any, world: World, query: Any
) -> None:
    """A fiat whose id is suddenly a string is not proof that the fiat is gone."""
    fiats = world.fiats(0)
    world.fiats = lambda t: fiats  # type: ignore[method-assign]
    collect("fiats")
    fiats[0] = {**fiats[0], "fiatId": str(fiats[0]["fiatId"])}
    result = collect("fiats")

    assert result.outcome == "partial"
    assert query("SELECT count(*) FROM fiat_rate_now") == [(len(fiats),)]
    assert query("SELECT kind FROM contract_drift") == [("bad_value",)]


def test_a_list_with_moving_values_is_accepted_when_it_stays_short(
    collect: Any, faults: Faults, world: World, settings: Settings
) -> None:
    """What is compared in quarantine is what is listed: rates move with every answer."""
    collect("fiats")
    hasty = settings.feeds.model_copy(update={"fiats": 0})
    options = {"with_settings": dataclasses.replace(settings, feeds=hasty)}
    faults.add("half", "getFiatList")
    real = world.fiats
    outcomes = []
    for number in range(3):
        world.fiats = lambda t, n=number: real(n * 86_400)  # type: ignore[misc]
        outcomes.append(collect("fiats", **options).outcome)

    assert outcomes == ["failed", "failed", "ok"]
