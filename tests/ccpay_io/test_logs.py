"""The log for machines."""

import io
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from ccpay_io.errors import NotJson
from ccpay_io.feeds.result import PollResult
from ccpay_io.logs import log_as_json, log_poll
from ccpay_io.redaction import MASK, Redactor

CANARY = 'canary "6a1f" of a secret'
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What this project's loggers write, as a service has it."""
    ours = logging.getLogger("ccpay")
    before = (ours.handlers[:], ours.level, ours.propagate)
    stream = io.StringIO()
    log_as_json(Redactor([CANARY]), stream)
    yield stream
    ours.handlers[:], ours.level, ours.propagate = before


def lines(written: io.StringIO) -> list[dict[str, object]]:
    """Each line as the object that it is."""
    return [json.loads(line) for line in written.getvalue().splitlines()]


def test_each_poll_is_one_line_that_says_what_the_ledger_says(written: io.StringIO) -> None:
    """Feed, outcome and counts are fields; an answered poll is information, others are warnings."""
    log_poll(PollResult(7, "fees", "ok", NOON, NOON, requests=92, rows=90, changed=3, refused=1))
    error = NotJson("getChainList", "an HTML page")
    log_poll(PollResult(8, "chains", "failed", NOON, NOON, requests=3, error=error))

    first, second = lines(written)
    assert (first["event"], first["logger"], first["level"]) == ("poll", "ccpay.poll", "info")
    assert (first["feed"], first["poll_id"], first["answered"], first["requests"]) == (
        "fees", 7, 90, 92,
    )  # fmt: skip
    assert first["observed_at"] == "2026-11-23T12:00:00+00:00"
    assert str(first["timestamp"]).endswith("Z")
    assert (second["outcome"], second["level"]) == ("failed", "warning")
    assert (second["error"], second["reason"]) == ("NotJson", str(error))


def test_no_secret_is_in_a_line_wherever_it_stood(written: io.StringIO) -> None:
    """Message, fields and traceback are redacted, whatever JSON makes of quotes and line ends."""
    log = logging.getLogger("ccpay.alerts")
    try:
        int(CANARY)
    except ValueError:
        log.exception("about %s\nand more", CANARY, extra={"address": CANARY})

    (line,) = lines(written)
    text = json.dumps(line)
    assert "canary" not in text
    assert text.count(MASK) == 3
    assert line["level"] == "error"


@pytest.mark.parametrize("name", ["ccpay.poll", "ccpay.alerts", "ccpay.export"])
def test_it_is_written_nowhere_else(
    written: io.StringIO, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """Records do not go up to handlers of Dagster's that know nothing of our secrets."""
    logging.getLogger(name).warning("once")
    assert [line["event"] for line in lines(written)] == ["once"]
    assert capsys.readouterr() == ("", "")
