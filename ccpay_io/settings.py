"""The settings: environment, .env and ccpay.toml, read in this one place.

Owns what can be set, the defaults, and the answer to "which warehouse?". How texts are checked is
in variables.py, the sections of ccpay.toml in config.py. Secrets are wrapped so that they cannot be
printed. Called by the command, by the Dagster resources and by `ccpay_io.read`; nothing else in the
project reads the environment.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

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
from ccpay_io.secret import Secret
from ccpay_io.store.lake.address import Lake, is_lake, lake_at, with_data
from ccpay_io.variables import (
    api_url,
    channel_urls,
    credential,
    key_file,
    merged,
    number,
    refuse_misspelt,
    secret_url,
)

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
DEFAULT_CONNECTIONS = 8
# All feeds at their default cadences need about 525,000 requests a day for 1,800 pairs.
DEFAULT_BUDGET = 700_000

# Any of these says that somebody means a real account.
_LIVE_SIGNS = (
    "CCPAY_APP_ID",
    "CCPAY_APP_SECRET",
    "CCPAY_RSA_KEY_FILE",
    "CCPAY_BASE_URL",
    "CCPAY_ALERT_URLS",
)
_KNOWN = (
    *_LIVE_SIGNS,
    "CCPAY_CONFIG",
    "CCPAY_DAILY_BUDGET",
    "CCPAY_DATA_PATH",
    "CCPAY_HEARTBEAT_URL",
    "CCPAY_MAX_CONNECTIONS",
    "CCPAY_MAX_RPS",
    "CCPAY_WAREHOUSE",
    "CCPAY_WEBHOOK_SECRET",
)


@dataclass(frozen=True)
class Credentials:
    """What signs requests: the secret, or an RSA key (PEM) in its place."""

    app_id: Secret
    app_secret: Secret
    rsa_key: Secret | None = None


@dataclass(frozen=True)
class Settings:
    """Everything that can be set.

    Attributes:
        environment: "live", or "sandbox" when nothing was set.
        base_url: of the API; empty in sandbox, where it is found at run time.
        warehouse: folder of this environment's warehouse, absolute; with a lake, what belongs to
            this machine is there: limits, raw answers, board, logs.
        lake: where the data is, when it is not in that folder.
        dagster_home: Dagster's own folder, absolute.
        max_rps: ceiling and start of the pace, requests a second; None: start 10, ceiling 50.
        max_connections: requests in flight at the same time.
        daily_budget: requests per UTC day.
    """

    environment: Literal["live", "sandbox"]
    base_url: str
    credentials: Credentials
    warehouse: Path
    dagster_home: Path
    lake: Lake | None = None
    alert_urls: tuple[Secret, ...] = ()
    webhook_secret: Secret | None = None
    heartbeat_url: Secret | None = None
    max_rps: float | None = None
    max_connections: int = DEFAULT_CONNECTIONS
    daily_budget: int = DEFAULT_BUDGET
    feeds: FeedSettings = field(default_factory=FeedSettings)
    watch: WatchSettings = field(default_factory=WatchSettings)
    alerts: AlertSettings = field(default_factory=AlertSettings)
    retention: RetentionSettings = field(default_factory=RetentionSettings)
    board: BoardSettings = field(default_factory=BoardSettings)

    @property
    def place(self) -> Path | Lake:
        """What readers of the warehouse open: its folder, or the lake."""
        return self.lake or self.warehouse

    @property
    def stamp(self) -> str:
        """What the warehouse is stamped with: "sandbox", or "live" and the API's host."""
        return _stamp(vars(self))


def load_settings(environ: Mapping[str, str] | None = None, *, cwd: Path | None = None) -> Settings:
    """Reads the settings; the environment wins over .env, and what is empty is not set.

    Args:
        environ: instead of this process's environment.
        cwd: instead of the working directory, for .env, ccpay.toml and relative paths.

    Raises:
        ConfigError: something is missing or cannot be used; the message never shows a secret.
    """
    folder = (cwd or Path.cwd()).absolute()
    env = merged(folder / ".env", os.environ if environ is None else environ)
    refuse_misspelt(list(env), _KNOWN)
    root = _warehouse_root(env, folder)
    config = read_config(env.get("CCPAY_CONFIG"), folder)
    # Whoever wants to be told of made-up trouble does not mean a real account by its addresses.
    signs = [s for s in _LIVE_SIGNS if not (config["alerts"].sandbox and s == "CCPAY_ALERT_URLS")]
    sandbox = _is_sandbox(env, root, signs)
    place = _sandbox_place(root) if sandbox else _live_place(env, root, signs)
    home = env.get("DAGSTER_HOME")
    return Settings(
        **place,
        lake=_lake(env, folder, _stamp(place)),
        dagster_home=folder / Path(home).expanduser() if home else place["warehouse"] / "dagster",
        alert_urls=tuple(map(Secret, channel_urls(env, "CCPAY_ALERT_URLS"))),
        webhook_secret=_secret(env.get("CCPAY_WEBHOOK_SECRET")),
        heartbeat_url=_secret(secret_url(env, "CCPAY_HEARTBEAT_URL")),
        max_rps=number(env, "CCPAY_MAX_RPS", float, 0.2, 1000),
        max_connections=number(env, "CCPAY_MAX_CONNECTIONS", int, 1, 128) or DEFAULT_CONNECTIONS,
        daily_budget=number(env, "CCPAY_DAILY_BUDGET", int, 1, 10**9) or DEFAULT_BUDGET,
        **config,
    )


