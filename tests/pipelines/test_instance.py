import os
from pathlib import Path

import pytest

from pipelines.instance import TEMPLATE, prepare_home

OURS = TEMPLATE.read_text("utf-8")


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable that prepare_home sets goes with the test."""
    monkeypatch.setenv("DAGSTER_HOME", "")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(None, OURS, id="a new home"),
        pytest.param(OURS, OURS, id="up to date"),
        pytest.param(OURS.splitlines()[0] + "\nold: true\n", OURS, id="of an older release"),
        pytest.param("mine: true\n", "mine: true\n", id="somebody's own"),
    ],
)
def test_settings_of_the_instance(tmp_path: Path, before: str | None, after: str) -> None:
    """Ours is kept up to date; a file that people made their own stays as it is."""
    home = tmp_path / "a" / "home"
    if before is not None:
        home.mkdir(parents=True)
        (home / "dagster.yaml").write_text(before, "utf-8")
    assert prepare_home(home) == home
    assert (home / "dagster.yaml").read_text("utf-8") == after
    assert os.environ["DAGSTER_HOME"] == str(home)


def test_the_checkout_has_the_same_file_at_the_top() -> None:
    """`dagster dev` without DAGSTER_HOME takes its settings from the working directory."""
    top = Path(__file__).parents[2] / "dagster.yaml"
    assert top.read_text("utf-8") == OURS
