"""Debian's servers for the tests: their programs are wanted, and not the services that come with them."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

POSTGRES, CLUSTERS = Path("/usr/lib/postgresql"), Path("/etc/postgresql")
# Debian's packages ask this program before they start anything; 101: not allowed.
_POLICY = Path("/usr/sbin/policy-rc.d")


def debian_postgres() -> Path | None:
    """Where the programs of Debian's PostgreSQL are, the newest if there are several."""
    found = [path for path in POSTGRES.glob("*/bin") if (path / "initdb").exists()]
    return max(found, key=lambda path: path.parent.name, default=None)


def debian_redis() -> str | None:
    return shutil.which("redis-server")


@contextmanager
def nothing_starts() -> Iterator[None]:
    """What is installed in this block is not started, neither now nor when the machine starts. Needs root."""
    before = set(CLUSTERS.glob("*/*/start.conf"))
    ours, had_redis = not _POLICY.exists(), debian_redis()
    if ours:
        _POLICY.write_text("#!/bin/sh\nexit 101\n")
        _POLICY.chmod(0o755)
    try:
        yield
    finally:
        if ours:
            _POLICY.unlink(missing_ok=True)
        for made in set(CLUSTERS.glob("*/*/start.conf")) - before:
            made.write_text("manual\n")
        if debian_redis() and not had_redis and shutil.which("systemctl"):
            subprocess.run(["systemctl", "disable", "redis-server"], capture_output=True, check=False)
