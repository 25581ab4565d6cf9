"""The log: one line per notice in alerts.log, which `ccpay up` follows."""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path

from ccpay_io.alerts.channels.message import Message, Sent

LOG = "log"
log = logging.getLogger("ccpay.alerts")


def send_to_log(folder: Path, message: Message) -> Sent:
    """Appends the notice to the file, durably, and hands it to the logging system."""
    title = " ".join(message.title.split())
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    parts = [f"{moment} {message.severity.upper()} {title}", *message.body.splitlines()]
    try:
        # The folder of a machine that only writes to a lake may not be there yet.
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "alerts.log").open("a", encoding="utf-8") as file:
            file.write(" | ".join(parts) + "\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return Sent(False, error=f"cannot write alerts.log: {error.strerror}")
    log.warning("%s (%s)", title, message.notice_id)
    return Sent(True)
