"""Keeps secrets and payees out of everything that is written: text, raw files, log records.

Owns the replacement of known values by asterisks. The values come from the settings; nothing here
reads the environment. Called by the collector, the alert channels and the command's logging.
"""

from __future__ import annotations

import base64
import json
import logging
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from ccpay_io.settings import Settings

MASK = "********"
# A shorter value would be found inside ordinary words and numbers.
_SHORTEST = 6
# The only lines in which a payee's short id is meant by the same digits.
_ABOUT_PAYEES = re.compile("cwallet|checkWithdrawalAddressValidity", re.IGNORECASE)
_HOST = re.compile(r"(localhost|[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+)(:[0-9]+)?")


class Redactor:
    """Replaces secrets and payees in text.

    Args:
        secrets: values that must never be shown. Their URL-quoted and base64 forms, and the parts
            of a URL that carry its token, are hidden too.
        payees: addresses and Cwallet ids; hidden in any case of their letters. A short one is
            hidden only in lines about payees, and where it is no part of a longer number.
    """

    def __init__(self, secrets: Iterable[str], payees: Iterable[str] = ()) -> None:
        forms = {form for secret in secrets for form in _forms(secret)}
        # Longest first, so that a URL is hidden whole before its parts are.
        self._forms = sorted((f for f in forms if len(f) >= _SHORTEST), key=len, reverse=True)
        named = sorted({form for payee in payees for form in _written(payee)}, key=len)
        self._payees = [(f.lower(), _payee(f)) for f in reversed(named) if len(f) >= _SHORTEST]
        self._short = [_short_payee(form) for form in reversed(named) if len(form) < _SHORTEST]

    def __repr__(self) -> str:
        return f"Redactor({len(self._forms)} forms, {len(self._payees + self._short)} payees)"

    @classmethod
    def of(cls, settings: Settings) -> Redactor:
        """A redactor of every secret in the settings, and of payees that are not kept as text."""
        secrets = [
            settings.credentials.app_id,
            settings.credentials.app_secret,
            settings.credentials.rsa_key,
            *settings.alert_urls,
            settings.webhook_secret,
            settings.heartbeat_url,
            *(settings.lake.secrets() if settings.lake else ()),
        ]
        watch = settings.watch
        payees = [entry.address for entry in watch.addresses]
        payees += [entry.cwallet_user_id for entry in watch.cwallet_ids]
        payees = [] if watch.addresses_as_text else payees
        return cls((secret.reveal() for secret in secrets if secret), payees)

    def text(self, text: str) -> str:
        """The text without any known secret or payee."""
        for form in self._forms:
            text = text.replace(form, MASK)
        # Looked for first: a pattern is slow on the megabytes of a raw file that has no payee.
        lowered = text.lower() if self._payees else ""
        for form, pattern in self._payees:
            if form in lowered:
                text = pattern.sub(MASK, text)
        if self._short and _ABOUT_PAYEES.search(text):
            text = "\n".join(map(self._without_short, text.split("\n")))
        return text

    def _without_short(self, line: str) -> str:
        if _ABOUT_PAYEES.search(line):
            for pattern in self._short:
                line = pattern.sub(MASK, line)
        return line


class RedactingFilter(logging.Filter):
    """Redacts every record that passes: message, arguments, traceback and stack.

    It belongs on handlers: a filter on a logger does not see the records of its children.
    """

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor
        self._format = logging.Formatter()

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrites the record in place; always lets it pass."""
        try:
            message = record.getMessage()
        except (TypeError, ValueError, KeyError):
            # Somebody's format and arguments do not fit; that must not stop the program.
            message = f"{record.msg} {record.args}"
        record.msg, record.args = self._redactor.text(message), None
        if record.exc_info:
            record.exc_text = self._format.formatException(record.exc_info)
            record.exc_info = None
        for name in ("exc_text", "stack_info"):
            if text := getattr(record, name):
                setattr(record, name, self._redactor.text(text))
        return True


@contextmanager
def redacted_logs(settings: Settings, *names: str) -> Iterator[None]:
    """While it lasts, what these loggers write about addresses has no secret in it.

    Args:
        settings: what is secret.
        names: of loggers that write themselves, not only through their children.
    """
    shield = RedactingFilter(Redactor.of(settings))
    loggers = [logging.getLogger(name) for name in names]
    for logger in loggers:
        logger.addFilter(shield)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(shield)


def _forms(secret: str) -> set[str]:
    forms = {quote(secret, safe=""), base64.b64encode(secret.encode()).decode()}
    return forms | _written(secret) | (_url_forms(secret) if "://" in secret else set())


def _written(value: str) -> set[str]:
    """As it looks inside JSON, in JSON within JSON and in a repr, where they differ from itself."""
    inside = json.dumps(value)[1:-1]
    return {value, inside, json.dumps(inside)[1:-1], repr(value)[1:-1]}


def _payee(form: str) -> re.Pattern[str]:
    """Finds a payee; one that is a number, not within another number."""
    whole = re.escape(form)
    if form.isdecimal():
        whole = rf"(?<![0-9])(?<![0-9]\.){whole}(?![0-9])(?!\.[0-9])"
    return re.compile(whole, re.IGNORECASE)


def _short_payee(form: str) -> re.Pattern[str]:
    """Finds a short id where it stands alone: in no word, time or amount, and as no JSON number.

    A code or status is a number in JSON, an id is text; only the field of the id may be either.
    """
    alone = r"(?<![0-9A-Za-z_+])(?<![0-9][:.-])(?<!\":)(?<!\": )"
    field = r"(?<=[uU]serId\":)|(?<=[uU]serId\\\":)|(?<=[uU]serId\": )"
    end = r"(?![0-9A-Za-z_])(?![:.-][0-9])"
    return re.compile(f"({alone}|{field}){re.escape(form)}{end}", re.IGNORECASE)


def _url_forms(url: str) -> set[str]:
    """The parts of a URL that may be its token, but not its host or short words of its path."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return set()
    user, _, host = parts.netloc.rpartition("@")
    tokens = [parts.path.strip("/"), parts.query, *parts.path.split("/"), *user.split(":")]
    tokens += [value for _, value in parse_qsl(parts.query)]
    # Some keep two tokens around an @: pagerduty://ROUTING-KEY@API-KEY.
    tokens += [] if _HOST.fullmatch(host) else [host]
    forms = {token for token in tokens if len(token) >= 2 * _SHORTEST}
    if parts.password:
        forms |= {parts.password, unquote(parts.password)}
    # Notification services keep tokens where other URLs have their host: tgram://TOKEN/CHAT.
    return forms if _HOST.fullmatch(parts.netloc) else forms | {parts.netloc}
