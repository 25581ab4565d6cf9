"""Logs for machines: one JSON object a line, and a line for each poll.

Owns the format, and that no secret is in it whoever wrote the record. Whether a process writes
this way is its starter's to say: people at a terminal get plain words (pipelines/command/main.py).
Called by pipelines/definitions.py, polling.py and sensors.py.
"""

from __future__ import annotations

import logging
from typing import IO

import structlog

from ccpay_io.feeds.result import PollResult
from ccpay_io.redaction import Redactor

log = logging.getLogger("ccpay.poll")


class JsonLines(structlog.stdlib.ProcessorFormatter):
    """A record, with its extra fields and traceback, as one line of JSON.

    Args:
        redactor: of all that must not be in it; it sees the finished line.
    """

    def __init__(self, redactor: Redactor) -> None:
        super().__init__(
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(default=str, ensure_ascii=False),
            ],
            foreign_pre_chain=[
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
                structlog.stdlib.ExtraAdder(),
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                structlog.processors.format_exc_info,
            ],
        )
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        return self._redactor.text(super().format(record))


def log_as_json(redactor: Redactor, stream: IO[str]) -> None:
    """From now on what this project logs in this process goes there as JSON, and nowhere else."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines(redactor))
    ours = logging.getLogger("ccpay")
    ours.handlers[:] = [handler]
    ours.setLevel(logging.INFO)
    ours.propagate = False


def log_poll(result: PollResult) -> None:
    """One line about a poll: what the ledger has, for whoever collects logs instead."""
    told = {
        "feed": result.feed,
        "poll_id": result.poll_id,
        "outcome": result.outcome,
        "requests": result.requests,
        "answered": result.rows,
        "changed": result.changed,
        "refused": result.refused,
        "unknown": result.unknown,
        "observed_at": result.observed_at.isoformat(),
        "reused": result.reused,
    }
    if result.error:
        told |= {"error": type(result.error).__name__, "reason": str(result.error)}
    log.log(logging.INFO if result.outcome == "ok" else logging.WARNING, "poll", extra=told)
