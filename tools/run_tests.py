"""Runs pytest, in two lanes: the stories mostly wait for killed processes to be missed, so they run beside the rest.

What this machine cannot test is said loudly, before and after. Arguments go to pytest, which is then one lane.
"""

import os
import subprocess
import sys
import tempfile

from tools.stack.accounts import is_root
from tools.stack.system_packages import chromium

NO_BROWSER, NO_NAMESPACES = "ZAHLWERK_NO_BROWSER", "ZAHLWERK_NO_NAMESPACES"
SKIPPED = {NO_BROWSER: "BROWSER TESTS ARE SKIPPED", NO_NAMESPACES: "THE TEST WITH TWO HOSTS IS SKIPPED"}
STORIES = "tests/stories"
PYTEST = (sys.executable, "-m", "pytest", "-q")


def main() -> int:
    if not chromium():
        os.environ.setdefault(NO_BROWSER, "no Chromium on this machine; run: sudo apt-get install -y chromium")
    if not is_root():
        os.environ.setdefault(NO_NAMESPACES, "only root may make network namespaces; run: sudo make test")
    banner()
    code = subprocess.run([*PYTEST, *sys.argv[1:]], check=False).returncode if sys.argv[1:] else both_lanes()
    banner()
    return code


def both_lanes() -> int:
    """The stories' output comes in one piece at the end."""
    with tempfile.TemporaryFile() as kept:
        stories = subprocess.Popen([*PYTEST, "-p", "no:cacheprovider", STORIES], stdout=kept, stderr=subprocess.STDOUT)
        try:
            code = subprocess.run([*PYTEST, "--ignore", STORIES], check=False).returncode
            code = stories.wait() or code
        finally:
            stories.terminate()
            stories.wait()
        kept.seek(0)
        print(f"\n{STORIES}, which ran beside the others:\n{kept.read().decode(errors='replace')}", flush=True)
    return code


def banner() -> None:
    for name, what in SKIPPED.items():
        if reason := os.environ.get(name):
            line = "!" * 78
            print(f"\n{line}\n!!  {what}: {reason}\n{line}\n", flush=True)


if __name__ == "__main__":
    sys.exit(main())
