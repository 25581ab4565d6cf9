"""The real chains, coins, networks and fiats that the sandbox serves, from its CSV files.

Owns reading them, once per process. Called by world.py.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any


@dataclass(frozen=True)
class Network:
    """One chain of a coin, with what a withdrawal typically costs there."""

    coin_id: int
    chain: str
    contract: str
    precision: int
    min_withdraw: str
    max_withdraw: str
    typical_fee: str
    fee_coin_id: int
    fee_coin: str


@dataclass(frozen=True)
class Universe:
    """Everything that exists in the sandbox; rows as in the CSV files."""

    chains: tuple[dict[str, str], ...]
    coins: tuple[dict[str, str], ...]
    fiats: tuple[dict[str, str], ...]
    networks: tuple[Network, ...]


@cache
def load_universe() -> Universe:
    """Reads the CSV files of the package."""
    coins = _rows("coins.csv")
    ids = {row["symbol"]: int(row["coin_id"]) for row in coins}
    networks = tuple(
        Network(
            ids[row["symbol"]],
            row["chain"],
            row["contract"],
            int(row["precision"]),
            row["min_withdraw"],
            row["max_withdraw"],
            row["typical_fee"],
            ids[row["fee_symbol"]],
            row["fee_symbol"],
        )
        for row in _rows("networks.csv")
    )
    return Universe(_rows("chains.csv"), coins, _rows("fiats.csv"), networks)


def _rows(name: str) -> tuple[dict[str, Any], ...]:
    text = files("ccpay_io.sandbox").joinpath("universe", name).read_text("utf-8")
    return tuple(csv.DictReader(text.splitlines()))
