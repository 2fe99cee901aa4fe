"""`make audit`: asks the public advisories about every package of the environment, with pip-audit.

pip-audit lives in an environment of its own, so that nothing of it reaches the product. Exit code 1: something is
known to be vulnerable. 2: nobody could be asked (no network, no advisories), which says nothing about the packages.
"""

import json
import subprocess
import sys
import sysconfig
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tools.stack.places import CLONE

AUDITOR = "pip-audit==2.10.1"
HOME = CLONE / "var" / "audit"
PROBE = "certifi"


def main() -> int:
    if not (HOME / "bin" / "pip-audit").exists() and not _install():
        return _nobody_asked(f"{AUDITOR} could not be installed")
    # A mirror without advisories answers "not found" to each package, and pip-audit calls that a success.
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as one:
        one.write(f"{PROBE}=={version(PROBE)}\n")
        one.flush()
        probed = _ask("--requirement", one.name, "--no-deps", "--disable-pip")
    if not [package for package in probed if "vulns" in package]:
        return _nobody_asked(probed[0]["skip_reason"] if probed else "no answer")
    return report(_ask("--path", sysconfig.get_path("purelib")))


def report(packages: list[dict[str, Any]]) -> int:
    """Prints what was found and returns the exit code. A package without `vulns` could not be looked up."""
    vulnerable = [(package, one) for package in packages for one in package.get("vulns", ())]
    skipped = [package["name"] for package in packages if "vulns" not in package]
    for package, one in vulnerable:
        mended = ", ".join(one["fix_versions"]) or "no version yet"
        print(f"{package['name']} {package['version']}: {one['id']}, mended in {mended}")
    if skipped:
        print(f"Not looked up: {', '.join(skipped)}")
    print(f"{len(packages) - len(skipped)} packages looked up, {len(vulnerable)} advisories.")
    return 1 if vulnerable else 0 if len(skipped) < len(packages) else 2


def _ask(*what: str) -> list[dict[str, Any]]:
    words = [str(HOME / "bin" / "pip-audit"), *what, "--format", "json", "--progress-spinner", "off", "--timeout", "15"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    try:
        return json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        return []


def _install() -> bool:
    HOME.parent.mkdir(parents=True, exist_ok=True)
    steps: tuple[list[str | Path], ...] = (
        [sys.executable, "-m", "venv", HOME],
        [HOME / "bin" / "python", "-m", "pip", "install", "--quiet", AUDITOR],
    )
    return all(subprocess.run(step, check=False, capture_output=True).returncode == 0 for step in steps)


def _nobody_asked(why: str) -> int:
    print(f"No advisories were read: {why}\nThis says nothing about the packages. Try again where there is a network.")
    return 2


if __name__ == "__main__":
    sys.exit(main())
