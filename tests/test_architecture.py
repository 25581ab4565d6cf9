"""The shape of the code: which way imports point, and what every module must be like."""

import ast
import gc
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = sorted(
    path for package in ("ccpay_io", "pipelines") for path in (ROOT / package).rglob("*.py")
)
SKIPPED_FOLDERS = {".git", ".venv", ".dagster", "__pycache__", "data", "dist", ".hypothesis"}

BLOCK_AND_IMPORT = """
import importlib, pkgutil, sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"dagster", "dagster_webserver", "pipelines"}:
            raise ImportError(name + " is blocked")

sys.meta_path.insert(0, Blocked())
import ccpay_io
for module in pkgutil.walk_packages(ccpay_io.__path__, "ccpay_io."):
    importlib.import_module(module.name)
print("imported")
"""


def run(code: str) -> str:
    """What a fresh interpreter prints for this code."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def tree_of(path: Path) -> ast.Module:
    """A module's syntax tree.

    Without the garbage collector: CPython 3.11 miscounts its depth, and raises SystemError, when a
    finalizer of another test's leftovers runs inside ast.parse.
    """
    gc.disable()
    try:
        return ast.parse(path.read_text("utf-8"))
    finally:
        gc.enable()


def imported(path: Path) -> Iterator[str]:
    """The full names that a module imports, wherever in it."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def name_of(path: Path) -> str:
    """A module's path as the name of a test case."""
    return str(path.relative_to(ROOT))


def test_library_works_without_dagster() -> None:
    """Every module of ccpay_io can be imported where dagster does not exist."""
    assert run(BLOCK_AND_IMPORT) == "imported"


@pytest.mark.parametrize("heavy", ["dagster", "starlette", "apprise"])
def test_command_starts_light(heavy: str) -> None:
    """Loading the command loads nothing that only some of its sub-commands need."""
    loaded = run(f"import sys, pipelines.command.main; print({heavy!r} in sys.modules)")
    assert loaded == "False"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_point_one_way(path: Path) -> None:
    """ccpay_io knows nothing of pipelines or dagster; pipelines does no HTTP and no SQL itself."""
    names = set(imported(path))
    roots = {name.partition(".")[0] for name in names}
    if path.is_relative_to(ROOT / "ccpay_io"):
        assert not roots & {"dagster", "pipelines", "pandas"}
    else:
        assert not roots & {"httpx", "duckdb", "sqlite3", "requests", "pandas"}
        assert "__future__.annotations" not in names


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_module_opens_with_a_charter(path: Path) -> None:
    """A module says what it is for before anything else."""
    charter = ast.get_docstring(tree_of(path)) or ""
    assert len(charter.split()) >= 6


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_module_and_functions_stay_short(path: Path) -> None:
    """No module is longer than 300 lines and no function longer than 60."""
    text = path.read_text("utf-8")
    assert len(text.splitlines()) <= 300
    too_long = [
        node.name
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno >= 60
    ]
    assert too_long == []


def test_settings_alone_read_the_environment() -> None:
    """In ccpay_io the environment is read in settings.py and nowhere else."""
    readers = {
        name_of(path)
        for path in MODULES
        if path.is_relative_to(ROOT / "ccpay_io")
        and re.search(r"\bos\.(environ|getenv)\b|\bdotenv\b", path.read_text("utf-8"))
    }
    assert readers == {"ccpay_io/settings.py", "ccpay_io/variables.py"}


def project_texts() -> Iterator[tuple[str, str]]:
    """Name and text of every file of the project."""
    for path in sorted(ROOT.rglob("*")):
        inside = path.relative_to(ROOT)
        skipped = any(part in SKIPPED_FOLDERS or part.endswith("_cache") for part in inside.parts)
        if path.is_file() and not skipped and path.suffix not in {".png", ".pyc", ".duckdb"}:
            yield str(inside), path.read_text("utf-8", errors="replace")


@pytest.mark.parametrize(
    "parts",
    [
        ("pypi", ".org"),
        ("python", "hosted"),
        ("--index", "-url"),
        ("find", "-links"),
        ("/wo", "rk/"),
    ],
    ids="".join,
)
def test_no_file_names_an_index_or_a_machine(parts: tuple[str, str]) -> None:
    """Files name no package index and no path of the machine that they were written on."""
    # In two parts, so that this file does not name them either.
    unwanted = "".join(parts)
    assert [name for name, text in project_texts() if unwanted in text] == []
