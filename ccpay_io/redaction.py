"""Keeps secrets out of everything that is written: text, raw files, log records.

Owns the replacement of known secret values by asterisks. The values come from the settings; nothing
here reads the environment. Called by the collector, the alert channels and the command's logging.
"""

from __future__ import annotations

import base64
import logging
from collections.abc import Iterable
from urllib.parse import quote, urlsplit

from ccpay_io.settings import Secret, Settings

MASK = "********"
# A shorter value would be found inside ordinary words and numbers.
_SHORTEST = 6


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
    """Redacts every record that passes: message, arguments and traceback."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor
        self._format = logging.Formatter()

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrites the record in place; always lets it pass."""
        record.msg, record.args = self._redactor.text(record.getMessage()), None
        if record.exc_info:
            record.exc_text = self._redactor.text(self._format.formatException(record.exc_info))
            record.exc_info = None
        return True


def _forms(secret: str) -> set[str]:
    forms = {secret, quote(secret, safe=""), base64.b64encode(secret.encode()).decode()}
    parts = urlsplit(secret) if "://" in secret else None
    if parts:
        forms |= {parts.netloc, parts.path.strip("/"), parts.query}
        forms |= {part for part in parts.path.split("/") if len(part) >= 2 * _SHORTEST}
        forms.discard(parts.hostname or "")
    return forms
