"""ccpay.toml: the sections that can be set in a file, their defaults and their checks.

Owns the shapes of [feeds], [watch], [alerts], [retention] and [board]. Defaults need no file. Every
error names file, key, value and what is allowed. Called by settings.py.
"""

from __future__ import annotations

import json
import tomllib
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from ccpay_io.errors import ConfigError

_MINUTE_STEPS = tuple(60 * m for m in (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30))
_HOUR_STEPS = tuple(3600 * h for h in (1, 2, 3, 4, 6, 8, 12, 24))


def _fits_the_clock(seconds: int) -> int:
    if seconds not in _MINUTE_STEPS + _HOUR_STEPS:
        raise ValueError("whole minutes that divide an hour, or whole hours that divide a day")
    return seconds


def _multiple_of_five(seconds: int) -> int:
    if seconds % 5 or not 10 <= seconds <= 300:
        raise ValueError("a multiple of 5 from 10 to 300")
    return seconds


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError('an IANA time zone such as "Europe/Berlin"')
    return name


Cadence = Annotated[int, AfterValidator(_fits_the_clock)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class FeedSettings(_Section):
    """[feeds]: seconds between two polls of each feed; `watch_s` for the chain watch."""

    chains: Cadence = 300
    fiats: Cadence = 900
    coins: Cadence = 3600
    networks: Cadence = 3600
    prices: Cadence = 300
    fees: Cadence = 300
    watchlist: Cadence = 21600
    watch_s: Annotated[int, AfterValidator(_multiple_of_five)] = 30


class WatchedAddress(_Section):
    """One of [[watch.addresses]]: checked for validity, stored as a hash."""

    label: str = Field(min_length=1)
    chain: str = Field(min_length=1)
    address: str = Field(min_length=1, repr=False)


class WatchedCwallet(_Section):
    """One of [[watch.cwallet_ids]]."""

    label: str = Field(min_length=1)
    cwallet_user_id: str = Field(min_length=1, repr=False)


class WatchSettings(_Section):
    """[watch]: what matters to the user."""

    chains: tuple[str, ...] = ()
    coins: tuple[str, ...] = ()
    addresses: tuple[WatchedAddress, ...] = ()
    cwallet_ids: tuple[WatchedCwallet, ...] = ()
    default_routes: dict[str, str] = Field(default_factory=dict)


class AlertSettings(_Section):
    """[alerts]: how many known observations in a row open and resolve an alert, and after how many
    seconds a first one is asked again.
    """

    raise_after: int = Field(default=2, ge=1, le=20)
    clear_after: int = Field(default=3, ge=1, le=20)
    confirm_after_s: int = Field(default=5, ge=0, le=20)


class RetentionSettings(_Section):
    """[retention]: days that raw answers and Dagster runs are kept; published versions."""

    raw_days: int = Field(default=14, ge=1)
    dagster_run_days: int = Field(default=7, ge=1)
    versions: int = Field(default=5, ge=2, le=100)


class BoardSettings(_Section):
    """[board]: time zone of local hours and months, and the fiat beside US dollars."""

    time_zone: Annotated[str, AfterValidator(_known_zone)] = "UTC"
    fiat: str = "USD"


_SECTIONS: dict[str, type[_Section]] = {
    "feeds": FeedSettings,
    "watch": WatchSettings,
    "alerts": AlertSettings,
    "retention": RetentionSettings,
    "board": BoardSettings,
}


def read_config(named: str | None, folder: Path) -> dict[str, Any]:
    """The sections of ccpay.toml, each as its settings class.

    Args:
        named: CCPAY_CONFIG; the file must then exist.
        folder: where ./ccpay.toml is looked for otherwise, and what `named` is relative to.

    Raises:
        ConfigError: the file cannot be read, or says something that is not allowed.
    """
    path = folder / (named or "ccpay.toml")
    if not path.is_file():
        if named:
            raise ConfigError(f"CCPAY_CONFIG names {named}, which does not exist")
        return {name: section() for name, section in _SECTIONS.items()}
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise ConfigError(f"{path.name}: {error}", hint="correct the file; see docs/configuration.md") from None
    for name in content:
        _check_known(path.name, "section", name, list(_SECTIONS))
    return {
        name: _read_section(path.name, name, section, content.get(name, {}))
        for name, section in _SECTIONS.items()
    }


def _read_section(file: str, name: str, section: type[_Section], content: Any) -> _Section:
    # TOML has arrays where the settings have tuples; strict types are for the values inside.
    try:
        return section.model_validate_json(json.dumps(content, default=str))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join([name, *(str(part) for part in first["loc"])])
        if first["type"] == "extra_forbidden":
            _check_known(file, "key", where, [f"{name}.{key}" for key in section.model_fields])
        wanted = first["msg"].removeprefix("Value error, ")
        hidden = "address" in where or "cwallet" in where
        shown = "" if hidden else f" is {str(first['input'])[:40]!r}"
        raise ConfigError(
            f"{file}: {where}{shown}; allowed: {wanted}", hint="see docs/configuration.md"
        ) from None


def _check_known(file: str, what: str, name: str, known: list[str]) -> None:
    if name not in known:
        close = get_close_matches(name, known, 1)
        meant = f"did you mean {close[0]}?" if close else f"known: {', '.join(known)}"
        raise ConfigError(f"{file}: there is no {what} {name}", hint=meant)
