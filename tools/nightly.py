"""`make nightly`: ten thousand random histories of payments, in as many processes as there are cores.

Each process has stores of its own and a share of the histories. HISTORIES is another number of them.
"""

import os
import subprocess
import sys

TEST = "tests/payments/test_histories.py"


def main() -> int:
    lanes = max(1, os.cpu_count() or 1)
    each = -(-int(os.environ.get("HISTORIES", "10000")) // lanes)
    environment = {**os.environ, "HYPOTHESIS_PROFILE": "nightly", "HISTORIES": str(each)}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", TEST]
    running = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for _ in range(lanes)
    ]
    for process in running:
        print(process.communicate()[0], flush=True)
    return max(process.returncode for process in running)


if __name__ == "__main__":
    sys.exit(main())
