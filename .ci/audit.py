"""Looks up known vulnerabilities of the locked packages, and says so when it could not.

pip-audit ends well when its service knows none of the packages, as where the service cannot be
reached. So one package is asked for first: without an answer the rest is left alone and the last
line says that nothing was checked. Called by `make check`.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

LOCK = Path(__file__).parent.parent / "requirements-dev.lock"
OPTIONS = "--progress-spinner off --disable-pip --no-deps --format json"
PIP_AUDIT = (sys.executable, "-m", "pip_audit", *OPTIONS.split())
PIN = re.compile(r"^([a-z0-9-]+)(?:\[[a-z,]+\])?(==\S+)", re.MULTILINE)


def audit(pins: list[str]) -> list[dict]:
    """What is known about these packages; empty when the service did not answer at all."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as listed:
        listed.write("\n".join(pins))
        listed.flush()
        done = subprocess.run(
            [*PIP_AUDIT, "--requirement", listed.name],
            capture_output=True,
            text=True,
            check=False,
        )
    try:
        return json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        return []


def main() -> int:
    """0: nothing known, or nothing could be checked; 1: a flaw, or a package left unchecked."""
    pins = ["".join(pin) for pin in PIN.findall(LOCK.read_text("utf-8"))]
    if not any("vulns" in one for one in audit(pins[:1])):
        print("pip-audit: SKIPPED, nothing was checked: the vulnerability service does not answer")
        return 0
    found = audit(pins)
    checked = [one for one in found if "vulns" in one]
    for one in checked:
        for flaw in one["vulns"]:
            fixed = ", ".join(flaw["fix_versions"]) or "no version yet"
            print(f"pip-audit: {one['name']} {one['version']}: {flaw['id']}, fixed in {fixed}")
    print(f"pip-audit: {len(checked)} of {len(pins)} locked packages checked")
    return int(len(checked) < len(pins) or any(one["vulns"] for one in checked))


if __name__ == "__main__":
    sys.exit(main())
