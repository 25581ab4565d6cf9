"""The baseline for writing: dlt loads the rows of one poll into a DuckDB file of its own.

Owns the dlt pipeline and the stop watch around it. dlt is an extra that only `make bench` installs;
without it there is no such baseline. Called by hour.py.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import polars as pl

# Without a hint dlt keeps nine decimals of a Decimal.
_AMOUNT = {"fee_amount": {"data_type": "decimal", "precision": 38, "scale": 18}}


def installed() -> str | None:
    """The version of dlt, or None."""
    return version("dlt") if find_spec("dlt") else None


class DltFiles:
    """Two DuckDB files that dlt appends to: from Arrow tables and from dicts.

    Args:
        folder: an empty one, for everything that dlt writes.
    """

    def __init__(self, folder: Path) -> None:
        import dlt

        self._folder = folder
        self._pipelines = {
            form: dlt.pipeline(
                f"bench_{form}",
                pipelines_dir=str(folder / form),
                destination=dlt.destinations.duckdb(str(folder / f"{form}.duckdb")),
                dataset_name="bench",
            )
            for form in ("arrow", "dicts")
        }

    def append(self, rows: pl.DataFrame) -> dict[str, float]:
        """Seconds that dlt takes for the rows of one fee poll (rows.py), in each form."""
        with _settings(self._folder):
            return {
                "arrow": self._run("arrow", rows.to_arrow()),
                "dicts": self._run("dicts", rows.to_dicts()),
            }

    def _run(self, form: str, rows: Any) -> float:
        started = time.perf_counter()
        self._pipelines[form].run(
            rows, table_name="fee", write_disposition="append", columns=_AMOUNT
        )
        return time.perf_counter() - started


@contextmanager
def _settings(folder: Path) -> Iterator[None]:
    """No message to dlt's makers, and nothing outside of the scratch folder."""
    wanted = {"RUNTIME__DLTHUB_TELEMETRY": "false", "DLT_DATA_DIR": str(folder / "data")}
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def ask(base_url: str, count: int) -> None:
    """Asks for so many fees with dlt's REST client."""
    from dlt.sources.helpers.rest_client import RESTClient

    client = RESTClient(base_url)
    for _ in range(count):
        client.post("getWithdrawFee", json={"coinId": 1280, "chain": "POLYGON"}).json()
