from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from alert_timeline import (
    OTHERS,
    START,
    TICK,
    Timeline,
    chain_poll,
    failed_poll,
    feed_poll,
    live_settings,
)

from ccpay_io.alerts import usual_fees
from ccpay_io.config import WatchSettings
from ccpay_io.feeds.poll import Answers, Poll
from ccpay_io.models import Drift

API = "CCPayment API"
FIVE = timedelta(minutes=5)
ROUTE = "USDT on TRX"

# One fee poll each: what it says of the one pair there is.
FEES: dict[str, dict[str, object]] = {
    "o": {"state": "ok", "fee_amount": Decimal(1), "fee_coin_id": 1, "fee_coin": "USDT"},
    "r": {"state": "refused", "refusal_code": 13004},
    "R": {"state": "refused", "refusal_code": 14004},
    "z": {"state": "refused", "refusal_code": 13001},
}


def coin_lists(at: datetime, *, can_withdraw: bool = True) -> Poll:
    """The coin list: one coin on one chain."""
    return feed_poll(
        "networks",
        at,
        {
            "coin": [{"coin_id": 1, "state": "ok", "coin": "USDT", "status": "Normal"}],
            "coin_network": [
                {"coin_id": 1, "chain": "TRX", "state": "ok", "can_withdraw": can_withdraw}
            ],
        },
        cadence_s=3600,
    )


def fee_poll(character: str, at: datetime) -> Poll:
    """A fee poll with this answer, or this failure."""
    if character in "xq":
        return feed_poll("fees", at, failed=character)
    if character == "-":
        return feed_poll("fees", at, {"withdraw_fee": []})
    row = {"coin_id": 1, "chain": "TRX", **FEES[character]}
    return feed_poll("fees", at, {"withdraw_fee": [row]})


def chains(word: str, at: datetime) -> Poll:
    """The chain list with this word about TRX, or a failure."""
    if word in "xq":
        return feed_poll("chains", at, failed=word, cadence_s=30)
    return chain_poll({**dict.fromkeys(OTHERS, "Normal"), "TRX": word}, at)


def play(timeline: Timeline, polls: list[Poll]) -> list[str]:
    """Plays polls; returns the log's notices as "opened USDT on TRX"."""
    first = polls[0].poll_id
    timeline.commit(polls)
    rows = timeline.rows(
        "SELECT transition, payload::JSON ->> '$.alerts[*].subject' FROM store.alert_outbox"
        " WHERE channel = 'log' AND poll_id >= ? ORDER BY poll_id, notice_id",
        first,
    )
    return [f"{word} {', '.join(subjects)}" for word, subjects in rows]


def fee_polls(script: str) -> list[Poll]:
    """Fee polls five minutes apart, after one of the coin list."""
    return [
        coin_lists(START),
        *(fee_poll(c, START + (n + 1) * FIVE) for n, c in enumerate(script)),
    ]


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        pytest.param("oo r o", [], id="refused once is nothing"),
        pytest.param("oo rr ooo", [f"opened {ROUTE}", f"resolved {ROUTE}"], id="13004"),
        pytest.param("oo RR ooo", [f"opened {ROUTE}", f"resolved {ROUTE}"], id="14004"),
        pytest.param("oo zzz", [], id="another refusal is not a blocked route"),
        pytest.param("oo rr ---", [f"opened {ROUTE}", f"closed {ROUTE}"], id="no longer listed"),
        pytest.param(
            "oo rr xx ooo",
            [f"opened {ROUTE}", "opened getWithdrawFee", f"resolved {ROUTE}, getWithdrawFee"],
            id="an outage of the endpoint resolves nothing",
        ),
    ],
)
def test_a_route_is_blocked_when_its_fee_is_refused(
    timeline: Timeline, script: str, expected: list[str]
) -> None:
    """13004 and 14004, twice in a row, block a route while its chain is normal."""
    told = play(timeline, fee_polls(script.replace(" ", "")))
    assert [sorted(line.replace(",", "").split()) for line in told] == [
        sorted(line.replace(",", "").split()) for line in expected
    ]


def test_a_coin_list_that_forbids_withdrawals_blocks_the_route(timeline: Timeline) -> None:
    """The word canWithdraw = false counts also while fees are still quoted."""
    closed = coin_lists(START + FIVE - timedelta(minutes=1), can_withdraw=False)
    polls = [coin_lists(START), *fee_polls("oooo")[1:]]
    assert play(timeline, [polls[0], closed, *polls[1:]]) == [f"opened {ROUTE}"]


