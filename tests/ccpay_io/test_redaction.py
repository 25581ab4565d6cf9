"""Redaction: known secrets never leave, in whatever form, and nothing else is touched."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccpay_io.redaction import MASK, RedactingFilter, Redactor
from ccpay_io.settings import load_settings

SECRET = "cAnArY/seCret+value=="
SLACK = "slack://TokenAAAAAAAA/TokenBBBBBBBB/TokenCCCCCCCCCCCC"


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        quote(SECRET, safe=""),
        base64.b64encode(SECRET.encode()).decode(),
    ],
)
def test_every_form_of_a_secret_is_hidden(form: str) -> None:
    """A secret is hidden as it is, URL-quoted and in base64."""
    assert Redactor([SECRET]).text(f"a {form} b {form}") == f"a {MASK} b {MASK}"


def test_a_secret_inside_json_is_hidden() -> None:
    """A secret with quotes or letters beyond ASCII is found in JSON and in a repr too."""
    secret = 'pa"ss\\wörd\n'
    for text in (json.dumps({"a": secret}), repr({"a": secret})):
        assert secret[:3] not in Redactor([secret]).text(text)


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("https://hooks.example/services/T0000000000AA", "POST /services/T0000000000AA failed"),
        ("https://hooks.example/h?token=abcdefgh123", "query token=abcdefgh123 refused"),
        ("tgram://123456789:abcdefghijk/42", "bot 123456789:abcdefghijk is unknown"),
        ("mailto://user:hunter22@mail.example", "login with hunter22 failed"),
        ("pagerduty://a-routing-key@an-api-key-1", "{'routing_key': 'a-routing-key'}"),
        ("pagerduty://a-routing-key@an-api-key-1", "Token token=an-api-key-1"),
        ("opsgenie://Key-AAAAAAAAA/team?entity=Entity-BBBBBB", "GenieKey Key-AAAAAAAAA"),
        ("json://host.example/x?-key=Token-CCCCCC", "{'key': 'Token-CCCCCC'}"),
        ("json://user:p%40ssword@host.example/x", "wrong password p@ssword"),
        (SLACK, "TokenCCCCCCCCCCCC is revoked"),
    ],
)
def test_the_tokens_of_a_url_are_hidden_alone_too(url: str, text: str) -> None:
    """What makes a notification URL secret is hidden also where it stands without the URL."""
    redactor = Redactor([url])
    assert MASK in redactor.text(text)
    assert redactor.text(f"to {url}!") == f"to {MASK}!"


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("https://hooks.example:8443/alerts", "POST hooks.example:8443: 3 alerts"),
        ("http://127.0.0.1:9000/notify", "127.0.0.1:9000 notify"),
        ("http://[bad", "bad"),
    ],
)
def test_hosts_and_plain_words_stay_readable(url: str, text: str) -> None:
    """The host of a URL and the short words of its path are no secrets."""
    assert Redactor([url]).text(text) == text


@pytest.mark.parametrize("secret", ["", "a", "1280", "abcde"])
def test_a_short_secret_does_not_destroy_the_text(secret: str) -> None:
    """A value that would be found inside ordinary words and numbers is left alone."""
    text = f"coin 1280 costs abcde {secret} x"
    assert Redactor([secret]).text(text) == text


@given(st.text(min_size=6, max_size=20), st.text(max_size=20), st.text(max_size=20))
def test_no_secret_survives(secret: str, before: str, after: str) -> None:
    """Whatever stands around it, the secret is not in the result."""
    hidden = Redactor([secret]).text(before + secret + after)
    assert secret not in hidden or secret in MASK * 3


def test_secrets_of_the_settings(tmp_path: Path) -> None:
    """Every secret of the settings is known to their redactor."""
    settings = load_settings(
        {
            "CCPAY_APP_ID": "app-id-canary",
            "CCPAY_APP_SECRET": "app-secret-canary",
            "CCPAY_ALERT_URLS": SLACK,
            "CCPAY_WEBHOOK_SECRET": "webhook-canary",
        },
        cwd=tmp_path,
    )
    text = f"app-id-canary app-secret-canary {SLACK} webhook-canary"
    assert Redactor.of(settings).text(text) == " ".join([MASK] * 4)


ADDRESS = "0xAbCdEf0123456789AbCdEf0123456789aBcDeF01"


@pytest.mark.parametrize(
    "text",
    [
        ADDRESS,
        f"{ADDRESS.lower()} is not valid",
        json.dumps({"request": json.dumps({"address": ADDRESS})}),
        "Cwallet user 35255142.",
        '{"cwalletUserId":35255142}',
    ],
)
def test_payees_are_hidden_in_any_case(text: str) -> None:
    """An API may echo an address in small letters, or an id as a number."""
    hidden = Redactor([], [ADDRESS, "35255142"]).text(text).lower()
    assert MASK in hidden
    assert ADDRESS.lower() not in hidden
    assert "35255142" not in hidden


@pytest.mark.parametrize("text", ["1.35255142", "1795435255142011", "35255142.5", "352551420"])
def test_a_number_that_contains_an_id_stays(text: str) -> None:
    """Amounts and poll ids are not payees, whatever digits they have."""
    assert Redactor([], ["35255142"]).text(text) == text


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("getCwalletUserId: 14001 (no user 200)", f"getCwalletUserId: 14001 (no user {MASK})"),
        ('{"cwalletUserId":"200"}', f'{{"cwalletUserId":"{MASK}"}}'),
        ('{"cwalletUserId":200}', f'{{"cwalletUserId":{MASK}}}'),
        (r"{\"cwalletUserId\":200}", rf"{{\"cwalletUserId\":{MASK}}}"),
        (r"{\"cwalletUserId\":\"200\"}", rf"{{\"cwalletUserId\":\"{MASK}\"}}"),
        ('cwallet "http_status": 200, "fee": "1.200"', None),
        ("cwallet 2026-11-23T13:20:00.200+00:00", None),
        ('{"endpoint": "getCoinUSDTPrice"} "200" 200', None),
    ],
)
def test_a_short_id_is_hidden_where_it_is_meant(text: str, hidden: str | None) -> None:
    """The same digits are left alone in statuses, times, amounts, and lines about other things."""
    assert Redactor([], ["200"]).text(text) == (text if hidden is None else hidden)


def test_the_redactor_shows_no_secret() -> None:
    """The redactor's repr has none of what it hides."""
    assert SECRET not in repr(Redactor([SECRET]))


