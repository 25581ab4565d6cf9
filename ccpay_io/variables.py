"""The texts of environment variables made into values, each check with its own clear error.

Owns the .env file and what a number, an address or a credential may look like. Does not know what
the variables mean. Called by settings.py only. No error shows a value that may be secret.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TypeVar
from urllib.parse import SplitResult, urlsplit

from dotenv import dotenv_values

from ccpay_io.errors import ConfigError
from ccpay_io.loopback import is_loopback

Number = TypeVar("Number", int, float)

_PRINTABLE = re.compile(r"""(?!["'])[!-~]+(?<!["'])""")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\S+")


def merged(file: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that are set, from the environment and, where it has none, from the file.

    A variable that is empty counts as not set.

    Raises:
        ConfigError: the file is there but cannot be read or understood.
    """
    both = {**_read_file(file), **{name: text for name, text in environ.items() if text.strip()}}
    return {name: text.strip() for name, text in both.items() if text.strip()}


def _read_file(file: Path) -> dict[str, str]:
    if not file.is_file():
        return {}
    try:
        # Without interpolation: a secret may contain "${".
        content = dotenv_values(file, interpolate=False, encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigError(f"{file} cannot be read: {reason}") from None
    for name, text in content.items():
        if text is None:
            raise ConfigError(
                f"{file}: the line of {name} has no '='", hint=f"write it as {name}=value"
            )
    return {name: text or "" for name, text in content.items()}


def refuse_misspelt(names: Sequence[str], known: Sequence[str]) -> None:
    """Refuses a name that is almost one of the known: it would be ignored without a word."""
    for name in sorted(set(names) - set(known)):
        meant = get_close_matches(name, known, 1, cutoff=0.85)
        if name.startswith("CCPAY") and meant:
            raise ConfigError(f"there is no setting {name}", hint=f"did you mean {meant[0]}?")


def number(
    env: Mapping[str, str], name: str, kind: type[Number], lowest: Number, highest: Number
) -> Number | None:
    """The number in the variable, or None where it is not set.

    Raises:
        ConfigError: it is not a number of that kind, or out of range.
    """
    if name not in env:
        return None
    try:
        value = kind(env[name])
    except ValueError:
        value = None
    if value is None or not lowest <= value <= highest:
        what = "a whole number" if kind is int else "a number"
        raise ConfigError(
            f"{name} is {env[name][:20]!r}; allowed: {what} from {lowest:g} to {highest:g}",
            hint=f"correct {name}, or unset it for the default",
        )
    return value


def api_url(env: Mapping[str, str], name: str, default: str) -> str:
    """The address of an API: https, or http where nobody can listen in.

    Raises:
        ConfigError: it is no address, has parts that an API's address has not, or would send signed
            requests in clear text.
    """
    url = env.get(name, default).rstrip("/")
    parts = _split(name, url)
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ConfigError(
            f"{name} may have a host, a port and a path only",
            hint=f"for the real API leave it unset; it then is {default}",
        )
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise ConfigError(
            f"{name} is http:// to {parts.hostname}; signed requests would travel in clear text",
            hint="use https://; http:// is for addresses of this machine only",
        )
    return url


def secret_url(env: Mapping[str, str], name: str) -> str | None:
    """An address that holds a token: https, or http where nobody can listen in.

    Raises:
        ConfigError: it is no address, or the token would travel in clear text; it is not shown.
    """
    if name not in env:
        return None
    parts = _split(name, env[name])
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise ConfigError(
            f"{name} is http://; its token would travel in clear text", hint="use https://"
        )
    return env[name]


def _split(name: str, url: str) -> SplitResult:
    refusal = ConfigError(f"{name} is not an http:// or https:// address", hint=f"correct {name}")
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        # The exception's text may quote the address, which may be secret.
        raise refusal from None
    if not usable:
        raise refusal
    return parts


def channel_urls(env: Mapping[str, str], name: str) -> tuple[str, ...]:
    """Addresses of alert channels, separated by commas or white space; they hold tokens.

    Raises:
        ConfigError: one of them is no address; it says which, not what.
    """
    urls = tuple(env.get(name, "").replace(",", " ").split())
    for position, url in enumerate(urls, start=1):
        if not _SCHEME.fullmatch(url):
            raise ConfigError(
                f"{name}: number {position} of {len(urls)} is not an address (scheme://...)",
                hint="separate addresses by spaces or commas; a comma inside one is written %2C",
            )
    return urls


def credential(env: Mapping[str, str], name: str) -> str:
    """A credential that can be sent and signed with.

    Raises:
        ConfigError: it has characters that no credential has, so it was copied wrongly.
    """
    if not _PRINTABLE.fullmatch(env[name]):
        raise ConfigError(
            f"{name} has spaces, quotes around it or characters outside ASCII",
            hint="copy it again from the CCPayment dashboard, without quotes",
        )
    return env[name]


def key_file(env: Mapping[str, str], name: str) -> str:
    """The text of a private key in the file that the variable names.

    Raises:
        ConfigError: there is no such file, it is no private key, or others may read it.
    """
    path = Path(env[name]).expanduser()
    try:
        text = path.read_text("ascii")
        mode = path.stat().st_mode
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not PEM text"
        raise ConfigError(
            f"{name} names {path}, which cannot be read: {reason}", hint=f"correct {name}"
        ) from None
    if "PRIVATE KEY-----" not in text:
        raise ConfigError(f"{name} names {path}, which has no private key", hint=f"correct {name}")
    if mode & 0o077:
        raise ConfigError(f"{path} can be read by others", hint=f"chmod 600 {path}")
    return text
