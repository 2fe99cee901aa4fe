"""From a bare machine to a `.venv` that fits the requirements; standard library only.

    python3 -m tools.bootstrap run     what the product needs
    python3 -m tools.bootstrap test    and what its tests need, system packages included

As root the environment lies in /var/lib/zahlwerk, where the service account can reach it, and
`.venv` is a link to it. An existing `.venv` is kept as long as its Python works.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tools.stack import system_packages
from tools.stack.accounts import SHARED, Account, account, dropped, is_root
from tools.stack.errors import StackError
from tools.stack.places import CLONE, shared_root
from tools.stack.say import say

NAMES = ("python3", "python3.13", "python3.12", "python3.11")
FITS = "import sys; raise SystemExit(not (3, 11) <= sys.version_info[:2] <= (3, 13))"
HAS_VENV = "import ensurepip, venv"


def main() -> int:
    purpose = sys.argv[1] if len(sys.argv) > 1 else "run"
    os.umask(0o022)  # Others must be able to read what root installs, whatever root's habits.
    try:
        with _one_at_a_time():
            system_packages.ensure(purpose)
            prepare(purpose)
    except StackError as problem:
        print(f"zahlwerk: {problem}", file=sys.stderr)
        return 1
    return 0


def prepare(purpose: str) -> None:
    """Make `.venv` of the clone fit the purpose. Raises StackError."""
    link = CLONE / ".venv"
    requirements = "requirements.txt" if purpose == "run" else "requirements-dev.txt"
    if is_root() and (not link.exists() or link.resolve().is_relative_to(SHARED)):
        shared, owner = shared_root() / "venv", account()
        shared.parent.mkdir(parents=True, exist_ok=True)
        ensure_venv(shared, requirements, owner)
        link.unlink(missing_ok=True)
        link.symlink_to(shared)
    else:
        ensure_venv(link, requirements, None)


def ensure_venv(where: Path, requirements: str, owner: Account | None) -> Path:
    """A virtual environment with the requirements installed; its interpreter.

    `owner` is the account that must be able to run it, None for ourselves. Raises StackError.
    """
    python = where / "bin" / "python"
    if not _answers([python, "-c", FITS], owner):
        base = find_python(owner)
        say(f"creating {where} with {base}")
        shutil.rmtree(where, ignore_errors=True)
        subprocess.run([base, "-m", "venv", where], check=True)
    wanted = _fingerprint(requirements)
    stamp = where / f".{requirements}.sha256"
    if not stamp.exists() or stamp.read_text() != wanted:
        _install(python, requirements)
        stamp.write_text(wanted)
    return python


def _fingerprint(requirements: str) -> str:
    texts = [(CLONE / name).read_bytes() for name in sorted({requirements, "requirements.txt"})]
    return hashlib.sha256(b"".join(texts)).hexdigest()


def _install(python: Path, requirements: str) -> None:
    say(f"installing {requirements} (a minute or so the first time)")
    command = [python, "-m", "pip", "install", "--disable-pip-version-check", "-qq", "-r", requirements]
    process = subprocess.Popen(command, cwd=CLONE)
    while True:
        try:
            process.wait(15)
            break
        except subprocess.TimeoutExpired:
            say("still installing")
        except KeyboardInterrupt:
            process.wait()
            raise
    if process.returncode:
        raise StackError("pip could not install the requirements; its message stands above.")


def find_python(owner: Account | None) -> str:
    """A Python 3.11 to 3.13 with the venv module that the owner can run. Raises StackError."""
    for attempt in ("look", "install"):
        fitting = [python for python in _candidates() if _answers([python, "-c", FITS], owner)]
        for python in fitting:
            if _answers([python, "-c", HAS_VENV], owner):
                return python
        if attempt == "look" and is_root():
            system_packages.install(["python3", "python3-venv"])
    if fitting:
        raise StackError(f"{fitting[0]} lacks the venv module; run: sudo apt-get install -y python3-venv")
    raise StackError(
        "no Python 3.11 to 3.13 that everybody may execute; run: sudo apt-get install -y python3 python3-venv"
    )


def _candidates() -> list[str]:
    ours = getattr(sys, "_base_executable", sys.executable)
    found = [ours, *(shutil.which(name) for name in NAMES)]
    found += [f"{place}/{name}" for place in ("/usr/local/bin", "/usr/bin") for name in NAMES]
    return [path for path in dict.fromkeys(found) if path and os.path.exists(path)]


def _answers(command: list, owner: Account | None) -> bool:
    try:
        return subprocess.run(command, capture_output=True, cwd="/", check=False, **dropped(owner)).returncode == 0
    except OSError:
        return False


@contextlib.contextmanager
def _one_at_a_time() -> Iterator[None]:
    # The lock is this file itself: it is always there, and nothing is left behind.
    with open(__file__) as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another installation to finish")
            fcntl.flock(held, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    sys.exit(main())
