"""`make nightly`: ten thousand random histories of payments, in as many processes as there are cores; then thousands of
requests to the API, made up from its description with a seed of this night.

Each process has stores of its own and a share of the histories. HISTORIES is another number of them; SPEC_EXAMPLES of
requests for each operation, and SPEC_SEED tries those of another night again.
"""

import os
import secrets
import subprocess
import sys

HISTORIES = "tests/payments/test_histories.py"
REQUESTS = "tests/api/test_spec.py"
PYTEST = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")


def main() -> int:
    return max(histories(), requests())


def histories() -> int:
    lanes = max(1, os.cpu_count() or 1)
    each = -(-int(os.environ.get("HISTORIES", "10000")) // lanes)
    environment = {**os.environ, "HYPOTHESIS_PROFILE": "nightly", "HISTORIES": str(each)}
    running = [
        subprocess.Popen(
            [*PYTEST, HISTORIES], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        for _ in range(lanes)
    ]
    for process in running:
        print(process.communicate()[0], flush=True)
    return max(process.returncode for process in running)


def requests() -> int:
    seed = os.environ.get("SPEC_SEED") or str(secrets.randbelow(2**31))
    print(f"requests made up from the description, SPEC_SEED={seed}", flush=True)
    environment = {"SPEC_EXAMPLES": "200", **os.environ, "SPEC_SEED": seed}
    return subprocess.run([*PYTEST, REQUESTS], env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
