"""`ccpay alerts`: what is open, and what people say about it."""

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from alert_timeline import OTHERS, Timeline, chain_poll, feed_poll, live_settings
from receiver import receiving

from ccpay_io.alerts.listing import open_alerts
from ccpay_io.settings import Settings, load_settings


@pytest.fixture(scope="module")
def empty_folder(api: tuple[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The warehouse of that account with its tables: making these is the slow part of a test."""
    root = tmp_path_factory.mktemp("empty")
    with Timeline(replace(live_settings(root), base_url=api[0])).warehouse.transaction():
        return root


@pytest.fixture
def timeline(settings: Settings, empty_folder: Path) -> Timeline:
    """A live warehouse in which TRX went into maintenance some minutes ago."""
    shutil.copytree(empty_folder, settings.warehouse)
    return open_an_alert(Timeline(settings))


@pytest.fixture(scope="module")
def told_folder(
    api: tuple[str, Any], empty_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The same, made once, for those to whom it is all one how long ago that was."""
    root = tmp_path_factory.mktemp("told") / "data"
    shutil.copytree(empty_folder, root)
    open_an_alert(Timeline(replace(live_settings(root), base_url=api[0])))
    return root


@pytest.fixture
def told(settings: Settings, told_folder: Path) -> Timeline:
    """A copy of it."""
    shutil.copytree(told_folder, settings.warehouse)
    return Timeline(settings)


def open_an_alert(made: Timeline) -> Timeline:
    """TRX goes into maintenance, three minutes ago; published."""
    now = datetime.now(UTC)
    for minutes, word in ((4, "Normal"), (3, "Maintenance"), (2, "Maintenance")):
        said = {**dict.fromkeys(OTHERS, "Normal"), "TRX": word}
        made.commit([chain_poll(said, now - timedelta(minutes=minutes))])
    made.warehouse.publish(force=True)
    return made


def poll(timeline: Timeline, word: str) -> list[str]:
    """One more poll; returns the log's notices so far."""
    said = {**dict.fromkeys(OTHERS, "Normal"), "TRX": word}
    timeline.commit([chain_poll(said, datetime.now(UTC))])
    rows = timeline.rows("SELECT transition FROM store.alert_outbox ORDER BY poll_id")
    return [word for (word,) in rows]


def alert_id(timeline: Timeline) -> str:
    """The one alert there is."""
    ((found,),) = timeline.rows("SELECT alert_id FROM store.alert_episode")
    return str(found)


def test_the_list_says_what_is_open_and_for_how_long(ccpay_command, timeline: Timeline) -> None:
    """Severity, subject, age and the id that the other commands take."""
    done = ccpay_command("alerts", "list")
    assert done.code == 0
    assert "critical" in done.out
    assert "TRX" in done.out
    assert "3 min" in done.out
    assert "stale: last answer" in done.out
    assert alert_id(timeline) in done.out


def test_nothing_open_is_said(ccpay_command, timeline: Timeline) -> None:
    """An empty list is an answer; what is over is shown when asked for."""
    for _ in range(3):
        poll(timeline, "Normal")
    timeline.warehouse.publish(force=True)
    assert "no alert is open" in ccpay_command("alerts", "list").out
    assert "resolved" in ccpay_command("alerts", "list", "--all").out


def test_an_acknowledgement_has_an_author_and_a_reason(ccpay_command, timeline: Timeline) -> None:
    """It shows in the list and in the story, and the beginning of an id is enough."""
    done = ccpay_command(
        "alerts", "ack", alert_id(timeline)[:8], "--reason", "on it", "--author", "ann"
    )
    assert (done.code, done.out) == (0, f"acknowledged {alert_id(timeline)}\n")
    assert "acknowledged by ann" in ccpay_command("alerts", "list").out
    story = ccpay_command("alerts", "show", alert_id(timeline)[:8]).out
    assert "critical  TRX  chain_status  began between" in story
    assert "acknowledged by ann: on it" in story
    assert "opened to log: not sent yet" in story


def test_a_silence_keeps_back_what_it_matches_until_it_is_ended(
    ccpay_command, timeline: Timeline
) -> None:
    """It is in force at once, listed with its reason, and what is still bad is told after it."""
    done = ccpay_command(
        "alerts", "silence", "chain=BSC", "kind=chain_status", "--for", "2h", "--reason", "planned"
    )
    assert done.code == 0
    assert "kind=chain_status chain=BSC" in ccpay_command("alerts", "list").out
    said = {"BTC": "Normal", "ETH": "Normal", "TRX": "Maintenance", "BSC": "Maintenance"}
    for _ in range(2):
        timeline.commit([chain_poll(said, datetime.now(UTC))])
    told = "SELECT count(*) FROM store.alert_outbox WHERE title LIKE 'BSC%'"
    assert timeline.rows(told) == [(0,)]
    assert ccpay_command("alerts", "unsilence", "1").code == 0
    timeline.commit([chain_poll(said, datetime.now(UTC))])
    assert timeline.rows(told) == [(1,)]
    assert ccpay_command("alerts", "unsilence", "1").code == 2


def test_what_is_over_is_told_as_over(ccpay_command, timeline: Timeline) -> None:
    """Nobody can take on an alert that has resolved; its story can still be read."""
    for _ in range(3):
        poll(timeline, "Normal")
    timeline.warehouse.publish(force=True)
    done = ccpay_command("alerts", "ack", alert_id(timeline)[:8], "--reason", "on it")
    assert done.code == 2
    assert f"{alert_id(timeline)} is over since" in done.err
    assert "resolved" in ccpay_command("alerts", "show", alert_id(timeline)[:8]).out


def test_several_alerts_of_one_beginning_are_not_guessed_among(
    ccpay_command, timeline: Timeline
) -> None:
    """A beginning that fits two alerts names neither."""
    first = alert_id(timeline)
    with timeline.warehouse.transaction() as con:
        con.execute(f"INSERT INTO store.alert_state {another('alert_id', first + '0')}")
    done = ccpay_command("alerts", "ack", first[:8], "--reason", "on it")
    assert done.code == 2
    assert "2 alerts begin with" in done.err


def another(column: str, value: str) -> str:
    """A select of the one alert there is, as another."""
    return (
        f"SELECT * REPLACE ('{value}' AS fingerprint, '{value}' AS {column}) FROM store.alert_state"
    )


def test_a_symbol_of_several_coins_is_asked_back(ccpay_command, timeline: Timeline) -> None:
    """Their ids are named, and an id is taken."""
    coins = [
        {"coin_id": number, "state": "ok", "coin": "USDT", "status": "Normal"}
        for number in (1280, 77)
    ]
    timeline.commit([feed_poll("networks", datetime.now(UTC), {"coin": coins})])
    done = ccpay_command("alerts", "silence", "coin=USDT", "--for", "2h", "--reason", "x")
    assert done.code == 2
    assert "name one by its id: 77, 1280" in done.err
    assert ccpay_command("alerts", "silence", "coin=77", "--for", "2h", "--reason", "x").code == 0
    assert timeline.rows("SELECT coin_id, author <> '' FROM store.alert_silence") == [(77, True)]


def test_the_end_of_a_silence_is_in_utc_unless_it_says_otherwise(
    ccpay_command, timeline: Timeline
) -> None:
    """An offset is understood; a silence with its end in any time zone can be read back."""
    for until in ("2090-12-01T10:00", "2090-12-01T10:00Z", "2090-12-01T12:00+02:00"):
        done = ccpay_command("alerts", "silence", "chain=TRX", "--until", until, "--reason", "x")
        assert done.code == 0
    ends = timeline.rows("SELECT DISTINCT until FROM store.alert_silence")
    assert ends == [(datetime(2090, 12, 1, 10, tzinfo=UTC),)]
    assert ccpay_command("alerts", "list").out.count("2090-12-01 10:00") == 3


def test_an_open_alert_that_is_silenced_is_shown_as_such(ccpay_command, timeline: Timeline) -> None:
    """It stays in the list, with what keeps it back, and its story says from when."""
    words = ["chain=TRX", "--for", "2h", "--reason", "x"]
    assert ccpay_command("alerts", "silence", *words).code == 0
    poll(timeline, "Maintenance")
    timeline.warehouse.publish(force=True)
    assert "silence 1" in ccpay_command("alerts", "list").out
    assert "muted by silence:1" in ccpay_command("alerts", "show", alert_id(timeline)).out


def test_the_worst_comes_first(ccpay_command, timeline: Timeline) -> None:
    """Critical, warning, info: not in the order of the alphabet."""
    with timeline.warehouse.transaction() as con:
        for severity in ("info", "warning"):
            con.execute(
                f"INSERT INTO store.alert_state {another('severity', severity)}"
                " WHERE severity = 'critical'"
            )
    timeline.warehouse.publish(force=True)
    lines = ccpay_command("alerts", "list").out.splitlines()[1:4]
    assert [line.split()[0] for line in lines] == ["critical", "warning", "info"]


@pytest.mark.parametrize(
    ("kind", "key", "every"),
    [
        ("chain_status", "TRX", 40),
        ("freshness", "fees", 40),
        ("source_health", "getChainList", 40),
        ("source_health", "getFiatList", 900),
        ("contract", "getCoinList list", 3600),
        ("payout_route", "1280 TRX", 600),
        ("fee_level", "1280 TRX", 600),
        ("delivery", "webhook-1f3a9c2e", None),
    ],
)
def test_what_is_stale_goes_by_how_often_it_is_asked(
    told: Timeline, kind: str, key: str, every: int | None
) -> None:
    """An hourly list is not stale after two minutes: three cadences as they were planned are."""
    planned = {"chains": 40, "fiats": 900, "networks": 3600, "fees": 600}
    found = []
    for cadences in (2.9, 3.1):
        age_s = cadences * (every or 3600)
        with told.warehouse.transaction() as con:
            con.execute("DELETE FROM store.cadence")
            for feed, cadence_s in planned.items():
                con.execute(
                    "INSERT INTO store.cadence VALUES (?, '2020-01-01', ?)", [feed, cadence_s]
                )
            con.execute(
                "UPDATE store.alert_state SET kind = ?, key = ?,"
                " last_known_at = now() - to_seconds(?)",
                [kind, key, age_s],
            )
            (alert,) = open_alerts(con)
        found.append("stale" in alert.also)
    assert found == [False, every is not None]


def test_a_caller_without_a_name_says_who_it_is(
    ccpay_command, timeline: Timeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in containers that run under a number: the author is asked for, not made up."""

    def nameless() -> str:
        raise KeyError("uid not found")

    monkeypatch.setattr("getpass.getuser", nameless)
    given = ("alerts", "ack", alert_id(timeline), "--reason", "on it")
    done = ccpay_command(*given)
    assert done.code == 2
    assert "--author NAME" in done.err
    assert ccpay_command(*given, "--author", "ann").code == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["ack", "zzz", "--reason", "x"], "no alert is known under 'zzz'"),
        (["ack", "", "--reason", " "], "a reason is needed"),
        (["ack", "", "--reason", "x"], "no alert is known under ''"),
        (["ack", "zzz", "--reason", "x", "--author", " "], "an author is needed"),
        (["ack", "zzz"], "Missing option '--reason'"),
        (["show", ""], "no alert is known under ''"),
        (["show", "zzz"], "no alert is known under 'zzz'"),
        (["silence", "chain=NOPE", "--for", "2h", "--reason", "x"], "no chain 'NOPE' is known"),
        (["silence", "coin=NOPE", "--for", "2h", "--reason", "x"], "no coin 'NOPE' is known"),
        (["silence", "kind=nope", "--for", "2h", "--reason", "x"], "there is no kind 'nope'"),
        (["silence", "alert=zzz", "--for", "2h", "--reason", "x"], "no alert is known"),
        (["silence", "chain=TRX", "chain=BSC", "--for", "2h", "--reason", "x"], "chain= is there"),
        (["silence", "--for", "2h", "--reason", "x"], "Missing argument"),
        (["silence", "chain=TRX", "--for", "2h", "--reason", " "], "a reason is needed"),
        (["silence", "TRX", "--for", "2h", "--reason", "x"], "'TRX' matches nothing"),
        (["silence", "chain=TRX", "--reason", "x"], "a silence has an end"),
        (["silence", "chain=TRX", "--for", "2 weeks", "--reason", "x"], "no length of time"),
        (["silence", "chain=TRX", "--until", "soon", "--reason", "x"], "'soon' is no time"),
        (["silence", "chain=TRX", "--for", "0m", "--reason", "x"], "is over"),
        (["silence", "chain=TRX", "--for", "99999999999d", "--reason", "x"], "is too long"),
        (
            ["silence", "chain=TRX", "--until", "9999-12-31T23:59-12:00", "--reason", "x"],
            "is out of reach",
        ),
        (
            ["silence", "chain=TRX", "--until", "9999-12-31T23:59Z", "--reason", "x"],
            "until 9999 is for ever",
        ),
        (["unsilence", "7"], "silence 7 is not in force"),
        (
            ["silence", "chain=TRX", "--until", "2020-01-01T00:00Z", "--reason", "x"],
            "2020-01-01 00:00 UTC is over",
        ),
    ],
)
def test_bad_input_is_one_clear_line(
    ccpay_command, told: Timeline, arguments: list[str], said: str
) -> None:
    """Exit code 2, what is wrong, and nothing is written."""
    done = ccpay_command("alerts", *arguments)
    assert done.code == 2
    assert said in done.err
    written = "SELECT reason FROM store.alert_silence UNION ALL SELECT reason FROM store.alert_ack"
    assert told.rows(written) == []


def test_a_test_notice_goes_to_every_channel(
    ccpay_command, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What each says is printed; one that refuses is exit code 1."""
    with receiving((200, {}), (404, {})) as receiver:
        monkeypatch.setenv("CCPAY_ALERT_URLS", receiver.url)
        good = ccpay_command("alerts", "test")
        bad = ccpay_command("alerts", "test")
    assert (good.code, bad.code) == (0, 1)
    assert "log: taken" in good.out
    assert "not taken: HTTP 404" in bad.out
    assert receiver.received[0].data["type"] == "ccpay.alert.test"


def test_sandbox_alerts_reach_others_only_when_ccpay_toml_says_so(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the flag, addresses of channels do not mean that there is a real account."""
    (tmp_path / "ccpay.toml").write_text("[alerts]\nsandbox = true\n", "utf-8")
    given = {"CCPAY_ALERT_URLS": "https://hooks.test/token"}
    assert load_settings(given, cwd=tmp_path).environment == "sandbox"
