"""The simulation of merchants on a lake, for a moment."""

from __future__ import annotations

from pathlib import Path

import pytest
from postgres import Postgres

from bench import lake


@pytest.mark.torture
@pytest.mark.timeout(600)
@pytest.mark.parametrize("apart", [False, True], ids=["one lake", "a lake each"])
def test_merchants_write_until_more_bring_little(
    postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, apart: bool
) -> None:
    """The first two numbers of merchants, each for some seconds."""
    monkeypatch.setenv("PGPASSFILE", postgres.environment["PGPASSFILE"])
    monkeypatch.setattr(lake, "MOST", 2)
    catalog = f"dbname=dagster host={postgres.environment['PGHOST']} user=dagster"
    taken = list(lake.growing(catalog, tmp_path, apart=apart, seconds=4))
    assert [each.merchants for each in taken] == [1, 2]
    assert all(each.per_s > 0 < each.median_s for each in taken)
