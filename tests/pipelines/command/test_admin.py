from pathlib import Path

from ccpay_io.settings import Settings


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
