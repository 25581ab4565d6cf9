"""ccpay.toml: the sections that can be set in a file, their defaults and their checks.

Owns the shapes of [feeds], [watch], [alerts], [retention] and [board]. Defaults need no file. Every
error names file, key, value and what is allowed. Called by settings.py.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Collection
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, get_args
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from ccpay_io.errors import ConfigError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_HELP = "docs/configuration.md describes every key"
_Watched = TypeVar("_Watched")
# What a cron expression can say, so that a schedule means what the file says.
_CADENCES = (
    *(60 * minutes for minutes in (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30)),
    *(3600 * hours for hours in (1, 2, 3, 4, 6, 8, 12, 24)),
)
# Words for what pydantic finds wrong; the checks below bring their own.
_WANTED = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "string_type": "text in quotes",
    "string_too_short": "text that is not empty",
    "tuple_type": "a list in brackets",
    "dict_type": "a table",
    "model_type": "a table",
    "bool_type": "true or false",
}


def _fits_the_clock(seconds: int) -> int:
    if seconds not in _CADENCES:
        raise ValueError(f"seconds, one of {', '.join(map(str, _CADENCES))}")
    return seconds


def _fits_the_watch(seconds: int) -> int:
    if seconds % 5 or not 10 <= seconds <= 300:
        raise ValueError("seconds, a multiple of 5 from 10 to 300")
    return seconds


def _currency(code: str) -> str:
    if not (code.isascii() and code.isalnum() and code == code.upper()):
        raise ValueError('a currency code in capitals such as "EUR"')
    return code


def _time_zone(name: str) -> str:
    # "localtime" is whatever a machine thinks it is, and DuckDB does not know it.
    if name not in available_timezones() - {"localtime"}:
        raise ValueError('a time zone such as "Europe/Berlin"')
    return name


def _one_word(text: str) -> str:
    """What the API would refuse every six hours is refused here, once."""
    if not text.isprintable() or text.split() != [text]:
        raise ValueError("text without spaces, as it was copied")
    return text


def _between(lowest: int, highest: int) -> AfterValidator:
    def check(value: int) -> int:
        if not lowest <= value <= highest:
            raise ValueError(f"a whole number from {lowest} to {highest}")
        return value

    return AfterValidator(check)


def _each_once(entries: tuple[_Watched, ...]) -> tuple[_Watched, ...]:
    """An entry that stands there twice would be asked, and counted, twice."""
    if len(set(entries)) < len(entries):
        raise ValueError("each entry once; remove the repeated one")
    return entries


def _one_per_number(filters: tuple[ChannelFilter, ...]) -> tuple[ChannelFilter, ...]:
    if len({each.number for each in filters}) < len(filters):
        raise ValueError("each number once; remove the repeated one")
    return filters


Cadence = Annotated[int, AfterValidator(_fits_the_clock)]
Text = Annotated[str, Field(min_length=1)]
Payee = Annotated[str, Field(min_length=1), AfterValidator(_one_word)]
AlertKind = Literal[
    "source_health",
    "chain_status",
    "payout_route",
    "fee_level",
    "freshness",
    "contract",
    "delivery",
]
ALERT_KINDS: tuple[str, ...] = get_args(AlertKind)


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


class FeedSettings(_Section):
    """[feeds]: seconds between two polls of each feed; `watch_s` for the chain watch."""

    chains: Cadence = 300
    fiats: Cadence = 900
    coins: Cadence = 3600
    networks: Cadence = 3600
    prices: Cadence = 300
    fees: Cadence = 300
    watchlist: Cadence = 21600
    watch_s: Annotated[int, AfterValidator(_fits_the_watch)] = 30

    def cadence_s(self, feed: str) -> int:
        """Seconds between two polls of a feed; the chains are polled by the watch."""
        return self.watch_s if feed == "chains" else int(getattr(self, feed))


class WatchedAddress(_Section):
    """One of [[watch.addresses]]: checked for validity, stored as a hash."""

    label: Text
    chain: Text
    address: Payee = Field(repr=False)


class WatchedCwallet(_Section):
    """One of [[watch.cwallet_ids]]."""

    label: Text
    cwallet_user_id: Payee = Field(repr=False)


class WatchSettings(_Section):
    """[watch]: what matters to the user."""

    chains: tuple[Text, ...] = ()
    coins: tuple[Text, ...] = ()
    addresses: Annotated[tuple[WatchedAddress, ...], AfterValidator(_each_once)] = ()
    cwallet_ids: Annotated[tuple[WatchedCwallet, ...], AfterValidator(_each_once)] = ()
    default_routes: dict[Text, Text] = Field(default_factory=dict)
    addresses_as_text: bool = False


class ChannelFilter(_Section):
    """One of [[alerts.channels]]: what the address with this number in CCPAY_ALERT_URLS hears."""

    number: Annotated[int, _between(1, 100)]
    severity: Literal["info", "warning", "critical"] = "warning"
    kinds: tuple[AlertKind, ...] = ()


class AlertSettings(_Section):
    """[alerts]: how many known observations in a row open and resolve an alert, and after how many
    seconds a first one is asked again; what each channel hears; whether sandbox data may alert
    anybody beside the log.
    """

    raise_after: Annotated[int, _between(1, 20)] = 2
    clear_after: Annotated[int, _between(1, 20)] = 3
    confirm_after_s: Annotated[int, _between(0, 20)] = 5
    sandbox: bool = False
    channels: Annotated[tuple[ChannelFilter, ...], AfterValidator(_one_per_number)] = ()


class RetentionSettings(_Section):
    """[retention]: days that raw answers and Dagster runs are kept; published versions; months of
    sealed history, 0 for all of them.
    """

    raw_days: Annotated[int, _between(1, 3650)] = 14
    dagster_run_days: Annotated[int, _between(1, 3650)] = 7
    versions: Annotated[int, _between(2, 100)] = 5
    sealed_months: Annotated[int, _between(0, 1200)] = 0


class BoardSettings(_Section):
    """[board]: the fiat in which costs are shown beside US dollars, and the time zone of months."""

    fiat: Annotated[str, AfterValidator(_currency)] = "USD"
    timezone: Annotated[str, AfterValidator(_time_zone)] = "UTC"


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
    file = named or "ccpay.toml"
    path = folder / Path(file).expanduser()
    if not path.is_file():
        if named:
            raise ConfigError(f"CCPAY_CONFIG names {named}, which is not a file")
        return {name: section() for name, section in _SECTIONS.items()}
    content = _parse(file, path)
    for name in content:
        if name not in _SECTIONS:
            raise _unknown(file, "section", name, _SECTIONS)
    return {
        name: _read_section(file, name, section, content.get(name, {}))
        for name, section in _SECTIONS.items()
    }


def _parse(file: str, path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{file} is not TOML: {error}", hint=_HELP) from None
    except UnicodeDecodeError:
        raise ConfigError(f"{file} is not UTF-8 text", hint=_HELP) from None
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}") from None


def _read_section(file: str, name: str, section: type[_Section], content: object) -> _Section:
    try:
        # As JSON, because TOML has lists where the settings have tuples, and the types are strict.
        return section.model_validate_json(json.dumps(content, default=str))
    except ValidationError as error:
        # A misspelt key explains the missing one beside it.
        first = min(error.errors(), key=lambda found: found["type"] != "extra_forbidden")
        raise _refusal(file, name, section, first) from None


def _refusal(file: str, name: str, section: type[_Section], found: ErrorDetails) -> ConfigError:
    key = ".".join([name, *map(str, found["loc"])])
    if found["type"] == "extra_forbidden":
        return _unknown(file, "key", key, _siblings(section, name, found["loc"]))
    if found["type"] == "missing":
        return ConfigError(f"{file}: {key} is missing", hint=_HELP)
    wanted = _WANTED.get(found["type"], found["msg"].removeprefix("Value error, "))
    return ConfigError(f"{file}: {key}{_shown(key, found['input'])}; allowed: {wanted}", hint=_HELP)


def _shown(key: str, value: object) -> str:
    """The value, unless it is or contains something that identifies a payee."""
    private = key.startswith(("watch.addresses", "watch.cwallet_ids"))
    return "" if private else f" is {str(value)[:40]!r}"


def _siblings(section: type[_Section], name: str, loc: tuple[str | int, ...]) -> list[str]:
    """All keys that are known where an unknown one was found."""
    nested: dict[str, type[_Section]] = {
        "addresses": WatchedAddress,
        "cwallet_ids": WatchedCwallet,
        "channels": ChannelFilter,
    }
    model = section if len(loc) == 1 else nested[str(loc[0])]
    return [".".join([name, *map(str, loc[:-1]), key]) for key in model.model_fields]


def _unknown(file: str, what: str, name: str, known: Collection[str]) -> ConfigError:
    close = get_close_matches(name, known, 1)
    meant = f"did you mean {close[0]}?" if close else f"known: {', '.join(known)}"
    return ConfigError(f"{file}: there is no {what} {name}", hint=meant)
