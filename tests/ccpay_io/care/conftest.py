"""Warehouses that were polled from a misbehaving sandbox over real HTTP, made once and copied."""

from __future__ import annotations

import asyncio
import dataclasses
import math
import shutil
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
import stamina
from made_once import made_once

from ccpay_io.budget import reserves
from ccpay_io.feeds.session import open_collector, open_pacer, open_warehouse
from ccpay_io.sandbox import SANDBOX_APP_ID, SANDBOX_APP_SECRET, serving
from ccpay_io.sandbox.faults import Faults
from ccpay_io.sandbox.server import build_app
from ccpay_io.sandbox.world import World
from ccpay_io.settings import Settings, load_settings
from ccpay_io.store.writer import Warehouse

LISTS = ("chains", "fiats", "coins", "networks")

CONFIG = """
[watch]
chains = ["TRX"]
[[watch.addresses]]
label = "cold"
chain = "TRX"
address = "TXmVpin5vq5gdZsciyyjdZgKRUju4st1wM"
[[watch.addresses]]
label = "warm"
chain = "TRX"
address = "TNotAnAddressAtAll"
[[watch.cwallet_ids]]
label = "partner"
cwallet_user_id = "35255142"
"""

# What goes wrong before each round of polls, and which feeds are polled then.
ROUNDS: list[tuple[list[tuple[str, str, dict[str, Any]]], tuple[str, ...]]] = [
    ([], (*LISTS, "prices", "fees", "prices", "watchlist")),
    (
        [
            ("code:14004", "getWithdrawFee", {"match": {"coinId": 1002}}),
            ("code:11002", "getWithdrawFee", {"match": {"coinId": 1003}}),
            ("status:502", "getWithdrawFee", {"match": {"coinId": 1006}}),
            ("code:11004", "getWithdrawFee", {"times": 3}),
            ("code:10001", "getCoinUSDTPrice", {}),
            ("code:10001 no", "checkWithdrawalAddressValidity", {"times": 4}),
            ("set:logoUrl=1", "getChainList", {}),
        ],
        (*LISTS, "prices", "fees", "watchlist"),
    ),
    ([("half", "*", {})], ("chains", "coins", "networks", "prices")),
    ([("cut", "*", {})], ("chains", "networks")),
    ([("html", "*", {})], ("prices", "watchlist")),
    ([("reset", "*", {})], ("coins", "fees")),
    ([("status:503", "getFiatList", {"times": 2})], ("fiats",)),
    ([("slow:0.2", "getWithdrawFee", {})], ("fees",)),
    ([("code:11014", "getChainList", {"times": 1})], ("chains", "fees")),
    ([], ("chains", "networks", "fees", "prices", "watchlist")),
]


def settings_of(folder: Path, base_url: str) -> Settings:
    """A live account whose API is the sandbox."""
    (folder / "ccpay.toml").write_text(CONFIG)
    return load_settings(
        {
            "CCPAY_BASE_URL": base_url,
            "CCPAY_APP_ID": SANDBOX_APP_ID,
            "CCPAY_APP_SECRET": SANDBOX_APP_SECRET,
            "CCPAY_WAREHOUSE": str(folder / "data"),
            "CCPAY_MAX_RPS": "1000",
        },
        cwd=folder,
    )


class OddWorld(World):
    """One fiat's rate is no exact amount, and can never be stored."""

    def fiats(self, t: float) -> list[dict[str, Any]]:
        """All of them, the second one odd."""
        first, second, *rest = super().fiats(t)
        return [first, {**second, "usdRate": "1e5"}, *rest]


def small_world() -> World:
    """Six coins with their networks; all chains and fiats."""
    found = OddWorld(lively=False)
    coins = found.universe.coins[:6]
    ids = {int(row["coin_id"]) for row in coins}
    networks = tuple(n for n in found.universe.networks if n.coin_id in ids)
    found.universe = dataclasses.replace(found.universe, coins=coins, networks=networks)
    return found


async def _polls(settings: Settings, faults: Faults) -> None:
    async with open_collector(settings) as collector:
        # Nothing to ask yet: a poll that is skipped.
        await collector.poll("fees")
        for active, feeds in ROUNDS:
            faults.clear()
            open_pacer(settings).rearm()
            for fault, endpoint, options in active:
                faults.add(fault, endpoint, **options)
            slow = any(fault.startswith("slow") for fault, *_ in active)
            for feed in feeds:
                await collector.poll(feed, deadline_s=2.6 if slow else None)
    async with open_collector(_poor(settings)) as collector:
        result = await collector.poll("fees")
        assert result.left_out > 0


