"""Who wants to know how a poll goes while it runs: the command's progress bar, or nobody.

Owns the protocol of the resource `listener`. The default one is silent; `ccpay poll` puts its own
in its place through `build_defs(resource_overrides=...)`.
"""

from typing import Protocol

from ccpay_io.errors import CcpayError
from ccpay_io.feeds.result import PollResult


class Listener(Protocol):
    """Told about each poll of this process."""

    def progress(self, feed: str, done: int, total: int) -> None:
        """`done` of `total` entities were asked."""

    def finished(self, result: PollResult) -> None:
        """A poll ended and is in the ledger, whatever its outcome."""

    def broke(self, feed: str, error: CcpayError) -> None:
        """A poll could not be made or stored at all."""


class SilentListener:
    """Tells nobody."""

    def progress(self, feed: str, done: int, total: int) -> None:
        """Nothing."""

    def finished(self, result: PollResult) -> None:
        """Nothing."""

    def broke(self, feed: str, error: CcpayError) -> None:
        """Nothing."""
