"""Runs pytest; where the machine has no browser, says loudly before and after what is skipped."""

import os
import subprocess
import sys

from tools.stack.system_packages import chromium

REASON = "ZAHLWERK_NO_BROWSER"


def main() -> int:
    if not chromium():
        os.environ.setdefault(REASON, "no Chromium on this machine; run: sudo apt-get install -y chromium")
    banner()
    code = subprocess.run([sys.executable, "-m", "pytest", "-q", *sys.argv[1:]], check=False).returncode
    banner()
    return code


def banner() -> None:
    if reason := os.environ.get(REASON):
        line = "!" * 78
        print(f"\n{line}\n!!  BROWSER TESTS ARE SKIPPED: {reason}\n{line}\n", flush=True)


if __name__ == "__main__":
    sys.exit(main())
