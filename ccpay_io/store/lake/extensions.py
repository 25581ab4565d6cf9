"""DuckDB's extensions for a lake, from installed packages or from DuckDB's own repository.

Owns which of the two: a package is taken where it is installed, so that machines without a network
can have a lake; elsewhere DuckDB fetches the extension once and keeps it. Called by connection.py.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import duckdb

from ccpay_io.errors import WarehouseError

ALWAYS = ("ducklake", "postgres_scanner")
FOR_S3 = ("httpfs",)


def load_extensions(con: duckdb.DuckDBPyConnection, *, s3: bool) -> None:
    """Loads what a lake needs into a new DuckDB.

    Raises:
        WarehouseError: an extension can neither be found nor fetched.
    """
    for name in ALWAYS + (FOR_S3 if s3 else ()):
        packaged = _packaged(name)
        try:
            if packaged:
                con.execute(f"LOAD '{_text(packaged)}'")
            else:
                con.execute(f"INSTALL {name}; LOAD {name}")
        except duckdb.Error as error:
            said = str(error).splitlines()[0]
            raise WarehouseError(
                f"DuckDB {duckdb.__version__} cannot load its extension {name}: {said}",
                hint="with a network DuckDB fetches it; without, pip install"
                " 'ccpay-warehouse[ducklake]'",
            ) from None


def _packaged(name: str) -> Path | None:
    """The file in an installed package, if it is for this version of DuckDB."""
    spec = find_spec(f"duckdb_extension_{name}")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / "extensions" / f"v{duckdb.__version__}"
    file = folder / f"{name}.duckdb_extension"
    return file if file.exists() else None


def _text(path: Path) -> str:
    return str(path).replace("'", "''")
