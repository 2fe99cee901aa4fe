"""One stack per home: a lock that the kernel drops with its last holder, the guard."""

import fcntl
import json
import os
import time
from pathlib import Path

from tools.stack.accounts import Account
from tools.stack.errors import AlreadyRunning

CLEANING_SECONDS = 20.0


def take(home: Path, owner: Account | None = None, url: str | None = None) -> int:
    """The locked descriptor of `<home>/stack.lock`, signed with our process id and address.

    Close it to let go. Waits while the guard of a killed holder still cleans up. Raises
    AlreadyRunning if the holder is alive.
    """
    descriptor = os.open(home / "stack.lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
    deadline = time.monotonic() + CLEANING_SECONDS
    while not _locked(descriptor):
        held_by = read(home)
        if is_alive(held_by.get("pid", 0)) or time.monotonic() > deadline:
            os.close(descriptor)
            where = f"at {held_by['url']}" if held_by.get("url") else f"in {home}"
            raise AlreadyRunning(f"already running {where} (pid {held_by.get('pid')})")
        time.sleep(0.05)
    if owner:
        os.fchown(descriptor, owner.uid, owner.gid)
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps({"pid": os.getpid(), "url": url}).encode(), 0)
    return descriptor


def holder(home: Path) -> int | None:
    """The process id of whoever runs here; None if nobody does."""
    try:
        descriptor = os.open(home / "stack.lock", os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        return None if _locked(descriptor) else read(home).get("pid")
    finally:
        os.close(descriptor)


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


def is_alive(pid: int) -> bool:
    """Is there such a process? 0 stands for nobody."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return pid > 0
