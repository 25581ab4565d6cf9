from pathlib import Path

import pytest
from lakes import Lakes
from postgres import PASSWORD

from ccpay_io.settings import Settings, load_settings
from ccpay_io.store.lake.connection import forget


def test_a_whole_warehouse(ccpay_command, filled: Settings) -> None:
    """Every promise holds."""
    done = ccpay_command("admin", "verify")
    assert done.code == 0
    assert "WRONG" not in done.out


def test_nothing_to_verify(ccpay_command, settings: Settings) -> None:
    """Not "ok": it says what to run, exits with 1 and makes nothing."""
    done = ccpay_command("admin", "verify")
    assert done.code == 1
    assert "ccpay poll all" in done.err
    assert not settings.warehouse.exists()


def test_a_damaged_raw_file_is_found(ccpay_command, filled: Settings) -> None:
    """The exit code is 1 and the line says which promise is broken."""
    raw: Path = next((filled.warehouse / "raw").rglob("fiats-*.zst"))
    raw.write_bytes(b"not what was written")
    done = ccpay_command("admin", "verify")
    assert done.code == 1
    assert "WRONG  raw files" in done.out


def test_a_backup_and_back(ccpay_command, filled: Settings, tmp_path: Path) -> None:
    """It prints what it copied; what is restored is published and verified."""
    done = ccpay_command("admin", "backup", str(tmp_path / "backup"))
    assert done.code == 0
    assert "writers' file" in done.out
    assert "7 polls in" in done.out
    filled.warehouse.rename(tmp_path / "old")
    done = ccpay_command("admin", "restore", str(tmp_path / "backup"))
    assert done.code == 0
    assert "WRONG" not in done.out
    assert "7 polls in" in done.out
    assert ccpay_command("query", "SELECT count(*) FROM withdraw_fee_now").code == 0


def test_a_restore_over_data_is_refused(ccpay_command, filled: Settings, tmp_path: Path) -> None:
    """Exit code 2, and what to do about it."""
    ccpay_command("admin", "backup", str(tmp_path / "backup"))
    done = ccpay_command("admin", "restore", str(tmp_path / "backup"))
    assert done.code == 2
    assert "has a warehouse already" in done.err
    assert "mv " in done.err


def test_a_damaged_backup_is_refused(ccpay_command, filled: Settings, tmp_path: Path) -> None:
    """One line, exit code 1, and the folder stays as it is."""
    ccpay_command("admin", "backup", str(tmp_path / "backup"))
    filled.warehouse.rename(tmp_path / "old")
    (tmp_path / "backup" / "warehouse.duckdb").write_bytes(b"")
    done = ccpay_command("admin", "restore", str(tmp_path / "backup"))
    assert done.code == 1
    assert "is damaged: warehouse.duckdb" in done.err
    assert not filled.warehouse.exists()


def test_a_rebuild(ccpay_command, filled: Settings) -> None:
    """It says how many polls were made again, and that the ledger is as it was."""
    done = ccpay_command("admin", "rebuild")
    assert done.code == 0
    assert "7 made again, published; the ledger is as it was" in done.out
    assert ccpay_command("admin", "verify").code == 0


def test_a_rebuild_that_would_lose_polls(ccpay_command, filled: Settings) -> None:
    """It stops, with the option that helps."""
    for raw in (filled.warehouse / "raw").rglob("fees-*.zst"):
        raw.unlink()
    done = ccpay_command("admin", "rebuild")
    assert done.code == 1
    assert "would lose polls (1, from" in done.err
    assert "--from BACKUP" in done.err


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_warehouse_moves_to_a_lake(
    ccpay_command, filled: Settings, lakes: Lakes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says what was moved and what to set; with that the commands show the same as before."""
    for name, value in lakes.postgres.environment.items():
        monkeypatch.setenv(name, value)
    lake = f"ducklake:postgres:{lakes.none_yet(None).catalog}"
    ask = ("query", "SELECT coin, chain, fee_amount FROM withdraw_fee_now ORDER BY ALL")
    before = ccpay_command(*ask)
    shared = str(tmp_path / "shared")

    moved = ccpay_command("admin", "migrate", str(filled.warehouse), lake, "--data-path", shared)

    assert (moved.code, "WRONG" in moved.out) == (0, False)
    assert "rows are the same in both" in moved.out
    assert f"now set CCPAY_WAREHOUSE to {lake}" in moved.out
    assert PASSWORD not in moved.out + moved.err
    monkeypatch.setenv("CCPAY_WAREHOUSE", lake)
    after = ccpay_command(*ask)
    assert (after.code, after.out) == (0, before.out)
    refused = ccpay_command("admin", "backup", str(tmp_path / "backup"))
    assert refused.code == 2
    assert "this warehouse is a lake" in refused.err
    settings = load_settings()
    assert settings.lake
    forget(settings.lake, read_only=True)
    forget(settings.lake, read_only=False)
