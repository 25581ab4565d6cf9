"""Writes docs/licences.md: what each locked package that a server installs is licensed under.

Reads the metadata of the packages in .venv, where all of them are. Stops at a licence that nobody
has looked at yet, and at one that asks for more than naming its authors. Called by `make lock`; a
test compares the file with what this would write.
"""

import re
import sys
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

ROOT = Path(__file__).parent.parent
TARGET = ROOT / "docs" / "licences.md"
PIN = re.compile(r"^([a-z0-9-]+)(?:\[[a-z,]+\])?==(\S+)", re.MULTILINE)

# What packages call their licence -> its name at spdx.org.
NAMES = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache Software License": "Apache-2.0",
    "BSD": "BSD-3-Clause",
    "BSD License": "BSD-3-Clause",
    "GNU Library or Lesser General Public License (LGPL)": "LGPL-3.0-or-later",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
PERMISSIVE = {"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "MIT", "MIT-0", "PSF-2.0"}
# Used unchanged, as separate files: nothing of ours comes under them.
ACCEPTED = {"certifi": "MPL-2.0", "psycopg2-binary": "LGPL-3.0-or-later", "tqdm": "MPL-2.0 AND MIT"}
# Installed on other systems only, where this cannot look.
ELSEWHERE = {
    "colorama": "BSD-3-Clause",
    "psutil": "BSD-3-Clause",
    "pyreadline3": "BSD-3-Clause",
    "pywin32": "PSF-2.0",
}


def licence_of(package: str) -> str:
    """The licence that a package names, in the words of spdx.org."""
    try:
        found = metadata(package)
    except PackageNotFoundError:
        return ELSEWHERE[package]
    if expression := found.get("License-Expression"):
        return str(expression)
    classifiers = [line.split(" :: ") for line in found.get_all("Classifier") or []]
    told = [parts[-1] for parts in classifiers if parts[0] == "License" and len(parts) > 2]
    told = told or [str(found.get("License") or "unknown").splitlines()[0].strip()]
    return " AND ".join(sorted({NAMES.get(name, name) for name in told}))


def page() -> str:
    """The document.

    Raises:
        SystemExit: a package has a licence that is not accepted here.
    """
    lines = []
    for package, version in PIN.findall((ROOT / "requirements.lock").read_text("utf-8")):
        licence = licence_of(package)
        free = set(re.split(r" AND | OR ", licence)) <= PERMISSIVE
        if not free and ACCEPTED.get(package) != licence:
            sys.exit(f"licences: look at {package} {version}: {licence}")
        lines.append(f"| {package} | {version} | {licence} |")
    return "\n".join([*HEAD, *lines, ""])


HEAD = """\
# Licences of what is installed with it

Written by `make lock`; do not edit. The packages of `requirements.lock`, as their metadata says.
This project is Apache-2.0. Three are under licences with conditions, all of which using them
unchanged meets: certifi and tqdm (MPL-2.0), psycopg2-binary (LGPL, and only where Dagster keeps its
records in PostgreSQL). The board holds the chart library that vl-convert-python brings: Vega and
Vega-Lite (BSD-3-Clause).

| package | version | licence |
|---|---|---|""".splitlines()

if __name__ == "__main__":
    TARGET.write_text(page(), "utf-8")
