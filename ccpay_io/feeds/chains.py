"""The feed `chains`: one status per chain, from getChainList.

Owns which raw status means what. Called by the collector.
"""

from __future__ import annotations

from ccpay_io.feeds.asked import Asked, drift_gaps, folded, undocumented
from ccpay_io.feeds.poll import Answers
from ccpay_io.feeds.source import Source
from ccpay_io.models import Chain, Drift
from ccpay_io.store.datasets import DATASETS

# The reference says Maintenance, the vendor's SDK notes say Maintain: both are the same to us.
_STATES = {"normal": "normal", "maintenance": "maintenance", "maintain": "maintenance"}


def chain_state(raw: str) -> str:
    """`normal`, `maintenance`, or `unknown` for a word that nobody has documented."""
    return _STATES.get(folded(raw), "unknown")


async def ask_chains(source: Source) -> Asked:
    """Asks for all chains, without the API's filter: its name differs between pages.

    Raises:
        ApiError: there is no answer.
    """
    answer = await source.get_chain_list()
    gaps = drift_gaps(answer.drift, 1)
    known = {key for keys in gaps.values() for key in keys}
    frame = DATASETS["chain"].frame([_row(c) for c in answer.items if (c.chain,) not in known])
    return Asked(
        {"chain": Answers(frame, gaps, complete=not answer.nameless)},
        listed=len(frame) + len(known) + answer.nameless,
        drift=answer.drift + _unrecognised(answer.items),
    )


def _row(chain: Chain) -> dict[str, object]:
    return {
        "chain": chain.chain,
        "state": chain_state(chain.status),
        "status_raw": chain.status,
        "is_evm": chain.is_evm,
        "needs_memo": chain.support_memo,
        "confirmations": chain.confirmations,
        "chain_full_name": chain.chain_full_name,
        "explorer_url": chain.explorer,
        "tx_url_template": chain.base_url,
        "logo_url": chain.logo_url,
    }


def _unrecognised(chains: tuple[Chain, ...]) -> tuple[Drift, ...]:
    return undocumented(
        "getChainList",
        "data.chains[].status",
        (
            (each.status, (each.chain,), f"chain {each.chain}")
            for each in chains
            if chain_state(each.status) == "unknown"
        ),
    )
