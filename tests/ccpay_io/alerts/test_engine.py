from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from alert_timeline import START, TICK
from hypothesis import given
from hypothesis import strategies as st
from story import Story

from ccpay_io.alerts.engine import Rules
from ccpay_io.alerts.muting import Silence

HOUR = timedelta(hours=1)
ROUTE = "USDT_on_TRX"


def silence(first: int, last: int, **matchers: object) -> Silence:
    """A silence from one poll up to another, by default of everything."""
    given = {"kind": None, "chain": None, "coin_id": None, "alert_id": None, **matchers}
    return Silence(7, **given, starts_at=START + first * TICK, until=START + last * TICK)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("subjects", "expected"),
    [
        pytest.param(
            {"API": "gg bb ggg", "TRX": "gg ?? bbb"},
            ["4 opened CCPayment API", "7 resolved CCPayment API", "7 opened TRX"],
            id="11: what broke during an outage is told when the API is back for good",
        ),
        pytest.param(
            {"API": "g bb ggg", "TRX": "b ?? bgg"},
            ["3 opened CCPayment API", "6 resolved CCPayment API"],
            id="what was over by then is not told at all",
        ),
        pytest.param(
            {"TRX": "bb gggg", ROUTE: "-b bbgg"},
            ["2 opened TRX", "5 resolved TRX"],
            id="a chain in maintenance explains its routes",
        ),
        pytest.param(
            {"TRX": "bb gggg", ROUTE: "-b bbbb"},
            ["2 opened TRX", "5 resolved TRX", "5 opened USDT on TRX"],
            id="but not beyond its end",
        ),
        pytest.param(
            {"BSC": "bb gggg", ROUTE: "-b bbbb"},
            ["2 opened BSC", "3 opened USDT on TRX", "5 resolved BSC"],
            id="nor those of other chains",
        ),
        pytest.param(
            {"TRX": "bb ???? ggg", "API": "gg bbbb ggg"},
            [
                "2 opened TRX",
                "4 opened CCPayment API",
                "9 resolved TRX",
                "9 resolved CCPayment API",
            ],
            id="22: opened, then inhibited, then recovered: the end is told",
        ),
        pytest.param(
            {"API": "gg bb gbg ggg", "TRX": "gg ?? b?b bbb"},
            ["4 opened CCPayment API", "9 resolved CCPayment API", "9 opened TRX"],
            id="an API that stumbles on its way back is not back",
        ),
    ],
)
def test_what_explains_what(subjects: dict[str, str], expected: list[str]) -> None:
    """An alert that another one explains is told only when that is over and it is still so."""
    assert sorted(Story().play(**subjects)) == sorted(expected)


@pytest.mark.parametrize(
    ("matchers", "span", "script", "expected"),
    [
        pytest.param({}, (1, 9), "bbb ggg", [], id="silenced from beginning to end"),
        pytest.param(
            {}, (3, 99), "bbb ggg", ["2 opened TRX", "6 resolved TRX"],
            id="23: silenced after it opened: the end is told",
        ),
        pytest.param(
            {}, (1, 4), "bbb bb ggg", ["4 opened TRX", "8 resolved TRX"],
            id="still bad when the silence ends: told late",
        ),
        pytest.param(
            {}, (3, 5), "bb bb bb ggg", ["2 opened TRX", "5 reminder TRX", "9 resolved TRX"],
            id="still bad and already told: reminded",
        ),
        pytest.param({"chain": "TRX"}, (1, 99), "bb ggg", [], id="of this chain"),
        pytest.param(
            {"chain": "BSC"}, (1, 99), "bb ggg", ["2 opened TRX", "5 resolved TRX"],
            id="of another chain",
        ),
        pytest.param({"kind": "chain_status", "chain": "TRX"}, (1, 99), "bb ggg", [], id="both"),
        pytest.param(
            {"kind": "payout_route", "chain": "TRX"}, (1, 99), "bb ggg",
            ["2 opened TRX", "5 resolved TRX"], id="one matcher that does not match",
        ),
    ],
)  # fmt: skip
def test_silences(
    matchers: dict[str, object], span: tuple[int, int], script: str, expected: list[str]
) -> None:
    """A silence stops openings and reminders of what it matches, while it lasts, and no end."""
    story = Story(Rules(silences=(silence(*span, **matchers),)))
    assert story.play(TRX=script) == expected


