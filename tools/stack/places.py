"""Where things lie.

An ordinary user keeps everything in `var/` of the clone. A clone below root's 0700 home cannot be
read by anybody else, so as root data, code and Python lie under /var/lib/zahlwerk.
"""

import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tools.stack.accounts import SHARED, Account, can_enter, is_root, readable_by_others
from tools.stack.errors import StackError

CLONE = Path(__file__).resolve().parents[2]
PRIVATE = 0o700
# A socket's name must fit into 107 bytes; PostgreSQL adds "/.s.PGSQL.5432" and ".lock".
LONGEST_SOCKET_DIR = 80


def digest(path: Path) -> str:
    """Twelve hex digits that stand for one directory."""
    return hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]


def shared_root(clone: Path = CLONE) -> Path:
    """Root's directory for this clone: `code/`, `venv/` and `home/` lie in it."""
    return SHARED / digest(clone)


def default_home(clone: Path = CLONE) -> Path:
    """Where data, logs, sockets and keys of this clone live."""
    return shared_root(clone) / "home" if is_root() else clone / "var"


def prepare_home(home: Path, owner: Account | None) -> None:
    """Create the home and its private rooms. Raises StackError if the owner cannot get there."""
    with readable_by_others():
        home.mkdir(parents=True, exist_ok=True)
    if owner:
        _hand_over(home, owner)
    for name in ("log", "journals", "valkey"):
        private_dir(home / name, owner)
    if owner and not can_enter(home, owner):
        raise StackError(
            f"the account {owner.name} cannot reach {home}: one of its parent directories is "
            f"closed to others. Choose a home below {SHARED}."
        )


def _hand_over(home: Path, owner: Account) -> None:
    # `--home /tmp` as root must not give /tmp away: only a new directory or a home changes hands.
    if home.stat().st_uid != owner.uid and any(home.iterdir()):
        raise StackError(f"{home} holds other things already; choose an empty or a new directory.")
    os.chown(home, owner.uid, owner.gid)
    home.chmod(0o711)


def private_dir(path: Path, owner: Account | None) -> Path:
    """A directory for one account only (0700). Raises StackError if it is somebody else's."""
    path.mkdir(mode=PRIVATE, exist_ok=True)
    found = path.lstat()
    friends = {os.geteuid(), owner.uid if owner else os.geteuid()}
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in friends:
        raise StackError(f"{path} is not a directory of ours; remove it and start again.")
    if owner and found.st_uid != owner.uid:
        os.chown(path, owner.uid, owner.gid)
    if stat.S_IMODE(found.st_mode) != PRIVATE:
        path.chmod(PRIVATE)
    return path


def socket_dir(home: Path, owner: Account | None) -> Path:
    """A 0700 directory whose name is short and plain enough for sockets and for URLs."""
    near = home / "run"
    if _fits(near):
        return private_dir(near, owner)
    temporary = Path(tempfile.gettempdir())
    base = temporary if _fits(temporary / "zahlwerk-123456789012") else Path("/tmp")  # noqa: S108 - a 0700 directory below it
    return private_dir(base / f"zahlwerk-{digest(home)}", owner)


def leave_socket_dir(home: Path, sockets: Path) -> None:
    """Remove a socket directory outside the home once the servers have left it."""
    if sockets.parent != home:
        with suppress(OSError):
            sockets.rmdir()


def _fits(path: Path) -> bool:
    name = str(path)
    plain = name.isascii() and all(c.isalnum() or c in "/._-" for c in name)
    return plain and len(name) <= LONGEST_SOCKET_DIR


@contextmanager
def scratch_home() -> Iterator[Path]:
    """A throw-away home that the account of the stores can reach; removed at the end."""
    base = None
    if is_root():
        base = SHARED / "scratch"
        with readable_by_others():
            base.mkdir(parents=True, exist_ok=True)
    home = Path(tempfile.mkdtemp(prefix="zahlwerk-", dir=base))
    if base:
        home.chmod(0o711)  # The account has to get through to directories of its own below.
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)
