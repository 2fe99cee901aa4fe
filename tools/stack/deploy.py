"""Root's part: give the service account code and Python that it can read, then become it.

A clone below a 0700 home is closed to the account, so the code is copied to
/var/lib/zahlwerk/<hash>/code: root owns it, the account can read but not change it.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

from tools import bootstrap
from tools.stack import lock
from tools.stack.accounts import Account, account, dropped
from tools.stack.places import CLONE, default_home, prepare_home, shared_root
from tools.stack.say import BEGUN, begun, say

LEFT_OUT = {"var", "tests", "bench", "docs", "node_modules"}  # At the top; dot files and caches everywhere.


def become_service_account(home: Path | None, port: int, with_parent: bool) -> NoReturn:
    """Prepare everything as root and replace this process by the account's own. Raises StackError."""
    os.umask(0o022)
    owner = account()
    assert owner is not None
    home = home or default_home()
    prepare_home(home, owner)
    # Taken before the code is touched: a running stack must not find itself rewritten.
    held = lock.take(home, owner, f"http://localhost:{port}")
    code = shared_root() / "code"
    if sync(CLONE, code):
        compile_all(code)
    python = _python_for(owner)
    public = home / "demo.json"
    link_demo(CLONE, public)
    words = ["run", "--home", str(home), "--port", str(port), "--published", str(public), "--held", str(held)]
    if with_parent:
        words.append("--with-parent")
    say(f"running as the account {owner.name}, data in {home}")
    os.set_inheritable(held, True)
    os.chdir(code)
    os.setgroups([])
    os.setgid(owner.gid)
    os.setuid(owner.uid)
    os.execve(python, [str(python), "-m", "tools.stack", *words], _environment(owner, home))  # noqa: S606 - our own program, without a shell on purpose


def _environment(owner: Account, home: Path) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("XDG_", "SUDO_", "PYTHON", "VIRTUAL_ENV"))}
    return {**kept, "HOME": str(home), "USER": owner.name, "LOGNAME": owner.name, BEGUN: str(begun())}


def sync(source: Path, target: Path) -> int:
    """Make target a copy of the source tree; the number of files written or removed."""
    wanted = {path.relative_to(source) for path in _files(source, LEFT_OUT)}
    changed = 0
    for name in wanted:
        old, new = source / name, target / name
        if not _same(old, new):
            new.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(old, new)
            new.chmod(0o644)
            changed += 1
    for path in list(_files(target, set())):
        if path.relative_to(target) not in wanted:
            path.unlink()
            changed += 1
    return changed


def _files(top: Path, left_out: set[str]):
    for directory, names, files in os.walk(top):
        here = Path(directory)
        skipped = left_out if here == top else set()
        names[:] = [n for n in names if n not in skipped and n != "__pycache__" and not n.startswith(".")]
        for name in files:
            if not name.startswith(".") and (here / name).is_file():
                yield here / name


def _same(old: Path, new: Path) -> bool:
    if not new.exists():
        return False
    a, b = old.stat(), new.stat()
    return (a.st_size, a.st_mtime_ns) == (b.st_size, b.st_mtime_ns)


def compile_all(code: Path) -> None:
    # The account may not write here, so without this every start would compile everything again.
    subprocess.run([sys.executable, "-m", "compileall", "-q", str(code)], check=False, stdout=subprocess.DEVNULL)


def _python_for(owner: Account) -> Path:
    """An interpreter with the requirements that the account may execute; made if need be."""
    ours = Path(sys.prefix).resolve() / "bin" / "python"
    if _works(ours, owner):
        return ours
    return bootstrap.ensure_venv(shared_root() / "venv", "requirements.txt", owner)


def _works(python: Path, owner: Account) -> bool:
    try:
        check = [python, "-c", "import granian, psycopg, redis"]
        done = subprocess.run(check, capture_output=True, cwd="/", check=False, **dropped(owner))
    except OSError:
        return False
    return done.returncode == 0


def link_demo(clone: Path, public: Path) -> None:
    """`var/demo.json` of the clone leads to the published file, for whoever called us."""
    var = clone / "var"
    var.mkdir(exist_ok=True)
    caller = clone.stat()
    os.chown(var, caller.st_uid, caller.st_gid)
    link = var / "demo.json"
    link.unlink(missing_ok=True)
    link.symlink_to(public)
