"""The files of the board: whole, strict, exact, and as old as they say."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import math
import re
import struct
from dataclasses import replace
from pathlib import Path

import httpx
import polars as pl
import pytest

from ccpay_io.board import build_board, is_behind, page_path
from ccpay_io.board.building import status_path
from ccpay_io.board.packing import byte_matrix, float_matrix, packed
from ccpay_io.board.questions import asked, shown
from ccpay_io.board.server import board_app
from ccpay_io.query import run_query
from ccpay_io.sandbox.running import serve_in_thread
from ccpay_io.settings import Settings
from ccpay_io.store.reading import newest
from ccpay_io.store.schema import sql_folder

QUESTIONS = sorted(path.stem for path in (sql_folder() / "board").glob("*.sql"))


@pytest.fixture(scope="session")
def page(market: Settings) -> str:
    """The text of the page."""
    return page_path(market.warehouse).read_text("utf-8")


def block(page: str, name: str) -> bytes:
    """The data of that name inside the page."""
    found = re.search(rf'id="data-{name}">([^<]*)<', page)
    assert found
    return gzip.decompress(base64.b64decode(found[1]))


def test_nothing_runs_but_what_the_policy_names(page: str) -> None:
    """Each script and the style are there by hash; nothing may be loaded from anywhere."""
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy
    rules = dict(rule.split(" ", 1) for rule in policy[1].split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["connect-src"] == "'self'"
    assert "unsafe" not in policy[1]
    scripts = [*re.findall(r"<script>(.*?)</script>", page, re.DOTALL), block(page, "library")]
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    assert rules["script-src"].split() == [digest(text) for text in scripts]
    assert rules["style-src"] == digest(style)


def digest(text: str | bytes) -> str:
    """The source expression of an inline text."""
    data = text if isinstance(text, bytes) else text.encode()
    return f"'sha256-{base64.b64encode(hashlib.sha256(data).digest()).decode()}'"


def test_a_hostile_name_ends_no_script(page: str) -> None:
    """Names are inside the packed data only, so that no text of theirs is HTML in the file."""
    assert "onerror" not in page
    assert "onerror" in block(page, "facts").decode()
    blocks = len(re.findall(r'id="data-', page))
    assert page.count("</script>") == blocks + 1


def test_money_is_text_and_secrets_are_absent(page: str, market: Settings) -> None:
    """Every amount of a table is a decimal as the warehouse has it, never a float."""
    facts = json.loads(block(page, "facts"))
    routes = facts["tables"]["routes"]
    at = [routes["columns"].index(name) for name in ("fee_usd", "fee_amount")]
    assert all(isinstance(row[n], str) for row in routes["rows"] for n in at if row[n] is not None)
    secret = market.credentials.app_secret.reveal()
    assert secret not in block(page, "facts").decode()


def test_status_json_has_moments_and_no_ages(market: Settings) -> None:
    """Programs get counts, what is not normal, feeds with their cadence, open alerts."""
    status = json.loads(status_path(market.warehouse).read_text("utf-8"))
    assert status["environment"] == "live"
    assert status["chain_count"] == {"normal": 4, "maintenance": 1, "unknown": 1, "absent": 1}
    assert [chain["chain"] for chain in status["chains_not_normal"]] == ["ETH", "TON"]
    cadences = {feed["feed"]: feed["cadence_s"] for feed in status["feeds"]}
    assert (cadences["chains"], cadences["fees"]) == (300, 3600)
    assert all(feed["observed_at"].endswith("+00:00") for feed in status["feeds"])
    assert "age" not in json.dumps(status)


@pytest.mark.parametrize("name", QUESTIONS)
def test_each_question_serves_both_readers(market: Settings, name: str) -> None:
    """It says what it asks and who for, and runs for all coins and, as it is shown, for one."""
    text = (sql_folder() / "board" / f"{name}.sql").read_text("utf-8")
    for field in ("question", "grain", "key", "consumers"):
        assert re.search(rf"^-- {field}: .+", text, re.MULTILINE)
    now = "2026-01-01 00:00:00+00"
    known = {"zone": "UTC", "suspects": [1], "now": f"{now}"}
    one = shown(name, known)
    assert "-- one" not in one + asked(name, known)
    if name in ("suspects", "pairs", "sample"):
        return
    for what, value in {"coin": "1", "chain": "'TRX'", "amount": "NULL"}.items():
        one = one.replace(f"${what}", value)
    with run_query(market.warehouse, one.replace(f"'{now}'", f"TIMESTAMPTZ '{now}'")) as rows:
        assert rows.columns


def test_floats_keep_five_digits_and_what_is_unknown() -> None:
    """What was placed is read back within a hundred thousandth, the rest is not a number."""
    values = [1e-18, 0.1234567, 3.0, 98765.4321, 1e17]
    data = float_matrix(pl.Series([0, 2, 3, 5, 6]), pl.Series(values), 7)
    joined = b"".join(bytes(data[place + 7 * plane] for plane in range(4)) for place in range(7))
    read = struct.unpack("<7f", joined)
    assert [math.isnan(value) for value in read] == [False, True, False, False, True, False, False]
    known = [value for value in read if not math.isnan(value)]
    assert known == pytest.approx(values, rel=1e-5)
    assert byte_matrix(pl.Series([1]), pl.Series([300]), 3) == bytes([0, 255, 0])
    assert packed(data) == packed(data)


def test_a_board_is_behind_until_it_is_built(market: Settings, tmp_path: Path) -> None:
    """No board, or one of an older publication, is behind; a broken status.json means none."""
    settings = replace(market, warehouse=tmp_path)
    assert is_behind(settings, newest(settings.place))
    (tmp_path / "board").mkdir()
    status_path(tmp_path).write_text("{", "utf-8")
    assert is_behind(settings, newest(settings.place))
    status_path(tmp_path).write_text('{"version": null}', "utf-8")
    assert not is_behind(settings, newest(settings.place))
    (tmp_path / "versions").mkdir()
    (tmp_path / "versions" / "ccpay-1.duckdb").touch()
    assert is_behind(settings, newest(settings.place))
    assert not is_behind(market, newest(market.place))


def test_a_build_replaces_both_files_whole(market: Settings) -> None:
    """No reader meets half a page: new files take the place of the old ones, and none is left."""
    before = page_path(market.warehouse).stat().st_ino
    built = build_board(market)
    assert built.page.stat().st_ino != before
    assert built.size == built.page.stat().st_size < 5_000_000
    assert list(built.page.parent.glob("*.tmp")) == []


def test_the_server_has_two_files_for_this_machine_alone(market: Settings) -> None:
    """Page and state, with the headers that a file cannot have; nothing for another host's name."""
    with serve_in_thread(board_app(market.warehouse), 0) as port:
        url = f"http://127.0.0.1:{port}"
        page = httpx.get(url)
        assert page.content == page_path(market.warehouse).read_bytes()
        assert page.headers["content-security-policy"] == "frame-ancestors 'none'"
        status = httpx.get(f"{url}/status.json").json()
        assert status["chain_count"]["maintenance"] == 1
        for path in ("/.lock", "/%2e%2e/ccpay.duckdb", "/board/board.html"):
            assert httpx.get(url + path).status_code == 404
        elsewhere = httpx.get(f"{url}/status.json", headers={"Host": "board.example.com"})
        assert elsewhere.status_code == 400


def test_before_there_is_a_page_the_server_says_so(tmp_path: Path) -> None:
    """A board that is still being built is no error of the server."""
    with serve_in_thread(board_app(tmp_path), 0) as port:
        answer = httpx.get(f"http://127.0.0.1:{port}/")
    assert answer.status_code == 503
    assert "not been built" in answer.text
