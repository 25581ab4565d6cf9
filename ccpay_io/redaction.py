"""Keeps secrets out of everything that is written: text, raw files, log records.

Owns the replacement of known secret values by asterisks. The values come from the settings; nothing
here reads the environment. Called by the collector, the alert channels and the command's logging.
"""

from __future__ import annotations

import base64
import json
import logging
import re
from collections.abc import Iterable
from urllib.parse import quote, unquote, urlsplit

from ccpay_io.settings import Secret, Settings

MASK = "********"
# A shorter value would be found inside ordinary words and numbers.
_SHORTEST = 6
_HOST = re.compile(r"(localhost|[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+)(:[0-9]+)?")


class Redactor:
    """Replaces secrets in text.

    Args:
        secrets: values that must never be shown. Their URL-quoted and base64 forms, and the parts
            of a URL that carry its token, are hidden too.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = {form for secret in secrets for form in _forms(secret)}
        # Longest first, so that a URL is hidden whole before its parts are.
        self._forms = sorted((f for f in forms if len(f) >= _SHORTEST), key=len, reverse=True)

    def __repr__(self) -> str:
        return f"Redactor({len(self._forms)} forms)"

    @classmethod
    def of(cls, settings: Settings) -> Redactor:
        """A redactor of every secret in the settings."""
        secrets = [
            settings.credentials.app_id,
            settings.credentials.app_secret,
            *settings.alert_urls,
            settings.webhook_secret,
            settings.heartbeat_url,
        ]
        return cls(secret.reveal() for secret in secrets if isinstance(secret, Secret))

    def text(self, text: str) -> str:
        """The text without any known secret."""
        for form in self._forms:
            text = text.replace(form, MASK)
        return text


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


def _forms(secret: str) -> set[str]:
    forms = {secret, quote(secret, safe=""), base64.b64encode(secret.encode()).decode()}
    # As it looks inside JSON and inside a repr, where they differ from the value itself.
    forms |= {json.dumps(secret)[1:-1], repr(secret)[1:-1]}
    return forms | (_url_forms(secret) if "://" in secret else set())


def _url_forms(url: str) -> set[str]:
    """The parts of a URL that may be its token, but not its host or short words of its path."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return set()
    tokens = [parts.path.strip("/"), parts.query, *parts.path.split("/")]
    forms = {token for token in tokens if len(token) >= 2 * _SHORTEST}
    if parts.password:
        forms |= {parts.password, unquote(parts.password)}
    # Notification services keep tokens where other URLs have their host: tgram://TOKEN/CHAT.
    return forms if _HOST.fullmatch(parts.netloc) else forms | {parts.netloc}