@pytest.fixture
def logged() -> Iterator[tuple[logging.Logger, list[str]]]:
    """A logger whose handler redacts, and what the handler has written."""
    lines: list[str] = []

    class Lines(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    handler = Lines()
    handler.addFilter(RedactingFilter(Redactor([SECRET])))
    logger = logging.getLogger("redaction-test")
    logger.addHandler(handler)
    yield logger, lines
    logger.removeHandler(handler)


def test_messages_and_arguments_are_redacted(logged: tuple[logging.Logger, list[str]]) -> None:
    """A secret in the message or in an argument is hidden, whatever the argument's type."""
    logger, lines = logged
    logger.warning("in the message %s: %s and %r", SECRET, {"a": SECRET}, ValueError(SECRET))
    assert SECRET not in lines[0]
    assert lines[0].count(MASK) == 3


def test_tracebacks_and_stacks_are_redacted(logged: tuple[logging.Logger, list[str]]) -> None:
    """A secret in an exception's text is hidden; the traceback stays."""
    logger, lines = logged
    try:
        int(f"with {SECRET}")
    except ValueError:
        logger.exception("failed", stack_info=True)
    assert SECRET not in lines[0]
    assert f"'with {MASK}'" in lines[0]
    assert "Stack (most recent call last)" in lines[0]


@pytest.mark.parametrize("arguments", [("x",), ("x", "y"), ()])
def test_a_wrong_log_call_does_not_stop_the_program(
    logged: tuple[logging.Logger, list[str]], arguments: tuple[str, ...]
) -> None:
    """A message whose arguments do not fit is written as well as possible, redacted."""
    logger, lines = logged
    logger.warning(f"{SECRET} %d %d", *arguments)  # noqa: G004
    assert len(lines) == 1
    assert SECRET not in lines[0]
