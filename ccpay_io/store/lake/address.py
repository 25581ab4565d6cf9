"""Where a lake is: its catalog in PostgreSQL, its data on a disk or S3, and what opens both.

Owns what `ducklake:postgres:...` may look like, and that a password in it goes no further than into
a secret of DuckDB. Opens nothing. Called by the settings and by `ccpay admin migrate`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from ccpay_io.errors import ConfigError
from ccpay_io.secret import Secret

SCHEME = "ducklake:postgres:"
_EXAMPLE = "CCPAY_WAREHOUSE=ducklake:postgres:dbname=ccpay host=db.example user=ccpay"
# A connection string of libpq: words with a value that may stand in quotes.
_WORD = re.compile(r"\s*(\w+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|([^\s'\\]+))(?=\s|$)")
_BUCKET = re.compile(r"s3://[a-z0-9][a-z0-9.-]+(/[^\s'\"]*)?")


@dataclass(frozen=True)
class S3:
    """What opens an S3 API.

    Attributes:
        key_id, key: of the account.
        region: of the bucket.
        endpoint: another server than Amazon's, as a URL.
    """

    key_id: Secret
    key: Secret
    region: str
    endpoint: str | None = None


@dataclass(frozen=True)
class Lake:
    """A lake's address.

    Attributes:
        catalog: the connection string of libpq, without a password.
        password: where the string had one; libpq's own ways (PGPASSFILE) need none here.
        data_path: an absolute folder, or s3://bucket/prefix; None is what the catalog says.
        s3: for s3:// only.
        stamp: the environment whose data readers expect; None is any.
    """

    catalog: str
    password: Secret | None = None
    data_path: str | None = None
    s3: S3 | None = None
    stamp: str | None = None

    def __str__(self) -> str:
        return f"{SCHEME}{self.catalog}"

    def secrets(self) -> list[Secret]:
        """What must be shown nowhere."""
        opening = [self.s3.key_id, self.s3.key] if self.s3 else []
        return [*opening, self.password] if self.password else opening


def is_lake(text: str) -> bool:
    """Whether a text means a lake rather than a folder."""
    return text.startswith("ducklake:")


def lake_at(text: str) -> Lake:
    """The lake that `ducklake:postgres:<connection string or URI>` names.

    Raises:
        ConfigError: it does not name a database of PostgreSQL; the text, which may hold a password,
            is not quoted.
    """
    told = text.removeprefix(SCHEME)
    words = _of_uri(told) if told.startswith(("postgresql://", "postgres://")) else _of_words(told)
    if told == text or not words or not words.get("dbname"):
        raise ConfigError(
            "CCPAY_WAREHOUSE, or the place given, is ducklake:... without a database of PostgreSQL",
            hint=_EXAMPLE,
        )
    password = words.pop("password", None)
    catalog = " ".join(f"{word}={_quoted(value)}" for word, value in words.items())
    return Lake(catalog, Secret(password) if password else None)


def with_data(lake: Lake, data_path: str, environ: Mapping[str, str], folder: Path) -> Lake:
    """The lake with the place of its data.

    Args:
        data_path: a folder, or s3://bucket/prefix.
        environ: has the names that every S3 client knows: AWS_ACCESS_KEY_ID and so on.
        folder: that a relative path is relative to.

    Raises:
        ConfigError: it is neither, or what opens S3 is missing.
    """
    if "://" not in data_path:
        return replace(lake, data_path=str(folder / Path(data_path).expanduser()))
    if not _BUCKET.fullmatch(data_path):
        raise ConfigError(
            "CCPAY_DATA_PATH is neither a folder nor s3://bucket/prefix",
            hint="name a folder that all machines share, or a bucket",
        )
    missing = [name for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
               if not environ.get(name)]  # fmt: skip
    if missing:
        raise ConfigError(
            f"CCPAY_DATA_PATH is s3://..., but {' and '.join(missing)} not set",
            hint="set what opens the bucket: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION",
        )
    s3 = S3(
        Secret(environ["AWS_ACCESS_KEY_ID"]),
        Secret(environ["AWS_SECRET_ACCESS_KEY"]),
        environ.get("AWS_REGION") or "us-east-1",
        environ.get("AWS_ENDPOINT_URL") or None,
    )
    return replace(lake, data_path=data_path, s3=s3)


def _of_words(text: str) -> dict[str, str]:
    words: dict[str, str] = {}
    at = 0
    while text[at:].strip():
        match = _WORD.match(text, at)
        if match is None:
            return {}
        word, in_quotes, bare = match.groups()
        words[word] = re.sub(r"\\(.)", r"\1", in_quotes) if bare is None else bare
        at = match.end()
    return words


def _of_uri(text: str) -> dict[str, str]:
    try:
        parts = urlsplit(text)
        words = {
            "dbname": unquote(parts.path.lstrip("/")),
            "host": unquote(parts.hostname or ""),
            "port": str(parts.port or ""),
            "user": unquote(parts.username or ""),
            "password": unquote(parts.password or ""),
            **dict(parse_qsl(parts.query)),
        }
    except ValueError:
        return {}
    return {word: value for word, value in words.items() if value}


def _quoted(value: str) -> str:
    """As libpq takes it."""
    if re.fullmatch(r"[\w./:@-]+", value):
        return value
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
