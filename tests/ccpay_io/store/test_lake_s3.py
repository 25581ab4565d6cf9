"""A lake whose files are on S3, from a server of moto's: the same commits and reads."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from lakes import Lakes
from moto.server import ThreadedMotoServer

import ccpay_io
from ccpay_io.errors import QueryRefused
from ccpay_io.settings import load_settings
from ccpay_io.store.lake.connection import forget
from ccpay_io.store.verify import verify
from ccpay_io.store.writer import Warehouse

KEY = "canary-of-s3-key"


@pytest.fixture
def endpoint() -> Iterator[str]:
    """The address of an S3 API with an empty bucket."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    with urlopen(Request(f"{url}/ccpay", method="PUT")):  # noqa: S310 - of this machine
        pass
    yield url
    server.stop()


@pytest.mark.slow
def test_a_lake_on_s3(lakes: Lakes, endpoint: str, tmp_path: Path, poll: Any, fee: Any) -> None:
    """Nothing is on the disk; what opens the bucket is shown nowhere; readers stay locked down."""
    database = lakes.none_yet(None)
    host, user = (lakes.postgres.environment[name] for name in ("PGHOST", "PGUSER"))
    password = database.password.reveal() if database.password else ""
    words = f"{database.catalog.split(' ')[0]} host={host} user={user} password={password}"
    settings = load_settings(
        {
            "CCPAY_WAREHOUSE": f"ducklake:postgres:{words}",
            "CCPAY_DATA_PATH": "s3://ccpay/lake",
            "AWS_ACCESS_KEY_ID": "canary-of-s3",
            "AWS_SECRET_ACCESS_KEY": KEY,
            "AWS_ENDPOINT_URL": endpoint,
        },
        cwd=tmp_path,
    )
    warehouse = Warehouse(settings.warehouse, settings.stamp, lake=settings.lake)
    rows = {(coin, "ETH"): fee("1.5", coin) for coin in range(100)}
    warehouse.commit([poll(0, rows)])
    warehouse.commit([poll(5, {**rows, (1, "ETH"): fee("2")})])

    assert settings.lake
    reader = ccpay_io.Reader(settings.lake)
    assert len(reader.view("withdraw_fee_now")) == 100
    assert [finding for finding in verify(warehouse) if not finding.ok] == []
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    with pytest.raises(QueryRefused):
        reader.frame("SELECT * FROM read_text('/etc/hostname')")
    with reader.snapshot() as con:
        shown = json.dumps(con.execute("FROM duckdb_secrets()").fetchall(), default=str)
    assert KEY not in shown + repr(settings) + str(settings.lake)
    forget(settings.lake, read_only=True)
    forget(settings.lake, read_only=False)
