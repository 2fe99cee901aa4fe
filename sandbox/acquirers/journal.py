"""The journal: what the acquirer really did, one JSON object per line, written before it answers.

Each line is one write() to a file opened for appending, so kill -9 loses nothing that was answered; a
torn last line (killed inside the write) was never answered and is cut off at the next start. Lines
carry the last four digits of a card and a keyed fingerprint, never the number or the security code.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Line = dict[str, Any]

# The lines that moved money or promised it. The others are kept so that a restart forgets nothing.
MONEY = frozenset({"authorised", "captured", "refunded", "cancelled", "charged_back", "reversed"})

_dumps = json.JSONEncoder(separators=(",", ":")).encode


class JournalInUse(RuntimeError):
    """Another process writes this journal."""


class Journal:
    """Raises JournalInUse, and ValueError if a line in the middle is not JSON."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o640)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._file)
            raise JournalInUse(f"{path} is in use by another process") from error
        self._cut_torn_line(path)
        self.past = list(read(path))

    def write(self, line: Line) -> None:
        data = (_dumps(line) + "\n").encode()
        written = os.write(self._file, data)
        if written != len(data):
            os.ftruncate(self._file, os.fstat(self._file).st_size - written)
            raise OSError("disk full: the journal could not be written, so nothing was done")

    def close(self) -> None:
        os.close(self._file)

    def _cut_torn_line(self, path: Path) -> None:
        content = path.read_bytes()
        if content and not content.endswith(b"\n"):
            os.ftruncate(self._file, content.rfind(b"\n") + 1)


def read(path: Path) -> Iterator[Line]:
    """All complete lines of a journal, oldest first. May be called while the acquirer runs."""
    for raw in path.read_bytes().splitlines(keepends=True):
        if raw.endswith(b"\n"):
            yield json.loads(raw)


def money(path: Path) -> list[Line]:
    """The lines that moved money or promised it: what tests compare with our operations."""
    return [line for line in read(path) if line["done"] in MONEY]