def test_reminders_come_after_an_hour_then_four_then_every_day() -> None:
    """Somebody who cannot see a screen hears that it is still so, ever less often."""
    story = Story(tick=timedelta(minutes=30))
    story.play(TRX="bb")
    heard = [line.split()[0] for line in story.play(TRX="b" * 130)]
    hours = [(int(poll) - 2) / 2 for poll in heard]
    assert hours == [1, 5, 29, 53]


def test_an_unknown_status_is_no_reason_to_stop_reminding() -> None:
    """A reminder is about time, not about a new answer."""
    story = Story()
    story.play(TRX="bb")
    story.wait(HOUR)
    assert story.play(TRX="?") == ["123 reminder TRX"]


def test_acknowledged_alerts_are_not_repeated_but_resolved() -> None:
    """An acknowledgement stops reminders only."""
    story = Story()
    story.play(TRX="bb")
    story.rules = replace(story.rules, acked=frozenset(i.alert_id for i in story.state.values()))
    story.wait(HOUR)
    assert story.play(TRX="bb ggg") == ["127 resolved TRX"]


def test_an_escalation_is_told_whoever_acknowledged() -> None:
    """Scenario 25: worse is news to everybody."""
    story = Story()
    story.play(TRX="bb", severity="info")
    story.rules = replace(
        story.rules,
        acked=frozenset(i.alert_id for i in story.state.values()),
        silences=(silence(0, 99),),
    )
    assert story.play(TRX="b", severity="critical") == ["3 escalated TRX"]


def test_twelve_flips_in_an_hour_are_one_flapping_notice_and_then_the_settled_state() -> None:
    """Scenario 17: two episodes are told, the third is called unsteady, then only the end."""
    story = Story()
    told = story.play(TRX=("bbbbb ggggg" * 12))
    assert [line.split(" ", 1)[1] for line in told] == [
        "opened TRX", "resolved TRX", "opened TRX", "resolved TRX", "flapping TRX",
    ]  # fmt: skip
    assert story.play(TRX="g" * 60) == ["176 resolved TRX"]


def test_quick_changes_flap_even_if_nothing_ever_opened() -> None:
    """Six changes within 21 answers are unsteady, whatever the thresholds."""
    story = Story()
    assert story.play(TRX="g bgbgbg") == ["7 flapping TRX"]
    assert story.play(TRX="b" * 62) == ["68 opened TRX"]


def test_a_flapping_subject_that_settles_as_last_told_says_nothing_new() -> None:
    """What a channel last heard is not repeated."""
    story = Story(Rules(silences=(silence(3, 20),)))
    assert story.play(TRX="bb gbgbgbgb") == ["2 opened TRX"]
    assert story.play(TRX="b" * 70) == []


def test_unknown_answers_do_not_settle_anything() -> None:
    """Half an hour of silence is not half an hour of rest."""
    story = Story()
    story.play(TRX="g bgbgbg")
    assert story.play(TRX="?" * 100) == []


def test_an_escalation_is_told_while_flapping() -> None:
    """Damping never hides that it became worse."""
    story = Story()
    told = story.play(severity="warning", API="g bb gbgbg")
    assert told == ["3 opened CCPayment API", "8 flapping CCPayment API"]
    assert story.play(severity="critical", API="b") == ["9 escalated CCPayment API"]


@pytest.mark.parametrize(
    ("chains", "raise_after", "opened"),
    [(5, 1, False), (4, 1, True), (5, 2, False), (40, 1, False)],
)
def test_a_mass_event_is_never_believed_at_once(
    chains: int, raise_after: int, opened: bool
) -> None:
    """Scenario 12: five chains, or a tenth of all, that turn bad together are asked again."""
    story = Story(Rules(raise_after=raise_after, known_chains=40))
    bad = {f"C{i}": "b" for i in range(chains)}
    judged = story.poll(bad)
    assert bool(judged.transitions) is opened
    assert judged.confirm is not opened
    assert len(story.poll(bad).transitions) == (0 if opened else chains)


