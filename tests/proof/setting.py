"""What a hostile warehouse has in ccpay.toml, for the store and for the recomputation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from ccpay_io.config import BoardSettings, WatchSettings
from ccpay_io.settings import Settings, load_settings


@dataclass(frozen=True)
class Setting:
    """The settings that views ask for."""

    timezone: str
    chains: tuple[str, ...] = ()
    coins: tuple[str, ...] = ()
    default_routes: Mapping[str, str] = field(default_factory=dict)

    @property
    def rows(self) -> list[tuple[str, str, str | None]]:
        """(kind, name, value) of what is watched."""
        return [
            *(("chain", chain, None) for chain in self.chains),
            *(("coin", coin, None) for coin in self.coins),
            *(("default_route", coin, chain) for coin, chain in self.default_routes.items()),
        ]

    def settings(self, folder: Path) -> Settings:
        """As they are read from ccpay.toml."""
        watch = WatchSettings(
            chains=self.chains, coins=self.coins, default_routes=dict(self.default_routes)
        )
        board = BoardSettings(timezone=self.timezone)
        return replace(load_settings({}, cwd=folder), watch=watch, board=board)
