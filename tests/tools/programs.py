"""Real programs for tests: start, watch from outside, kill, and be sure that they are gone."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from tools.stack.guard import process_table
from tools.stack.places import CLONE

Answer = TypeVar("Answer")


def until(question: Callable[[], Answer], seconds: float = 10) -> Answer:
    """Ask until the answer is true and return it; fails when the time is over."""
    deadline = time.monotonic() + seconds
    while not (answer := question()):
        assert time.monotonic() < deadline, f"still {answer!r} after {seconds} s"
        time.sleep(0.02)
    return answer


def alive(pids: set[int]) -> set[int]:
    return {row.pid for row in process_table() if row.pid in pids and row.state not in "ZX"}


def descendants(pid: int) -> set[int]:
    """Children, their children and so on; all of them are ours to kill."""
    table = process_table()
    found, new = set[int](), {pid}
    while new:
        new = {row.pid for row in table if row.parent in new} - found
        found |= new
    return found


class Program:
    """`python -m ...` in the background with its output in a file."""

    def __init__(self, output: Path, *words: str | Path, **environment: str) -> None:
        self.output = output
        # The addresses that the test process itself uses mean nothing to a stack of its own.
        kept = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "REDIS_URL")}
        with output.open("w") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *map(str, words)],
                cwd=CLONE, env={**kept, **environment}, stdout=file, stderr=subprocess.STDOUT,
            )  # fmt: skip
        self.pid = self.process.pid

    def text(self) -> str:
        return self.output.read_text()

    def says(self, words: str, seconds: float = 20) -> None:
        """Wait for words in the output; fails at once if the program ends without them."""

        def said() -> bool:
            over = self.process.poll() is not None
            assert words in self.text() or not over, f"ended without {words!r}:\n{self.text()}"
            return words in self.text()

        until(said, seconds)

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def ended(self, seconds: float = 20) -> int:
        """The exit code, once it has ended."""
        return self.process.wait(seconds)

    def destroy(self) -> None:
        """SIGKILL for it and everybody below it."""
        if self.process.poll() is None:
            for pid in [self.pid, *descendants(self.pid)]:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            self.process.wait()


class TinyStack(Program):
    """See tiny_stack.py: a supervised run of small children in `home`."""

    def __init__(self, home: Path, children: list[dict[str, Any]], notes: Path) -> None:
        self.home = home
        notes.mkdir()
        (notes / "children.json").write_text(json.dumps(children))
        super().__init__(notes / "output.txt", "tests.tools.tiny_stack", home, notes / "children.json")

    def status(self) -> dict[str, Any]:
        """Contents of stack.json; empty while there is none."""
        try:
            return json.loads((self.home / "stack.json").read_text())
        except FileNotFoundError:
            return {}

    def ready(self) -> "TinyStack":
        def answer() -> bool:
            assert self.process.poll() is None, self.text()
            # A killed predecessor leaves its file behind: only our own counts.
            return self.status().get("supervisor") == self.pid and self.status()["ready"]

        until(answer, 30)
        return self

    def child(self, name: str) -> int | None:
        return self.status().get("children", {}).get(name)