def test_a_chain_in_maintenance_explains_its_blocked_routes(timeline: Timeline) -> None:
    """One notice says what is wrong; the route is recorded, muted, with the chain as the reason."""
    polls = fee_polls("orr")
    watch = [chains("Maintenance", START + FIVE + timedelta(seconds=30 * n)) for n in (1, 2)]
    normal = [chains("Normal", START)]
    assert play(timeline, [polls[0], *normal, polls[1], *watch, *polls[2:]]) == ["opened TRX"]
    ((kind, muted_by, cause),) = timeline.rows(
        "SELECT e.kind, m.muted_by, c.subject FROM store.alert_muting AS m"
        " JOIN store.alert_episode AS e USING (alert_id)"
        " JOIN store.alert_episode AS c ON m.muted_by = 'alert:' || c.alert_id"
    )
    assert (kind, cause) == ("payout_route", "TRX")
    assert muted_by.startswith("alert:")


@pytest.mark.parametrize(
    ("watch", "severity"),
    [
        (WatchSettings(), "critical"),
        (WatchSettings(coins=("USDT",)), "critical"),
        (WatchSettings(chains=("TRX",)), "critical"),
        (WatchSettings(coins=("USDC",)), "info"),
    ],
)
def test_blocked_routes_of_watched_coins_and_chains_are_critical(
    root: Path, watch: WatchSettings, severity: str
) -> None:
    """With nothing named, all of the merchant's routes are watched."""
    timeline = Timeline(live_settings(root, watch=watch))
    play(timeline, fee_polls("rr"))
    rows = timeline.rows("SELECT severity FROM store.alert_episode WHERE kind = 'payout_route'")
    assert rows == [(severity,)]


def endpoint_polls(script: str, watch: str) -> list[Poll]:
    """Fee polls, with a chain poll half a minute before each."""
    half = timedelta(seconds=30)
    words = {"n": "Normal", "x": "x"}
    moments = [START + (n + 1) * FIVE for n in range(len(script))]
    return [
        poll
        for at, fee, chain in zip(moments, script, watch, strict=True)
        for poll in (chains(words[chain], at - half), fee_poll(fee, at))
    ]


@pytest.mark.parametrize(
    ("fees", "watch", "expected"),
    [
        pytest.param(
            "ooxxxooo", "nnnnnnnn", ["opened getWithdrawFee", "resolved getWithdrawFee"],
            id="an endpoint of its own",
        ),
        pytest.param(
            "ooxxxooo", "nnxxxnnn", [f"opened {API}", f"resolved {API}"],
            id="the whole API explains its endpoints",
        ),
        pytest.param("ooq", "nnn", ["opened getWithdrawFee"], id="a quota of its own, at once"),
    ],
)  # fmt: skip
def test_an_endpoint_that_fails_alone_is_its_own_subject(
    timeline: Timeline, fees: str, watch: str, expected: list[str]
) -> None:
    """What the watch can reach is not called an outage of the API."""
    assert play(timeline, endpoint_polls(fees, watch)) == expected


def test_an_answer_that_cannot_be_read_is_an_outage_and_no_second_notice(
    timeline: Timeline,
) -> None:
    """What hides everything is told once; should it be readable again, that is told once too."""
    drift = (Drift("getChainList", "data", "bad_value", "7", None, "{}"),)
    polls = [
        replace(failed_poll("x", at), error_name="WrongShape", drift=drift)
        if word == "z"
        else chains("Normal", at)
        for word, at in zip("nnzzznnn", (START + n * TICK for n in range(8)), strict=True)
    ]
    assert play(timeline, polls) == [f"opened {API}", f"resolved {API}"]


STEP = timedelta(minutes=4)


def watched(begun: datetime, length: timedelta, *, word: str = "Normal") -> list[Poll]:
    """The watch for some time, at a pace that is quick to play: every four minutes."""
    moments = [begun + n * STEP for n in range(1, round(length / STEP) + 1)]
    return [replace(chains(word, at), cadence_s=240) for at in moments]


