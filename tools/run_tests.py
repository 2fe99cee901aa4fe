"""Runs pytest, in two lanes for two cores: what mostly waits, for browsers and killed processes, runs beside the rest.

What this machine cannot test is said loudly, before and after. Arguments go to pytest, which is then one lane.
"""

import os
import subprocess
import sys
import tempfile

from tools.stack.accounts import is_root
from tools.stack.quiet import debian_postgres, debian_redis
from tools.stack.system_packages import chromium

NO_BROWSER, NO_NAMESPACES, NO_SERVERS = "ZAHLWERK_NO_BROWSER", "ZAHLWERK_NO_NAMESPACES", "ZAHLWERK_NO_SERVERS"
SKIPPED = {
    NO_BROWSER: "BROWSER TESTS ARE SKIPPED",
    NO_NAMESPACES: "THE TEST WITH TWO HOSTS IS SKIPPED",
    NO_SERVERS: "TESTS ON DEBIAN'S POSTGRESQL AND REDIS ARE SKIPPED",
}
# What mostly waits, and so much of the rest that both lanes take about as long.
_SECOND = ("stories", "jobs", "tools", "hosted_pages", "sandbox", "api", "connectors", "messages")
SECOND_LANE = (*(f"tests/{folder}" for folder in _SECOND), "tests/payments/test_histories.py")
PYTEST = (sys.executable, "-m", "pytest", "-q", "--durations=12")  # the slowest are named: the suite has 15 minutes


def main() -> int:
    if not chromium():
        os.environ.setdefault(NO_BROWSER, "no Chromium on this machine; run: sudo apt-get install -y chromium")
    if not is_root():
        os.environ.setdefault(NO_NAMESPACES, "only root may make network namespaces; run: sudo make test")
    if not (debian_postgres() and debian_redis()):
        told = "they are not on this machine; run: sudo apt-get install -y postgresql redis-server"
        os.environ.setdefault(NO_SERVERS, told)
    banner()
    code = subprocess.run([*PYTEST, *sys.argv[1:]], check=False).returncode if sys.argv[1:] else both_lanes()
    banner()
    return code


def both_lanes() -> int:
    """What the second lane says comes in one piece at the end."""
    with tempfile.TemporaryFile() as kept:
        waiting = subprocess.Popen(
            [*PYTEST, "-p", "no:cacheprovider", *SECOND_LANE], stdout=kept, stderr=subprocess.STDOUT
        )
        try:
            others = subprocess.run(
                [*PYTEST, *(f"--ignore={folder}" for folder in SECOND_LANE)], check=False
            ).returncode
            code = waiting.wait() or others
        finally:
            waiting.terminate()
            waiting.wait()
        kept.seek(0)
        print(f"\nBeside it, {', '.join(SECOND_LANE)}:\n{kept.read().decode(errors='replace')}", flush=True)
    return code


def banner() -> None:
    for name, what in SKIPPED.items():
        if reason := os.environ.get(name):
            line = "!" * 78
            print(f"\n{line}\n!!  {what}: {reason}\n{line}\n", flush=True)


if __name__ == "__main__":
    sys.exit(main())
