"""One stack per home: a lock that the kernel drops with its last holder, the guard."""

import fcntl
import json
import os
import time
from pathlib import Path

from tools.stack.errors import AlreadyRunning
from tools.stack.places import Account

CLEANING_SECONDS = 20.0


def take(home: Path, owner: Account | None = None) -> int:
    """The locked descriptor of `<home>/stack.lock`; close it to let go.

    Waits while the guard of a killed owner still cleans up. Raises AlreadyRunning if the owner
    is alive.
    """
    descriptor = os.open(home / "stack.lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
    deadline = time.monotonic() + CLEANING_SECONDS
    while not _locked(descriptor):
        holder = read(home)
        if _alive(holder.get("pid")) or time.monotonic() > deadline:
            os.close(descriptor)
            where = f" at {holder['url']}" if holder.get("url") else f" in {home}"
            raise AlreadyRunning(f"already running{where} (pid {holder.get('pid')})")
        time.sleep(0.05)
    if owner:
        os.fchown(descriptor, owner.uid, owner.gid)
    return descriptor


def sign(descriptor: int, url: str | None = None) -> None:
    """Write into the lock who holds it: our process id and, if there is one, our address."""
    text = json.dumps({"pid": os.getpid(), "url": url}).encode()
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, text, 0)


def read(home: Path) -> dict:
    """{"pid": int, "url": str | None} of the last holder; empty if there was none."""
    try:
        return json.loads((home / "stack.lock").read_text())
    except (OSError, ValueError):
        return {}


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _alive(pid: int | None) -> bool:
    if not pid:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