def test_data_that_stays_away_is_late_and_then_dead(timeline: Timeline) -> None:
    """After three cadences a warning, after twelve it is critical; the first answer ends it."""
    begun = [coin_lists(START), fee_poll("o", START + timedelta(seconds=10))]
    told = play(timeline, [*begun, *watched(START, timedelta(minutes=68))])
    assert told == ["opened data of fees", "escalated data of fees"]
    later = START + timedelta(minutes=70)
    again = play(timeline, [fee_poll("o", later), *watched(later, STEP)])
    assert again == ["resolved data of fees"]


def test_after_a_standstill_a_feed_has_time_to_catch_up(timeline: Timeline) -> None:
    """What was not polled because nothing ran is not late as soon as something runs again."""
    play(timeline, [coin_lists(START), fee_poll("o", START), *watched(START, FIVE)])
    later = START + timedelta(hours=8)
    assert play(timeline, watched(later, timedelta(minutes=12))) == []


def test_after_an_outage_a_feed_has_time_to_catch_up(timeline: Timeline) -> None:
    """An outage is told as one; that data is old because of it is not told again."""
    hour = timedelta(hours=1)
    begun = [coin_lists(START), fee_poll("o", START), *watched(START, FIVE)]
    away = watched(START + FIVE, hour, word="x")
    back = watched(START + FIVE + hour, timedelta(minutes=12))
    assert play(timeline, [*begun, *away, *back]) == [f"opened {API}", f"resolved {API}"]


def test_quota_at_noon(timeline: Timeline) -> None:
    """Scenario 27: one notice at once, no chain notices, late data explained, and one end."""
    noon = START + FIVE
    begun = [coin_lists(START), fee_poll("o", START), *watched(START, FIVE)]
    refused = chains("q", noon + timedelta(seconds=30))
    skipped = [
        feed_poll("chains", noon + n * STEP, failed="s", cadence_s=240) for n in range(1, 15)
    ]
    back = watched(noon + timedelta(hours=1), 3 * STEP)
    told = play(timeline, [*begun, refused, *skipped, *back])
    assert told == [f"opened {API}", f"resolved {API}"]
    ((status, stale),) = timeline.rows(
        "SELECT DISTINCT status, is_stale FROM chain_status_now WHERE chain = 'TRX'"
    )
    assert (status, stale) == ("normal", True)


def drift(path: str, kind: Any, *, key: tuple[object, ...] | None = None) -> Drift:
    """One deviation of the chain list."""
    return Drift("getChainList", path, kind, "x", key, "{}")


@pytest.mark.parametrize(
    ("deviation", "severity"),
    [
        (drift("data.chains[].colour", "new_field"), "info"),
        (drift("data.chains[].isEVM", "bad_value"), "warning"),
        (drift("data.chains[].status", "missing_field", key=("BSC",)), "critical"),
    ],
)
def test_a_deviation_is_told_by_what_it_hides(
    timeline: Timeline, deviation: Drift, severity: str
) -> None:
    """A new field is information, a bad value a warning, a hidden status critical."""
    rows = {"chain": [{"chain": "TRX", "state": "normal", "status_raw": "Normal"}]}
    moments = [START + n * timedelta(seconds=30) for n in range(6)]
    polls = [
        feed_poll("chains", at, rows, cadence_s=30, drift=(deviation,) if n < 2 else ())
        for n, at in enumerate(moments)
    ]
    name = f"getChainList {deviation.path}"
    assert play(timeline, polls) == [f"opened {name}", f"resolved {name}"]
    assert timeline.rows("SELECT severity FROM store.alert_episode") == [(severity,)]


def usual_day(timeline: Timeline, fee: str = "1") -> datetime:
    """A day of the same fee and price, every hour, unjudged; returns its end."""
    begun = START - timedelta(hours=26)
    hours = [begun + n * timedelta(hours=1) for n in range(26)]
    polls = [coin_lists(begun - FIVE)]
    for at in hours:
        polls += [price_poll("1", at - FIVE, 3600), priced_fee(fee, at, 3600)]
    timeline.warehouse.commit(polls)
    timeline.warehouse.publish(force=True)
    timeline.usual = usual_fees(timeline.settings.warehouse, hours[-1])
    return hours[-1]


def price_poll(price: str, at: datetime, cadence_s: int = 300) -> Poll:
    """The price of the coin that the fee is charged in."""
    rows = {"coin_price": [{"coin_id": 1, "state": "ok", "price_usd": Decimal(price)}]}
    return feed_poll("prices", at, rows, cadence_s=cadence_s)


