"""The benchmark itself, small: both sides hold the same history and say the same."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

import pytest

from bench.__main__ import measure
from bench.history import Market
from bench.questions import QUESTIONS
from bench.report import question_lines, size_lines, write_lines

END = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory):
    """One short run: 60 pairs, 30 polls."""
    return measure(tmp_path_factory.mktemp("bench"), pairs=60, change_rate=0.3, polls=30)


def test_both_sides_give_the_same_answer_to_every_question(run):
    """A run ends only if each of the eight questions has one answer, and it is not empty."""
    _, answered = run

    assert [item.question for item in answered] == list(QUESTIONS)
    assert all(item.rows > 0 for item in answered)


def test_every_answer_is_counted_once(run):
    """Observations are the rows that were answered, whichever way they were written."""
    written, _ = run

    fiat_polls = 10
    *_, price_poll, _ = next(Market(60, 0.3, END).polls(1))
    prices = price_poll.answered
    assert written.after.observations == 30 * (60 + prices) + fiat_polls * 10


def test_the_report_names_every_question(run):
    """What is measured is printed, with a ratio."""
    written, answered = run

    text = "\n".join([*size_lines(written), *write_lines(written), *question_lines(answered)])

    assert all(question.name in text for question in QUESTIONS)
    assert "geometric mean" in text


@pytest.mark.parametrize("rate", [0.05, 0.3, 1.0])
def test_the_market_changes_as_much_as_it_was_told(rate: float):
    """Exactly the given share of the fees differs from one poll to the next."""
    polls = [groups[-1] for groups in Market(100, rate, END).polls(5)]
    fees = [poll.answers["withdraw_fee"].frame["fee_amount"].to_list() for poll in polls]

    for before, after in pairwise(fees):
        assert sum(a != b for a, b in zip(before, after, strict=True)) == round(100 * rate)


def test_the_same_seed_gives_the_same_history():
    """Two runs measure the same data."""
    first, second = (list(Market(50, 0.3, END).polls(4)) for _ in range(2))

    for left, right in zip(first, second, strict=True):
        for a, b in zip(left, right, strict=True):
            assert a.poll_id == b.poll_id
            assert all(a.answers[name].frame.equals(b.answers[name].frame) for name in a.answers)
