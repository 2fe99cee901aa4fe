"""Log files of the children: private, appended to, turned over by size at each start."""

import os
from pathlib import Path

from tools.stack.accounts import Account

TURN_OVER_BYTES = 5_000_000
KEPT = 3


def open_log(path: Path, owner: Account | None) -> int:
    """A descriptor to append to; the caller closes it. A file over 5 MB becomes `.1` first."""
    _turn_over(path)
    # The directory belongs to the owner: never follow a link that it may have put there.
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW
    descriptor = os.open(path, flags, 0o600)
    if owner:
        os.fchown(descriptor, owner.uid, owner.gid)
    return descriptor


def _turn_over(path: Path) -> None:
    if not path.exists() or path.stat().st_size < TURN_OVER_BYTES:
        return
    for number in range(KEPT, 0, -1):
        older = path.with_name(f"{path.name}.{number}")
        newer = path.with_name(f"{path.name}.{number - 1}") if number > 1 else path
        if newer.exists():
            newer.replace(older)