def priced_fee(fee: str, at: datetime, cadence_s: int = 300) -> Poll:
    """The fee of the one pair."""
    row: Mapping[str, object] = {
        "coin_id": 1, "chain": "TRX", **FEES["o"], "fee_amount": Decimal(fee),
    }  # fmt: skip
    return feed_poll("fees", at, {"withdraw_fee": [row]}, cadence_s=cadence_s)


@pytest.mark.parametrize(
    ("fee", "price", "expected", "severity"),
    [
        pytest.param("5", "1", ["opened fee of USDT on TRX"], "warning", id="the fee rose"),
        pytest.param("1", "5", ["opened fee of USDT on TRX"], "info", id="31: only the price"),
        pytest.param("1", "1.3", [], None, id="31: a third more is within the usual"),
    ],
)
def test_a_fee_that_is_unusually_high(
    timeline: Timeline, fee: str, price: str, expected: list[str], severity: str | None
) -> None:
    """A warning when the fee rose, information when only the coin's price did, and one end."""
    last = usual_day(timeline)
    high = [
        poll
        for n in (1, 2, 3)
        for poll in (
            price_poll(price, last + n * FIVE - timedelta(seconds=60)),
            priced_fee(fee, last + n * FIVE),
        )
    ]
    assert play(timeline, high) == expected
    later = last + 4 * FIVE
    usual = [price_poll("1", later - timedelta(seconds=60)), priced_fee("1", later)]
    assert play(timeline, usual) == [line.replace("opened", "resolved") for line in expected]
    rows = timeline.rows("SELECT severity FROM store.alert_episode WHERE kind = 'fee_level'")
    assert rows == ([(severity,)] if severity else [])


@pytest.mark.parametrize(
    ("fees", "expected"),
    [
        pytest.param("5 1 1 4", ["opened"], id="still a fifth below"),
        pytest.param("5 1 1 4 4.5", ["opened", "resolved"], id="nearly usual again"),
        pytest.param("5 1 1 x .", ["opened"], id="no answer is no end"),
        pytest.param("5 1 1 . 5", ["opened", "resolved"], id="an end after no answer"),
        pytest.param("5 1 5 1 5", [], id="once is not enough"),
        pytest.param("5 2.6 2.6 2.6", [], id="more than half"),
        pytest.param("0.9 0.41 0.41", [], id="less than half a dollar"),
    ],
)
def test_a_fee_that_is_unusually_low(timeline: Timeline, fees: str, expected: list[str]) -> None:
    """Information after two polls, told as low, and over within a fifth of the usual.

    `x` is a sweep without any answer, `.` one without an answer for this pair.
    """
    usual, *later = fees.split()
    last = usual_day(timeline, usual)
    polls = [low_poll(sign, last + n * FIVE) for n, sign in enumerate(later, start=1)]
    assert play(timeline, polls) == [f"{event} fee of USDT on TRX" for event in expected]
    rows = timeline.rows("SELECT severity, value FROM store.alert_episode WHERE kind = 'fee_level'")
    assert rows == ([("info", "low: 1.00 USD, usually 5.00 USD")] if expected else [])
    titles = timeline.rows("SELECT title FROM store.alert_outbox WHERE transition = 'opened'")
    assert all("is unusually low" in title for (title,) in titles)


def low_poll(sign: str, at: datetime) -> Poll:
    """A fee, or none."""
    if sign == "x":
        return feed_poll("fees", at, failed="x")
    if sign != ".":
        return priced_fee(sign, at)
    poll = priced_fee("1", at)
    frame = poll.answers["withdraw_fee"].frame.clear()
    gap = Answers(frame, {"11002 Internal": [(1, "TRX")]})
    return replace(poll, outcome="partial", answers={"withdraw_fee": gap})


def test_what_is_usual_is_worked_out_once_an_hour(timeline: Timeline) -> None:
    """The first fee poll of an hour pays for it, and every pair with a day of history is in it."""
    root = timeline.settings.warehouse
    assert usual_fees(root, START) is None
    last = usual_day(timeline)
    assert timeline.usual == [(1, int(last.timestamp()) // 3600, 1.0)]
    play(timeline, [priced_fee("1", last + FIVE)])
    timeline.warehouse.publish(force=True)
    assert usual_fees(root, last + 2 * FIVE) is None
    assert usual_fees(root, last + timedelta(hours=1)) is not None