def place_at(text: str, data_path: str | None = None) -> Path | Lake:
    """What a text means in the place of CCPAY_WAREHOUSE: a folder, or a lake.

    Args:
        text: the folder's path, or ducklake:postgres:...
        data_path: of a lake, instead of CCPAY_DATA_PATH.

    Raises:
        ConfigError: it names no lake, though it begins like one.
    """
    folder = Path.cwd()
    if not is_lake(text):
        return folder / Path(text).expanduser()
    env = merged(folder / ".env", os.environ)
    told = data_path or env.get("CCPAY_DATA_PATH")
    return with_data(lake_at(text), told, env, folder) if told else lake_at(text)


def _warehouse_root(env: Mapping[str, str], folder: Path) -> Path:
    value = env.get("CCPAY_WAREHOUSE", DEFAULT_WAREHOUSE)
    if is_lake(value):
        value = DEFAULT_WAREHOUSE
    hint = "name a folder on a local disk, e.g. CCPAY_WAREHOUSE=warehouse/data"
    kind, colon, _ = value.partition(":")
    # What follows the colon may hold a password.
    if colon and "/" not in kind:
        raise ConfigError(f"CCPAY_WAREHOUSE is {kind}:..., not a folder", hint=hint)
    root = folder / Path(value).expanduser()
    if root.exists() and not root.is_dir():
        raise ConfigError(f"CCPAY_WAREHOUSE is {root}, a file and not a folder", hint=hint)
    return root


def _lake(env: Mapping[str, str], folder: Path, stamp: str) -> Lake | None:
    """The lake that CCPAY_WAREHOUSE names; with a folder CCPAY_DATA_PATH means nothing."""
    named, data_path = env.get("CCPAY_WAREHOUSE", ""), env.get("CCPAY_DATA_PATH")
    if not is_lake(named):
        return None
    lake = replace(lake_at(named), stamp=stamp)
    return with_data(lake, data_path, env, folder) if data_path else lake


def _is_sandbox(env: Mapping[str, str], root: Path, signs: Sequence[str]) -> bool:
    """The sandbox is for those who set nothing and have no live data: never a silent fallback."""
    live_files = (root / "private" / "warehouse.duckdb", root / "ccpay.duckdb")
    return not any(sign in env for sign in signs) and not any(file.exists() for file in live_files)


def _sandbox_place(root: Path) -> dict[str, Any]:
    # Imported here: a live installation never needs the sandbox.
    from ccpay_io.sandbox import SANDBOX_APP_ID, SANDBOX_APP_SECRET

    return {
        "environment": "sandbox",
        "base_url": "",
        "credentials": Credentials(Secret(SANDBOX_APP_ID), Secret(SANDBOX_APP_SECRET)),
        "warehouse": root / "sandbox",
    }


def _live_place(env: Mapping[str, str], root: Path, signs: Sequence[str]) -> dict[str, Any]:
    signs_with = "CCPAY_RSA_KEY_FILE" if "CCPAY_RSA_KEY_FILE" in env else "CCPAY_APP_SECRET"
    missing = [name for name in ("CCPAY_APP_ID", signs_with) if name not in env]
    if missing:
        given = [name for name in signs if name in env]
        verb = "is" if len(missing) == 1 else "are"
        why = f"{given[0]} is" if given else f"there is live data in {root}"
        raise ConfigError(
            f"{' and '.join(missing)} {verb} not set, but {why}",
            hint="fill in .env (.env.example shows how); the sandbox needs all of it unset",
        )
    return {
        "environment": "live",
        "base_url": api_url(env, "CCPAY_BASE_URL", LIVE_URL),
        "credentials": _credentials(env),
        "warehouse": root,
    }


def _credentials(env: Mapping[str, str]) -> Credentials:
    app_id = Secret(credential(env, "CCPAY_APP_ID"))
    if "CCPAY_RSA_KEY_FILE" not in env:
        return Credentials(app_id, Secret(credential(env, "CCPAY_APP_SECRET")))
    if "CCPAY_APP_SECRET" in env:
        raise ConfigError(
            "CCPAY_APP_SECRET and CCPAY_RSA_KEY_FILE are both set",
            hint="requests are signed with one of them; unset the other",
        )
    return Credentials(app_id, Secret(""), Secret(key_file(env, "CCPAY_RSA_KEY_FILE")))


def _stamp(place: Mapping[str, Any]) -> str:
    if place["environment"] == "sandbox":
        return "sandbox"
    return f"live {urlsplit(place['base_url']).netloc.lower()}"


def _secret(value: str | None) -> Secret | None:
    return Secret(value) if value else None
