"""What goes to a channel, and what comes back."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Message:
    """A notice on its way out: what the outbox holds.

    Attributes:
        transition: "opened", "resolved" and so on, "test" for a trial.
        incident: what a paging service knows the trouble by.
        payload: the JSON that a webhook gets.
        is_untold: it tells the end of something whose beginning this channel never heard.
    """

    notice_id: str
    severity: str
    title: str
    body: str
    payload: str
    transition: str = "opened"
    incident: str = ""
    is_untold: bool = False


@dataclass(frozen=True)
class Sent:
    """What became of one attempt.

    Attributes:
        ok: the channel took it.
        permanent: it never will: trying again is pointless.
        status_code: HTTP status of a webhook.
        retry_after_s: what the receiver asked to wait.
        provider_id: what the receiver calls it, if it says so.
        error: one line, without secrets.
    """

    ok: bool
    permanent: bool = False
    status_code: int | None = None
    retry_after_s: float | None = None
    provider_id: str | None = None
    error: str | None = None
