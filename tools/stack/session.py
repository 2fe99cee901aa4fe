"""One supervised run in one home: lock, guard, supervisor, and `stack.json` that shows it."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tools.stack.processes import adopt_orphans
from tools.stack.say import say
from tools.stack.supervisor import Supervisor
from tools.stack.watch import Watch


class StatusFile:
    """`<home>/stack.json`: what runs, for tests and benches; only its owner may read it.

    A killed run leaves it behind: look whether `supervisor` is the process you mean.
    """

    def __init__(self, home: Path, watch: Watch, url: str | None) -> None:
        self._path = home / "stack.json"
        self._watch = watch
        self._facts: dict[str, Any] = {"url": url, "ready": False, "supervisor": os.getpid()}
        self._children: dict[str, int | None] = {}

    def note(self, **facts: Any) -> None:
        self._facts.update(facts)
        self._write()

    def children(self, pids: dict[str, int | None]) -> None:
        self._children = pids
        self._write()

    def remove(self) -> None:
        self._path.unlink(missing_ok=True)

    def _write(self) -> None:
        text = json.dumps({**self._facts, "guard": self._watch.pid, "children": self._children}, indent=2)
        write_whole(self._path, text, 0o600)


def write_whole(path: Path, text: str, mode: int) -> None:
    """Replace a file in one go, so that nobody ever reads half of it."""
    new = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, mode)
    with os.fdopen(descriptor, "w") as file:
        os.fchmod(descriptor, mode)
        file.write(text)
        file.flush()
        os.fsync(descriptor)
    new.replace(path)


@contextmanager
def supervised(home: Path, held: int, url: str | None = None) -> Iterator[tuple[Supervisor, StatusFile]]:
    """A listening supervisor whose children are all stopped at the end. `held` is the lock."""
    adopt_orphans()
    watch = Watch(held)
    status = StatusFile(home, watch, url)
    supervisor = Supervisor(watch, status.children)
    supervisor.listen()
    status.note()
    try:
        yield supervisor, status
    finally:
        supervisor.stop_all()
        watch.close()
        status.remove()
        say("everything is stopped")
