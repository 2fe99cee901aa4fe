"""An append-only file of JSON lines: what a stand-in knows survives its death."""

import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class Journal:
    """One file, one writer process. `read()` before the first `append()` cuts off a line torn by a kill."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._cut_torn_line()
        self._file = path.open("ab")

    def append(self, entry: dict[str, Any]) -> None:
        line = json.dumps(entry, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
        with self._lock:
            self._file.write(line)
            self._file.flush()

    def read(self) -> Iterator[dict[str, Any]]:
        with self.path.open("rb") as lines:
            for line in lines:
                yield json.loads(line)

    def replace(self, entries: list[dict[str, Any]]) -> None:
        """Starts the file anew with these entries."""
        with self._lock:
            self._file.close()
            self.path.write_bytes(b"")
            self._file = self.path.open("ab")
        for entry in entries:
            self.append(entry)

    def _cut_torn_line(self) -> None:
        if not self.path.exists():
            return
        content = self.path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            os.truncate(self.path, whole)
