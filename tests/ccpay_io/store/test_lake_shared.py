"""A lake whose machines share nothing but a network: data behind an S3 API, readers elsewhere."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from lakes import Lakes
from moto.server import ThreadedMotoServer
from postgres import postgres_server

import ccpay_io
from ccpay_io.secret import Secret
from ccpay_io.store.lake.address import S3, Lake
from ccpay_io.store.lake.connection import forget
from ccpay_io.store.lake.tending import tend
from ccpay_io.store.verify import verify
from ccpay_io.store.writer import Warehouse

ROOT = Path(__file__).parents[3]
KEY = "canary-of-the-bucket"
PAIRS = 100
READ = """
import ccpay_io
print(ccpay_io.read("withdraw_fee_now").height, ccpay_io.read("withdraw_fee_history").height)
"""


@contextmanager
def bucket(address: str = "127.0.0.1") -> Iterator[S3]:
    """A real server of the S3 API, with an empty bucket `lake`."""
    server = ThreadedMotoServer(address, 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    try:
        httpx.put(f"{endpoint}/lake").raise_for_status()
        yield S3(Secret("key-id"), Secret(KEY), "us-east-1", endpoint)
    finally:
        server.stop()


def objects(s3: S3) -> int:
    """How many files are in the bucket."""
    return httpx.get(f"{s3.endpoint}/lake?list-type=2").text.count("<Key>")


def sweeps(poll: Any, fee: Any, count: int) -> list[Any]:
    """Polls of all pairs, each fee another one each time."""
    return [
        poll(minute, {(coin, "ETH"): fee(str(minute + coin)) for coin in range(1, PAIRS)})
        for minute in range(count)
    ]


def test_the_data_is_behind_an_s3_api(lakes: Lakes, tmp_path: Path, poll: Any, fee: Any) -> None:
    """Polls, reading, verifying and care; the key is shown nowhere."""
    with bucket() as s3:
        lake = replace(lakes.none_yet("s3://lake/history"), s3=s3)
        warehouse = Warehouse(tmp_path, "test", lake=lake)
        for each in sweeps(poll, fee, 3):
            warehouse.commit([each])
        assert ccpay_io.Reader(lake).view("withdraw_fee_history").height == 3 * (PAIRS - 1)
        tended = tend(lake, datetime.now(UTC), keep=-timedelta(minutes=1))

        assert tended.files_deleted > 0
        assert objects(s3) > 0
        assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
        assert ccpay_io.Reader(lake).view("withdraw_fee_history").height == 3 * (PAIRS - 1)
        assert [finding for finding in verify(warehouse) if not finding.ok] == []
        with ccpay_io.Reader(lake).snapshot() as con:
            assert KEY not in str(con.execute("FROM duckdb_secrets()").fetchall())
        assert KEY not in f"{lake!r} {warehouse.place!r}"
        forget(lake, read_only=True)
        forget(lake, read_only=False)


@contextmanager
def another_network() -> Iterator[tuple[str, str]]:
    """A network namespace with one cable to this one: (its name, this end's address)."""
    name, net = f"ccpay{os.getpid()}", f"10.213.{os.getpid() % 256}"
    ip = shutil.which("ip")
    if ip is None:
        pytest.skip("there is no program `ip`")

    def run(*words: str) -> None:
        done = subprocess.run([ip, *words], capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"no network can be made here: {done.stderr.strip()}")

    run("netns", "add", name)
    try:
        run("link", "add", f"{name}a", "type", "veth", "peer", "name", f"{name}b")
        run("link", "set", f"{name}b", "netns", name)
        run("address", "add", f"{net}.1/30", "dev", f"{name}a")
        run("link", "set", f"{name}a", "up")
        run("-n", name, "address", "add", f"{net}.2/30", "dev", f"{name}b")
        run("-n", name, "link", "set", f"{name}b", "up")
        yield name, f"{net}.1"
    finally:
        # The cable goes with it.
        subprocess.run([ip, "netns", "delete", name], check=False)


@pytest.mark.torture
def test_a_reader_on_another_network(tmp_path: Path, poll: Any, fee: Any) -> None:
    """With the settings alone, by TCP to the catalog and to the bucket, no file in common."""
    with (
        another_network() as (name, address),
        postgres_server(address) as postgres,
        bucket(address) as s3,
    ):
        catalog = f"dbname=dagster host={address} user=dagster"
        password = Secret((Path(postgres.environment["PGHOST"]) / "password").read_text())
        lake = Lake(catalog, password, "s3://lake/history", s3)
        Warehouse(tmp_path, "sandbox", lake=lake).commit(sweeps(poll, fee, 3))
        forget(lake, read_only=False)
        settings = {
            "CCPAY_WAREHOUSE": f"ducklake:postgres:{catalog}",
            "CCPAY_DATA_PATH": "s3://lake/history",
            "AWS_ACCESS_KEY_ID": s3.key_id.reveal(),
            "AWS_SECRET_ACCESS_KEY": s3.key.reveal(),
            "AWS_ENDPOINT_URL": s3.endpoint,
            "PGPASSFILE": postgres.environment["PGPASSFILE"],
            "PYTHONPATH": str(ROOT),
            "HOME": str(tmp_path),
        }
        done = subprocess.run(
            [shutil.which("ip"), "netns", "exec", name, sys.executable, "-c", READ],
            env=settings, cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert done.stdout.split() == [str(PAIRS - 1), str(3 * (PAIRS - 1))], done.stderr
