"""Debian packages: installed when we are root and they are missing, named when we are not."""

import os
import shutil
import subprocess
import sys

from tools.stack.accounts import is_root
from tools.stack.doctor import PANGO_PACKAGES, missing_libraries
from tools.stack.quiet import debian_postgres, debian_redis, nothing_starts
from tools.stack.say import say

SYSTEM_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


def ensure(purpose: str) -> None:
    """Install what the purpose ("run" or "test") lacks, as far as we may; never fails."""
    missing: list[str] = []
    if missing_libraries():
        missing += PANGO_PACKAGES.split()
    if purpose == "test" and not chromium():
        missing.append("chromium")
    if purpose == "test" and is_root() and not shutil.which("ip", path=SYSTEM_PATH):
        missing.append("iproute2")  # only root may make network namespaces
    if purpose == "test" and is_root():
        _install_servers()
    if missing and sys.platform == "linux":
        if not is_root():
            say(f"missing on this machine: sudo apt-get install -y {' '.join(missing)}")
        elif not install(missing):
            say(f"could not be installed: apt-get install -y {' '.join(missing)}")


def _install_servers() -> None:
    """PostgreSQL and Redis as operators have them; apart, for they are not to be started and may be missing."""
    wanted = {"postgresql": debian_postgres(), "redis-server": debian_redis()}
    missing = [name for name, found in wanted.items() if not found]
    if missing and sys.platform == "linux":
        with nothing_starts():
            installed = install(missing)
        if not installed:
            say(f"could not be installed: apt-get install -y {' '.join(missing)}")


def chromium() -> str | None:
    """The browser for the tests, if this machine has one."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((found for name in names if (found := shutil.which(name))), None)


def install(packages: list[str]) -> bool:
    """Says whether apt-get could install them all."""
    if not shutil.which("apt-get"):
        return False
    say(f"installing Debian packages: {' '.join(packages)}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    quiet = ["-qq", "-o", "Dpkg::Use-Pty=0"]
    for words in (["update"], ["install", "-y", "--no-install-recommends", *packages]):
        done = subprocess.run(["apt-get", *quiet, *words], env=environment, stdout=subprocess.DEVNULL, check=False)
    return done.returncode == 0