def test_incidents_keep_their_name_from_the_first_notice_to_the_last() -> None:
    """A page is closed by the key under which it was opened, also after flapping."""
    story = Story()
    story.play(TRX="bb ggg bb ggg bb ggg bb g")
    story.play(TRX="g" * 70)
    *_, third, last = (transition for _, transition in story.told)
    assert (third.word, last.word) == ("flapping", "resolved")
    assert third.incident == last.incident != last.alert.alert_id


def test_an_incident_that_settles_as_bad_is_still_the_same_incident() -> None:
    """Unsteady, then bad for good, then over: one page from the first word to the last."""
    story = Story()
    story.play(TRX="g bgbgbg b" + "b" * 62)
    story.play(TRX="ggg")
    words = [(transition.word, transition.incident) for _, transition in story.told]
    assert [word for word, _ in words] == ["flapping", "opened", "resolved"]
    assert len({incident for _, incident in words}) == 1


# What is told of one subject: whatever begins is ended, and nothing ends that has not begun.
ALLOWED = re.compile(
    r"((opened|flapping) ((reminder|escalated|flapping|opened) )*(resolved|closed|delisted) "
    r"|delisted )*((opened|flapping) ((reminder|escalated|flapping|opened) )*)?"
)
columns = st.integers(1, 60).flatmap(
    lambda length: st.fixed_dictionaries(
        {
            name: st.text(alphabet="gggbbb?ax", min_size=length, max_size=length)
            for name in ("TRX", "BSC", ROUTE)
        }
        | {"API": st.text(alphabet="ggggbb", min_size=length, max_size=length)}
    )
)
silences = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=2)


def played(subjects: dict[str, str], spans: list[tuple[int, int]], tick_s: int = 30) -> Story:
    """A story with some silences of the chain TRX."""
    rules = Rules(silences=tuple(silence(*span, chain="TRX") for span in spans))
    story = Story(rules, tick=timedelta(seconds=tick_s))
    story.play(**subjects)
    return story


@given(columns, silences, st.sampled_from([30, 600]))
def test_nothing_ends_that_was_not_told_and_nothing_told_is_forgotten(
    subjects: dict[str, str], spans: list[tuple[int, int]], tick_s: int
) -> None:
    """For every subject: openings before ends, and an end for each, or it is still open."""
    story = played(subjects, spans, tick_s)
    open_now = {alert.subject for alert in story.state.values() if alert.told}
    for name in ("TRX", "BSC", "USDT on TRX", "CCPayment API"):
        words = [t.word for _, t in story.told if t.alert.subject == name]
        assert ALLOWED.fullmatch("".join(f"{word} " for word in words)), words
        ended = not words or words[-1] in ("resolved", "closed", "delisted")
        assert ended is (name not in open_now)


@given(columns, silences)
def test_nothing_is_opened_that_something_explains(
    subjects: dict[str, str], spans: list[tuple[int, int]]
) -> None:
    """No chain opens in a poll after which the API alert is open, no route in its chain's."""
    rules = Rules(silences=tuple(silence(*span, chain="TRX") for span in spans))
    story = Story(rules)
    texts = {name.replace("_", " "): text for name, text in subjects.items()}
    for row in zip(*texts.values(), strict=True):
        judged = story.poll(dict(zip(texts, row, strict=True)))
        open_now = {alert.subject for alert in story.state.values() if alert.is_open}
        opened = {t.alert.subject for t in judged.transitions if t.word == "opened"}
        if "CCPayment API" in open_now:
            assert opened <= {"CCPayment API"}
        if "TRX" in open_now:
            assert "USDT on TRX" not in opened


@given(columns, silences)
def test_the_same_story_is_told_the_same_way(
    subjects: dict[str, str], spans: list[tuple[int, int]]
) -> None:
    """Nothing but state, observations, clock and rules decides."""
    once, again = played(subjects, spans), played(subjects, spans)
    assert once.told == again.told
    assert once.state == again.state


@given(columns)
def test_unknown_answers_move_no_subject(subjects: dict[str, str]) -> None:
    """A poll that says nothing leaves every phase and every count as it was."""
    story = played(subjects, [])
    before = {key: (a.phase, a.streak, a.changes) for key, a in story.state.items()}
    story.poll(dict.fromkeys(("TRX", "BSC", "USDT on TRX", "API"), "?"))
    assert {key: (a.phase, a.streak, a.changes) for key, a in story.state.items()} == before
