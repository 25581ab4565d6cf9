"""The Dagster instance of a warehouse: its folder, and its settings file there.

Owns how dagster.yaml gets into DAGSTER_HOME. Imports no dagster. Called by the command.
"""

import os
from pathlib import Path

TEMPLATE = Path(__file__).parent / "dagster.yaml"


def prepare_home(home: Path) -> Path:
    """Creates DAGSTER_HOME with the settings of this release, and names it to this process.

    A dagster.yaml that does not begin with the template's first line is somebody's own and stays.
    """
    home.mkdir(parents=True, exist_ok=True)
    wanted = TEMPLATE.read_text("utf-8")
    target = home / "dagster.yaml"
    ours = wanted.splitlines()[0]
    found = target.read_text("utf-8") if target.exists() else ours
    if found.startswith(ours) and found != wanted:
        temporary = home / f"dagster.yaml.{os.getpid()}"
        temporary.write_text(wanted, "utf-8")
        temporary.replace(target)
    os.environ["DAGSTER_HOME"] = str(home)
    return home
