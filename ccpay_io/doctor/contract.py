"""How the API's answers compare with the documented shapes, as findings and as a bundle to send.

Owns the comparison of one answer of each endpoint, and the bundle: which fields there are, of which
types, and what deviates. No list is in it, only its length and its first item; secrets and payees
are masked. Called by `ccpay doctor --contract`.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ccpay_io.client import Exchange
from ccpay_io.doctor.api import Question, knows_and_says_no, questions_of
from ccpay_io.doctor.finding import Finding
from ccpay_io.errors import ApiError, CcpayError
from ccpay_io.feeds.asked import drift_of
from ccpay_io.feeds.session import open_client
from ccpay_io.models import Drift
from ccpay_io.redaction import Redactor
from ccpay_io.settings import Settings

# Objects whose keys are data (coin ids, chains) and no field names.
_BY_KEY = ("data.prices", "data.coins[].networks")
_LONGEST_SAMPLE = 2_000


async def compare(settings: Settings) -> list[Finding]:
    """Asks each endpoint once, compares, and writes the bundle into the warehouse folder."""
    findings, told = [], []
    redact = Redactor.of(settings).text
    async with open_client(settings) as client:
        for endpoint, ask in questions_of(client).items():
            seen: list[Exchange] = []
            client.on_exchange = seen.append
            drift, error = await _ask(ask)
            findings.append(_finding(endpoint, drift, error))
            told.append(_told(endpoint, seen, drift, error))
    bundle = json.dumps({"made_at": _now(), "endpoints": told}, indent=1, ensure_ascii=False)
    return [*findings, _write(settings.warehouse, redact(bundle))]


async def _ask(ask: Question) -> tuple[tuple[Drift, ...], ApiError | None]:
    try:
        answer = await ask()
    except ApiError as error:
        return drift_of(error), error
    return tuple(getattr(answer, "drift", ())), None


def _finding(endpoint: str, drift: tuple[Drift, ...], error: ApiError | None) -> Finding:
    if drift:
        places = ", ".join(sorted({f"{one.kind} at {one.path}" for one in drift}))
        step = "nothing is lost by it; report it with the bundle"
        return Finding("warn", endpoint, f"is not as documented: {places}"[:300], step)
    if error is not None and not knows_and_says_no(error):
        return Finding("wrong", endpoint, f"{error.code or ''} {error.name}".strip(), error.hint)
    return Finding("ok", endpoint, "is as documented")


def _told(
    endpoint: str, seen: list[Exchange], drift: tuple[Drift, ...], error: ApiError | None
) -> dict[str, Any]:
    """One endpoint's part of the bundle, from its last answer."""
    about: dict[str, Any] = {
        "endpoint": endpoint,
        "error": error.name if error else None,
        "code": error.code if error else 10000,
        "deviations": [{**asdict(one), "sample": one.sample[:_LONGEST_SAMPLE]} for one in drift],
    }
    if not seen:
        return about
    about |= {"http_status": seen[-1].http_status, "bytes": len(seen[-1].response)}
    try:
        answer = json.loads(seen[-1].response)
    except ValueError:
        return about | {"begins": seen[-1].response[:60].decode("utf-8", "replace")}
    counted = Counter(_types(answer, ""))
    about["fields"] = {f"{path} {kind}": n for (path, kind), n in sorted(counted.items())}
    about["first"] = _first(answer)
    return about


def _types(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """(path, JSON type) of everything in an answer."""
    yield path or "answer", _kind(value)
    if isinstance(value, dict):
        for name, inner in value.items():
            place = "*" if path in _BY_KEY else name
            yield from _types(inner, f"{path}.{place}" if path else place)
    elif isinstance(value, list):
        for inner in value:
            yield from _types(inner, f"{path}[]")


def _kind(value: Any) -> str:
    names = {dict: "object", list: "array", str: "string", bool: "boolean", type(None): "null"}
    return names.get(type(value), "number")


def _first(value: Any) -> Any:
    """The answer with one item of each list, and one entry of each object by key."""
    if isinstance(value, list):
        return [_first(inner) for inner in value[:1]]
    if isinstance(value, dict):
        kept = list(value.items())
        if len(kept) > 20:
            kept = kept[:1]
        return {name: _first(inner) for name, inner in kept}
    return value[:200] if isinstance(value, str) else value


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _write(folder: Path, bundle: str) -> Finding:
    path = folder / f"contract-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
            file.write(bundle + "\n")
    except OSError as error:
        raise CcpayError(f"{path} cannot be written: {error.strerror}") from None
    return Finding("ok", "bundle", str(path), "it holds no secret; look through it before sending")
