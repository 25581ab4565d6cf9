"""`is_loopback(host)`: is this an address of this very machine?

Used where clear text or a direct connection is fine only then: variables.py, transport.py and the
webhook in alerts/channels.py.
"""

from __future__ import annotations

from ipaddress import ip_address


def is_loopback(host: str) -> bool:
    """Whether requests to a host never leave this machine; a name that is not localhost may."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
