"""Looks at the machine before anything starts, and says what is missing in one line each."""

import ctypes
import errno
import shutil
import socket
import sys
import time
from pathlib import Path

from tools.stack.errors import StackError
from tools.stack.say import say

PANGO = ("libpango-1.0.so.0", "libpangoft2-1.0.so.0", "libgobject-2.0.so.0")
PANGO_PACKAGES = "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core"
LEAST_FREE_BYTES = 500_000_000


def examine(home: Path, ports: list[int], patience_seconds: float = 3) -> None:
    """Raises StackError for what makes a start pointless; says what will only be lacking."""
    if not (3, 11) <= sys.version_info[:2] <= (3, 13):
        raise StackError(f"Python 3.11 to 3.13 is needed, this is {sys.version.split()[0]}.")
    if shutil.disk_usage(home).free < LEAST_FREE_BYTES:
        raise StackError(f"less than 500 MB are free on the disk of {home}.")
    _wait_for_ports(ports, patience_seconds)
    if missing := missing_libraries():
        say(f"PDF files cannot be made ({missing[0]} is missing): apt-get install {PANGO_PACKAGES}")


def missing_libraries() -> list[str]:
    """Names of Pango's libraries that this machine cannot load (asked on Linux only)."""
    return [name for name in PANGO if sys.platform == "linux" and not _loads(name)]


def _loads(name: str) -> bool:
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def _wait_for_ports(ports: list[int], seconds: float) -> None:
    # A moment of patience: the ports of a run that has just ended may still be closing.
    deadline = time.monotonic() + seconds
    while taken := [port for port in ports if _is_taken(port)]:
        if time.monotonic() > deadline:
            raise StackError(
                f"port {taken[0]} is taken by another program. Ports {ports[0]} to {ports[-1]} are "
                f"needed; move them all with for example: make run PORT={ports[0] + 1000}"
            )
        time.sleep(0.2)


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as problem:
            if problem.errno == errno.EADDRINUSE:
                return True
            raise StackError(f"port {port} cannot be used: {problem.strerror}") from None
    return False