def _poor(settings: Settings) -> Settings:
    """The same settings with a budget that reaches for five fees a poll until the day ends."""
    limits = open_pacer(settings).status()
    left_s = (limits.resets_at - datetime.now(UTC)).total_seconds()
    fees = 5 * math.ceil(left_s / settings.feeds.fees) + 2
    kept = math.ceil(sum(reserves(settings)) * left_s)
    return dataclasses.replace(settings, daily_budget=limits.used_today + fees + kept)


@pytest.fixture(scope="session")
def polled_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder after everything that can happen to a poll."""
    return made_once(tmp_path_factory, "polled-through-everything", _fill)


def _fill(folder: Path) -> None:
    faults = Faults()
    stamina.set_testing(True, attempts=3, cap=True)
    try:
        with serving(build_app(small_world(), faults=faults)) as base_url:
            asyncio.run(_polls(settings_of(folder, base_url), faults))
            (folder / "base_url").write_text(base_url)
    finally:
        stamina.set_testing(False)


@pytest.fixture
def settings(polled_folder: Path, tmp_path: Path) -> Settings:
    """Settings of a data folder of its own, with all of that."""
    shutil.copytree(polled_folder / "data", tmp_path / "data")
    return settings_of(tmp_path, (polled_folder / "base_url").read_text())


@pytest.fixture
def polled(settings: Settings) -> Warehouse:
    """The warehouse in it, published."""
    warehouse = open_warehouse(settings)
    warehouse.publish(force=True)
    return warehouse


@pytest.fixture
def differences() -> Callable[..., dict[str, int]]:
    """Compares two private files, relation by relation: how many rows only one of them has."""

    def compare(one: Path, two: Path, *, views: bool = False) -> dict[str, int]:
        con = duckdb.connect()
        con.execute(f"ATTACH '{one}' AS one (READ_ONLY); ATTACH '{two}' AS two (READ_ONLY)")
        # One transaction, so that ages are counted from the same moment.
        con.execute("SET TimeZone = 'UTC'; BEGIN")
        try:
            names = con.execute(
                "SELECT table_schema, table_name FROM information_schema.tables"
                " WHERE table_catalog = 'one' AND table_name NOT IN ('migration', 'sealed_file')"
                " AND (table_type = 'BASE TABLE' OR ? AND table_schema = 'main') ORDER BY 1, 2",
                [views],
            ).fetchall()
            assert len(names) > 20
            found = {f"{schema}.{name}": _differing(con, schema, name) for schema, name in names}
        finally:
            con.close()
        return {name: count for name, count in found.items() if count}

    return compare


def _differing(con: duckdb.DuckDBPyConnection, schema: str, name: str) -> int:
    # What a stretch without an answer holds beside its reason is nobody's.
    columns = "entity_id, from_no, to_no, state, unknown_reason"
    shown = columns if name.endswith("_stretch") else "*"
    for side in ("one", "two"):
        con.execute(
            f"USE {side}; CREATE TEMP TABLE {side}_rows AS SELECT {shown} FROM {schema}.{name}"
        )
    (count,) = con.execute("""
        SELECT count(*) FROM (
            SELECT * EXCLUDE (side), sum(side) AS twice
            FROM (SELECT *, 1 AS side FROM temp.one_rows
                  UNION ALL SELECT *, -1 FROM temp.two_rows)
            GROUP BY ALL HAVING twice <> 0)
        """).fetchall()[0]
    con.execute("DROP TABLE temp.one_rows; DROP TABLE temp.two_rows")
    return int(count)


def mount(folder: Path, options: str) -> None:
    """Mounts a file system in memory, or skips the test where that is not allowed."""
    program = shutil.which("mount")
    if program is None:
        pytest.skip("there is no program `mount`")
    command = [program, "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """Makes file systems of so many megabytes, and changes them later: (name, size, read_only)."""
    made: list[Path] = []

    def make(name: str, megabytes: int, *, read_only: bool = False) -> Path:
        folder = tmp_path / name
        options = f"size={megabytes}m" + (",ro" if read_only else "")
        if folder in made:
            options = f"remount,{options}"
        folder.mkdir(exist_ok=True)
        mount(folder, options)
        if folder not in made:
            made.append(folder)
        return folder

    yield make
    for folder in made:
        subprocess.run(["umount", str(folder)], check=True)  # noqa: S607 - as mount was found


@pytest.fixture
def other_disk(disk: Callable[..., Path]) -> Path:
    """Another file system than that of tmp_path."""
    return disk("other", 200)
