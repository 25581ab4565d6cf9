"""The settings: environment, .env and ccpay.toml, read and checked in this one place.

Owns every CCPAY_ variable, the sections of ccpay.toml (config.py has their shapes), and the answer
to "which warehouse?". Secrets are wrapped so that they cannot be printed. Called once per process,
by the command, the Dagster resources and `ccpay_io.read`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from dotenv import dotenv_values

from ccpay_io.config import (
    AlertSettings,
    BoardSettings,
    FeedSettings,
    RetentionSettings,
    WatchedAddress,
    WatchedCwallet,
    WatchSettings,
    read_config,
)
from ccpay_io.errors import ConfigError

__all__ = [
    "AlertSettings",
    "BoardSettings",
    "Credentials",
    "FeedSettings",
    "RetentionSettings",
    "Secret",
    "Settings",
    "WatchSettings",
    "WatchedAddress",
    "WatchedCwallet",
    "load_settings",
]

LIVE_URL = "https://ccpayment.com/ccpayment/v2"
DEFAULT_WAREHOUSE = "warehouse/data"
# All feeds at their default cadences need about 525,000 requests a day for 1,800 pairs.
DEFAULT_BUDGET = 700_000
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Secret:
    """A value that must not be shown: repr, str and formatting give asterisks."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself; call it only where it is used."""
        return self._value

    def __repr__(self) -> str:
        return "********"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)


@dataclass(frozen=True)
class Credentials:
    """What signs requests."""

    app_id: Secret
    app_secret: Secret


@dataclass(frozen=True)
class Settings:
    """Everything that can be set.

    Attributes:
        environment: "live", or "sandbox" when nothing was set.
        base_url: of the API; empty in sandbox, where it is found at run time.
        warehouse: folder of this environment's warehouse, absolute.
        dagster_home: Dagster's own folder, absolute.
        max_rps: ceiling and start of the pace; None: start 10/s, ceiling 50/s.
        daily_budget: requests per UTC day.
    """

    environment: Literal["live", "sandbox"]
    base_url: str
    credentials: Credentials
    warehouse: Path
    dagster_home: Path
    alert_urls: tuple[Secret, ...] = ()
    webhook_secret: Secret | None = None
    heartbeat_url: Secret | None = None
    max_rps: float | None = None
    max_connections: int = 8
    daily_budget: int = DEFAULT_BUDGET
    feeds: FeedSettings = field(default_factory=FeedSettings)
    watch: WatchSettings = field(default_factory=WatchSettings)
    alerts: AlertSettings = field(default_factory=AlertSettings)
    retention: RetentionSettings = field(default_factory=RetentionSettings)
    board: BoardSettings = field(default_factory=BoardSettings)

    @property
    def stamp(self) -> str:
        """What the warehouse is stamped with: "sandbox", or "live" and the API's host."""
        if self.environment == "sandbox":
            return "sandbox"
        return f"live {urlsplit(self.base_url).netloc}"


def load_settings(
    environ: Mapping[str, str] | None = None, *, cwd: Path | None = None
) -> Settings:
    """Reads the settings; the real environment wins over .env.

    Args:
        environ: instead of this process's environment.
        cwd: instead of the working directory, for .env, ccpay.toml and relative paths.

    Raises:
        ConfigError: something is missing or cannot be used; the message never shows a value of a
            secret.
    """
    folder = (cwd or Path.cwd()).absolute()
    given = dotenv_values(folder / ".env") if (folder / ".env").is_file() else {}
    env = {
        name: value.strip()
        for name, value in {**given, **(os.environ if environ is None else environ)}.items()
        if value and value.strip()
    }
    root = _warehouse_root(env, folder)
    config = read_config(env.get("CCPAY_CONFIG"), folder)
    sandbox = _is_sandbox(env, root)
    warehouse = root / "sandbox" if sandbox else root
    home = env.get("DAGSTER_HOME")
    return Settings(
        environment="sandbox" if sandbox else "live",
        base_url="" if sandbox else _base_url(env),
        credentials=_sandbox_credentials() if sandbox else _credentials(env),
        warehouse=warehouse,
        dagster_home=(folder / home) if home else warehouse / "dagster",
        alert_urls=_alert_urls(env),
        webhook_secret=_secret(env, "CCPAY_WEBHOOK_SECRET"),
        heartbeat_url=_secret(env, "CCPAY_HEARTBEAT_URL"),
        max_rps=_number(env, "CCPAY_MAX_RPS", None, lowest=0.2, highest=1000),
        max_connections=int(_number(env, "CCPAY_MAX_CONNECTIONS", 8, lowest=1, highest=128) or 8),
        daily_budget=int(
            _number(env, "CCPAY_DAILY_BUDGET", DEFAULT_BUDGET, lowest=1, highest=10**8) or 1
        ),
        **config,
    )


