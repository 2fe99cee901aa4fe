"""Ends what is left of the stack when its owner dies without a word (kill -9).

The owner holds the other end of our standard input and tells us whom to watch: `+ PID SIGNAL`
and `- PID`. End of input means that the owner is gone. The lock of the home is inherited, so a
new start waits until we are done. Standard library only: this must start in no time.
"""

import os
import signal
import sys
import time
from pathlib import Path
from typing import NamedTuple

POLITE_SECONDS = 2.0
FIRM_SECONDS = 6.0


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    watched: dict[int, int] = {}
    for line in sys.stdin:
        sign, *numbers = line.split()
        if sign == "+":
            watched[int(numbers[0])] = int(numbers[1])
        else:
            watched.pop(int(numbers[0]), None)
    if watched:
        end(watched)


def end(watched: dict[int, int]) -> None:
    """Stop all sessions (leader -> polite signal): politely, then firmly, then with SIGKILL."""
    for leader, number in watched.items():
        tell(leader, number)
    if wait_until_gone(watched, POLITE_SECONDS):
        return
    for leader, number in watched.items():
        if number == signal.SIGINT:  # PostgreSQL: SIGQUIT takes its backends along at once.
            tell(leader, signal.SIGQUIT)
        else:
            kill_session(leader)
    if not wait_until_gone(watched, FIRM_SECONDS):
        for leader in watched:
            kill_session(leader)


def wait_until_gone(leaders: dict[int, int], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not any(session_members(leader) for leader in leaders):
            return True
        time.sleep(0.05)
    return False


def kill_session(leader: int) -> None:
    """SIGKILL for everybody in the session, also for those in process groups of their own."""
    for member in session_members(leader):
        tell(member, signal.SIGKILL)


def tell(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        pass


def session_members(leader: int) -> list[int]:
    """Living processes of a session (no zombies); without /proc only its leader's group."""
    if Path("/proc/self/stat").exists():
        return [row.pid for row in process_table() if row.session == leader and row.state not in "ZX"]
    try:
        os.killpg(leader, 0)
    except (ProcessLookupError, PermissionError):
        return []
    return [-leader]


class Row(NamedTuple):
    """One process; the state is the kernel's letter, Z for a zombie."""

    pid: int
    parent: int
    session: int
    state: str


def process_table() -> list[Row]:
    """Every process of the machine that /proc shows, zombies included."""
    rows = []
    for entry in os.scandir("/proc"):
        if not entry.name.isdigit():
            continue
        try:
            text = Path(entry.path, "stat").read_text()
        except OSError:
            continue  # It ended while we looked.
        # The name stands in brackets and may itself hold blanks and brackets.
        state, parent, _, session = text.rpartition(")")[2].split()[:4]
        rows.append(Row(int(entry.name), int(parent), int(session), state))
    return rows


if __name__ == "__main__":
    main()
