"""Where things lie, and which account owns them.

An ordinary user keeps everything in `var/` of the clone. PostgreSQL refuses to run as root, and
a clone below root's 0700 home cannot be read by anybody else; so root gets an account of its own
for the stack and a directory under /var/lib that this account can reach.
"""

import hashlib
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from tools.stack.errors import StackError

CLONE = Path(__file__).resolve().parents[2]
SHARED = Path("/var/lib/zahlwerk")
ACCOUNT = "zahlwerk"
PRIVATE = 0o700
# A socket's name must fit into 107 bytes; PostgreSQL adds "/.s.PGSQL.5432" and ".lock".
LONGEST_SOCKET_DIR = 80


@dataclass(frozen=True)
class Account:
    """The operating-system account that processes are dropped to."""

    name: str
    uid: int
    gid: int


class Dropping(TypedDict, total=False):
    """Arguments of subprocess.Popen that change the account."""

    user: int
    group: int
    extra_groups: list[int]


def dropped(owner: Account | None) -> Dropping:
    """Start a program as the owner; empty for an ordinary user, who stays who he is."""
    return {"user": owner.uid, "group": owner.gid, "extra_groups": []} if owner else {}


def is_root() -> bool:
    return os.geteuid() == 0


def account() -> Account | None:
    """The account to drop to: None for an ordinary user, who needs no dropping.

    As root the system account `zahlwerk` is created once. Raises StackError for a user id
    without a passwd entry, because initdb refuses to work for it.
    """
    if is_root():
        return _service_account()
    try:
        pwd.getpwuid(os.geteuid())
    except KeyError:
        raise StackError(
            f"user id {os.geteuid()} has no entry in /etc/passwd, and PostgreSQL will not start "
            "for it: set DATABASE_URL (and REDIS_URL) to servers of your own."
        ) from None
    return None


def _service_account() -> Account:
    for attempt in ("look", "create", "look again"):
        try:
            entry = pwd.getpwnam(ACCOUNT)
            return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
        except KeyError:
            if attempt == "create":
                _create_service_account()
    raise StackError(
        "the system account `zahlwerk` is missing and could not be created; run: "
        f"useradd --system --user-group --no-create-home --home-dir {SHARED} {ACCOUNT}"
    )


def _create_service_account() -> None:
    useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if useradd:
        # A second starter may create it at the same moment: only the look-up counts.
        options = ["--system", "--user-group", "--no-create-home", "--home-dir", str(SHARED)]
        subprocess.run(
            [useradd, *options, "--shell", "/usr/sbin/nologin", ACCOUNT],
            check=False,
            capture_output=True,
        )


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
    home.mkdir(parents=True, exist_ok=True, mode=0o755)
    if owner:
        os.chown(home, owner.uid, owner.gid)
        home.chmod(0o711)
    for name in ("log", "journals", "valkey"):
        private_dir(home / name, owner)
    if owner and not can_enter(home, owner):
        raise StackError(
            f"the account {owner.name} cannot reach {home}: one of its parent directories is "
            f"closed to others. Choose a home below {SHARED}."
        )


def can_enter(directory: Path, owner: Account) -> bool:
    done = subprocess.run(
        ["/bin/sh", "-c", 'test -x "$1" && test -w "$1"', "sh", str(directory)],
        cwd="/",
        check=False,
        **dropped(owner),
    )
    return done.returncode == 0


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
    base = temporary if _fits(temporary / "zahlwerk-123456789012") else Path("/tmp")
    return private_dir(base / f"zahlwerk-{digest(home)}", owner)


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
        base.mkdir(parents=True, exist_ok=True, mode=0o755)
    home = Path(tempfile.mkdtemp(prefix="zahlwerk-", dir=base))
    if base:
        home.chmod(0o711)  # The account has to get through to directories of its own below.
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)
