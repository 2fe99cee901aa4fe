"""The operating-system account that the processes run as.

PostgreSQL refuses to run as root, so root gets a system account of its own for the stack.
"""

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from tools.stack.errors import StackError

SHARED = Path("/var/lib/zahlwerk")
ACCOUNT = "zahlwerk"


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


@contextmanager
def readable_by_others() -> Iterator[None]:
    """What root makes in here can be read by the service account, whatever root's umask is."""
    before = os.umask(0o022)
    try:
        yield
    finally:
        os.umask(before)


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


def can_enter(directory: Path, owner: Account) -> bool:
    done = subprocess.run(
        ["/bin/sh", "-c", 'test -x "$1" && test -w "$1"', "sh", str(directory)],
        cwd="/",
        check=False,
        **dropped(owner),
    )
    return done.returncode == 0
