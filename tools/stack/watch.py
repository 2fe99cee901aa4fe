"""The owner's side of the guard: see guard.py."""

import signal
import subprocess
import sys
from pathlib import Path

from tools.stack import guard


class Watch:
    """Tells a guard process whom to end if we die; replaces the guard if that one dies."""

    def __init__(self, lock_descriptor: int) -> None:
        self._lock = lock_descriptor
        self._watched: dict[int, signal.Signals] = {}
        self._guard = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-I", "-S", str(Path(guard.__file__).resolve())],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, cwd="/",
            pass_fds=[self._lock], start_new_session=True,
        )  # fmt: skip

    @property
    def pid(self) -> int:
        return self._guard.pid

    def pids(self) -> set[int]:
        """The guard and everybody it watches."""
        return {self._guard.pid, *self._watched}

    def add(self, pid: int, stop_signal: signal.Signals) -> None:
        self._watched[pid] = stop_signal
        self._write(f"+ {pid} {int(stop_signal)}\n")

    def forget(self, pid: int) -> None:
        self._watched.pop(pid, None)
        self._write(f"- {pid}\n")

    def renew(self) -> bool:
        """Start a new guard if the old one is dead; says whether that was needed."""
        if self._guard.poll() is None:
            return False
        self._guard = self._start()
        for pid, number in self._watched.items():
            self._write(f"+ {pid} {int(number)}\n")
        return True

    def close(self) -> None:
        """Let the guard go; it ends whatever has not been forgotten."""
        if self._guard.stdin:
            self._guard.stdin.close()
        self._guard.wait()

    def _write(self, line: str) -> None:
        pipe = self._guard.stdin
        assert pipe is not None
        try:
            pipe.write(line.encode())
            pipe.flush()
        except BrokenPipeError:
            pass  # renew() tells everything again.
