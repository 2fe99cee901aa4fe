"""Where the time goes: CPU seconds per kind of process while a block runs (from /proc, Linux)."""

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# The first mark found in a command line names the process.
MARKS = {
    "granian": "web",
    "jobs.worker deliveries": "delivery worker",
    "jobs.worker default": "default worker",
    "jobs.clock": "clock",
    "sandbox.acquirers": "acquirer",
    "postgres": "PostgreSQL",
    "valkey": "Valkey",
    "redis": "Valkey",
    "bench/": "load generator",
}


@contextmanager
def cpu_seconds() -> Iterator[Counter[str]]:
    """Fills the counter it gives when the block ends."""
    used: Counter[str] = Counter()
    before = _all()
    yield used
    for process, (name, seconds) in _all().items():
        spent = seconds - before.get(process, (name, 0.0))[1]
        used[name] += spent  # pyright: ignore[reportArgumentType]  # a Counter adds seconds as well as wholes


def _all() -> dict[str, tuple[str, float]]:
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            times = (folder / "stat").read_text().rpartition(")")[2].split()[11:13]
        except OSError:
            continue  # it has ended meanwhile
        name = next((name for mark, name in MARKS.items() if mark in command), "others")
        found[folder.name] = (name, sum(map(int, times)) / os.sysconf("SC_CLK_TCK"))
    return found
