"""The project's own files agree with each other: dependencies, locks, settings and their docs."""

import ast
import gc
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from ccpay_io.settings import load_settings

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
RUNTIME = [Requirement(line) for line in PROJECT["dependencies"]]
DEV = [Requirement(line) for line in PROJECT["optional-dependencies"]["dev"]]
BENCH = [Requirement(line) for line in PROJECT["optional-dependencies"]["bench"]]
# Each holds what the one before it holds, version for version.
LOCKS = {
    "requirements.lock": RUNTIME,
    "requirements-dev.lock": RUNTIME + DEV,
    "requirements-bench.lock": RUNTIME + DEV + BENCH,
}
VARIABLE = re.compile(r"\b(?:CCPAY_[A-Z_]+[A-Z]|DAGSTER_HOME)\b")


def text_of(name: str) -> str:
    """The text of a file of the project."""
    return (ROOT / name).read_text("utf-8")


def locked(name: str) -> dict[str, str]:
    """Package -> version in a lock file."""
    pins = re.findall(r"^([a-z0-9-]+)(?:\[[a-z0-9,]+\])?==(\S+)", text_of(name), re.MULTILINE)
    return dict(pins)


@pytest.mark.parametrize("name", LOCKS)
def test_lock_holds_names_versions_and_hashes_only(name: str) -> None:
    """A lock has a version and a hash for each package, and no address or path."""
    allowed = re.compile(
        r"#.*"
        r"|[a-z0-9-]+(\[[a-z0-9,]+\])?==[\w.]+( ; [\w ='.!<-]+)? \\"
        r"|    --hash=sha256:[0-9a-f]{64}( \\)?"
    )
    lines = text_of(name).splitlines()
    assert [line for line in lines if not allowed.fullmatch(line)] == []
    assert not any("/" in line or "@" in line for line in lines)


@pytest.mark.parametrize("name", LOCKS)
def test_lock_fits_the_project(name: str) -> None:
    """Every dependency of pyproject.toml is locked at a version that it allows."""
    pins = locked(name)
    assert [
        str(one) for one in LOCKS[name] if pins[canonicalize_name(one.name)] not in one.specifier
    ] == []


def test_what_runs_is_what_is_tested() -> None:
    """The lock for running is a part of the lock for testing, and that of the benchmark's."""
    smaller, *larger = (locked(name).items() for name in LOCKS)
    for lock in larger:
        assert smaller <= lock
        smaller = lock


@pytest.mark.parametrize("name", LOCKS)
def test_pandas_stays_out(name: str) -> None:
    """With pandas installed, the first DuckDB statement of each process takes two seconds."""
    assert "pandas" not in locked(name)


def test_licences_are_those_of_the_lock() -> None:
    """docs/licences.md is what `make lock` would write, and no licence asks for more than we do."""
    code = "import sys; sys.path.insert(0, '.ci'); import licences; print(licences.page(), end='')"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True
    )
    assert done.stdout == text_of("docs/licences.md")


def test_every_import_is_a_declared_dependency() -> None:
    """What the packages import is listed in pyproject.toml, not borrowed from a dependency."""
    declared = {canonicalize_name(one.name) for one in RUNTIME}
    distributions = packages_distributions()
    undeclared = {
        root
        for root in imported_roots()
        if root not in sys.stdlib_module_names | {"ccpay_io", "pipelines"}
        and not declared & {canonicalize_name(name) for name in distributions.get(root, [])}
    }
    assert undeclared == set()


def imported_roots() -> set[str]:
    """Top-level names imported at run time anywhere in the two packages."""
    # What tests of Dagster left behind closes itself when it is collected. CPython 3.11 raises
    # SystemError when that happens while it parses, at a depth of calls that differs then.
    gc.collect()
    roots: set[str] = set()
    for package in ("ccpay_io", "pipelines"):
        for path in (ROOT / package).rglob("*.py"):
            for node in run_time_nodes(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Import):
                    roots |= {alias.name.partition(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module:
                    roots.add(node.module.partition(".")[0])
    return roots


def run_time_nodes(tree: ast.AST) -> list[ast.AST]:
    """All nodes but those under `if TYPE_CHECKING`."""
    found = [tree]
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            continue
        found += run_time_nodes(child)
    return found


@pytest.mark.parametrize("document", [".env.example", "docs/configuration.md"])
def test_every_variable_is_documented(document: str) -> None:
    """The variables that settings.py reads are those of the document, no more and no fewer."""
    read = set(VARIABLE.findall(text_of("ccpay_io/settings.py")))
    documented = set(VARIABLE.findall(text_of(document))) - {"CCPAY_APPID"}
    assert documented == read


def test_env_example_sets_nothing(tmp_path: Path) -> None:
    """A copy of .env.example that nobody filled in means the sandbox, as no file does."""
    (tmp_path / ".env").write_text(text_of(".env.example"))
    with_file = load_settings({}, cwd=tmp_path)
    (tmp_path / ".env").unlink()
    assert with_file == load_settings({}, cwd=tmp_path)
    assert with_file.environment == "sandbox"


def test_documented_file_is_the_defaults(tmp_path: Path) -> None:
    """The ccpay.toml of the documentation says exactly what no file says."""
    example = re.search(r"```toml\n(.*?)```", text_of("docs/configuration.md"), re.DOTALL)
    assert example
    without = load_settings({}, cwd=tmp_path)
    (tmp_path / "ccpay.toml").write_text(example[1])
    assert load_settings({}, cwd=tmp_path) == without
    for name in ("feeds", "watch", "alerts", "retention", "board"):
        documented = tomllib.loads(example[1])[name]
        commented = set(re.findall(rf"# \[\[{name}\.(\w+)\]\]", example[1]))
        assert documented.keys() | commented >= type(getattr(without, name)).model_fields.keys()


def test_documented_tables_can_be_set(tmp_path: Path) -> None:
    """The commented parts of the documented ccpay.toml are right too."""
    lines = re.findall(
        r"^# (\[\[.*|label.*|chain.*|address.*|cwallet.*|number.*|severity.*|kinds.*)$",
        text_of("docs/configuration.md"),
        re.MULTILINE,
    )
    (tmp_path / "ccpay.toml").write_text("\n".join(lines))
    settings = load_settings({}, cwd=tmp_path)
    assert (len(settings.watch.addresses), len(settings.watch.cwallet_ids)) == (1, 1)
    assert settings.alerts.channels[0].kinds == ("chain_status", "source_health")


@pytest.mark.slow
def test_wheel_works_outside_the_checkout(tmp_path: Path) -> None:
    """The wheel brings SQL and reference data, and finds them where there is no checkout."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    installed = tmp_path / "installed"
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        wheel.extractall(installed)
    code = (
        "import sys; sys.path.insert(0, '.')\n"
        "import ccpay_io.store.schema as schema, pipelines.command.main as main\n"
        "print(schema.sql_folder(), main.__file__)\n"
        "print(sorted(p.name for p in schema.sql_folder().rglob('*.sql')))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=installed, check=True, capture_output=True, text=True
    )
    folders, names = done.stdout.splitlines()
    assert f"{ROOT}/" not in folders
    assert ast.literal_eval(names) == sorted(
        path.name
        for folder in ("migrations", "views", "queries", "board")
        for path in (ROOT / "warehouse" / folder).rglob("*.sql")
    )
    assert len(list((installed / "ccpay_io/sandbox/universe").glob("*.csv"))) == 4
    assert (installed / "ccpay_io/board/page/board.html").exists()