def _warehouse_root(env: Mapping[str, str], folder: Path) -> Path:
    value = env.get("CCPAY_WAREHOUSE", DEFAULT_WAREHOUSE)
    if ":" in value.split("/")[0]:
        raise ConfigError(
            f"CCPAY_WAREHOUSE is {value.split(':')[0]}:..., which is not a folder",
            hint="name a folder on a local disk, e.g. CCPAY_WAREHOUSE=warehouse/data",
        )
    return folder / Path(value).expanduser()


def _is_sandbox(env: Mapping[str, str], root: Path) -> bool:
    """The sandbox is for those who set nothing and have no live data: never a silent fallback."""
    set_up = ("CCPAY_APP_ID", "CCPAY_APP_SECRET", "CCPAY_BASE_URL", "CCPAY_ALERT_URLS")
    live_exists = (root / "private" / "warehouse.duckdb").exists() or (
        root / "ccpay.duckdb"
    ).exists()
    return not live_exists and not any(name in env for name in set_up)


def _credentials(env: Mapping[str, str]) -> Credentials:
    missing = [name for name in ("CCPAY_APP_ID", "CCPAY_APP_SECRET") if name not in env]
    if missing:
        raise ConfigError(
            f"{' and '.join(missing)} not set, but other settings or data are for a live account",
            hint="copy .env.example to .env and fill it in; with nothing set the sandbox is used",
        )
    return Credentials(Secret(env["CCPAY_APP_ID"]), Secret(env["CCPAY_APP_SECRET"]))


def _sandbox_credentials() -> Credentials:
    from ccpay_io.sandbox import SANDBOX_APP_ID, SANDBOX_APP_SECRET

    return Credentials(Secret(SANDBOX_APP_ID), Secret(SANDBOX_APP_SECRET))


def _base_url(env: Mapping[str, str]) -> str:
    url = env.get("CCPAY_BASE_URL", LIVE_URL).rstrip("/")
    parts = urlsplit(url)
    secure = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    if not secure or not parts.hostname or parts.username or parts.query:
        raise ConfigError(
            "CCPAY_BASE_URL must be an https:// address (http:// only on this machine)",
            hint=f"for the real API leave it unset; it then is {LIVE_URL}",
        )
    return url


def _alert_urls(env: Mapping[str, str]) -> tuple[Secret, ...]:
    urls = env.get("CCPAY_ALERT_URLS", "").replace(",", " ").split()
    for number, url in enumerate(urls, 1):
        parts = urlsplit(url)
        if not parts.scheme or (parts.scheme == "http" and parts.hostname not in _LOOPBACK):
            raise ConfigError(
                f"address {number} of CCPAY_ALERT_URLS is not usable",
                hint="use https:// (http:// only on this machine) or an Apprise address",
            )
    return tuple(map(Secret, urls))


def _secret(env: Mapping[str, str], name: str) -> Secret | None:
    return Secret(env[name]) if name in env else None


def _number(
    env: Mapping[str, str], name: str, default: float | None, *, lowest: float, highest: float
) -> float | None:
    if name not in env:
        return default
    try:
        value = float(env[name])
    except ValueError:
        value = float("nan")
    if not lowest <= value <= highest:
        raise ConfigError(
            f"{name} must be a number from {lowest:g} to {highest:g}, not {env[name][:20]!r}",
            hint=f"correct {name}, or unset it for the default",
        )
    return value
