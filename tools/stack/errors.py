"""What can go wrong on somebody else's machine, said in one clear line."""

from pathlib import Path


class StackError(Exception):
    """The stack cannot go on; the text tells the reader what to do about it."""


class AlreadyRunning(StackError):
    """Another process holds the lock of this home directory."""


def tail(log_path: Path | None, lines: int = 12) -> str:
    """The last lines of a log file, indented; empty if there is no such file."""
    if log_path is None:
        return ""
    try:
        with open(log_path, encoding="utf-8", errors="replace") as log:
            last = log.readlines()[-lines:]
    except OSError:
        return ""
    return "".join(f"    {line.rstrip()}\n" for line in last)
