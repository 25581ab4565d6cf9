"""Whether an address could be one on a chain: enough for a sandbox, not for a payout."""

from __future__ import annotations

import re

_EVM = re.compile(r"0x[0-9a-fA-F]{40}")
_FORMS = {
    "TRX": re.compile(r"T[1-9A-HJ-NP-Za-km-z]{33}"),
    "BTC": re.compile(r"(bc1[0-9a-z]{25,62}|[13][1-9A-HJ-NP-Za-km-z]{25,34})"),
    "SOL": re.compile(r"[1-9A-HJ-NP-Za-km-z]{32,44}"),
    "TON": re.compile(r"(EQ|UQ)[0-9A-Za-z_-]{46}"),
}
_ANY = re.compile(r"[0-9A-Za-z:_.-]{20,120}")


def is_plausible(chain: str, address: str, *, evm: bool) -> bool:
    """Whether the address has the form of the chain's addresses."""
    return bool((_EVM if evm else _FORMS.get(chain, _ANY)).fullmatch(address))
