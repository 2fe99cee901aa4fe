"""Start and stop one child so that it can never outlive us."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress

from tools.stack.accounts import dropped
from tools.stack.child import Child
from tools.stack.errors import StackError, tail
from tools.stack.guard import FIRM_SECONDS, kill_session, process_table, session_members, tell
from tools.stack.logs import open_log
from tools.stack.watch import Watch

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None

Process = subprocess.Popen[bytes]


def spawn(child: Child, watch: Watch) -> Process:
    """Start the child in a session of its own, appending to its log (None: to our own output).

    Call it from the main thread only: the kernel's parent-death signal is sent when the *thread*
    that forked ends.
    """
    if child.prepare:
        child.prepare()
    log = open_log(child.log, child.owner) if child.log else None
    try:
        process: Process = subprocess.Popen(
            [str(word) for word in child.argv],
            stdin=subprocess.DEVNULL, text=False, stdout=log, stderr=log, cwd=child.cwd,
            env=None if child.env is None else dict(child.env), umask=0o077,
            start_new_session=True, preexec_fn=dies_with(os.getpid(), child.stop_signal),
            **dropped(child.owner),
        )  # fmt: skip
    finally:
        if log is not None:
            os.close(log)
    watch.add(process.pid, child.stop_signal)
    return process


def dies_with(parent: int, number: signal.Signals) -> Callable[[], None]:
    """What the new process does before its program starts, after dropping to its account."""

    def in_child() -> None:
        if _libc:
            _libc.prctl(PR_SET_PDEATHSIG, int(number))
            if os.getppid() != parent:  # We died in between; the signal will never come.
                os._exit(1)

    return in_child


def adopt_orphans() -> None:
    """Become the parent of descendants whose own parent dies (Linux)."""
    if _libc:
        _libc.prctl(PR_SET_CHILD_SUBREAPER, 1)


def end_orphans(known: set[int]) -> None:
    """Descendants whose own parent died have become our children: end and bury them."""
    if not _libc:
        return
    for row in process_table():
        if row.parent == os.getpid() and row.pid not in known:
            tell(row.pid, signal.SIGKILL)
            with suppress(ChildProcessError):
                os.waitpid(row.pid, 0)


def die_with_parent(number: signal.Signals) -> None:
    """Ask the kernel for a signal when our own parent dies (Linux)."""
    if _libc:
        _libc.prctl(PR_SET_PDEATHSIG, int(number))


def wait_ready(child: Child, process: Process, seconds: float = 600) -> None:
    """Poll until the child is ready. Raises StackError if it dies or the time is over.

    Ten minutes, because crash recovery of a large database takes as long as it takes.
    """
    deadline = time.monotonic() + seconds
    while child.ready and not child.ready():
        if process.poll() is not None:
            raise StackError(f"{child.name} ended while starting ({child.log}):\n{tail(child.log)}")
        if time.monotonic() > deadline:
            raise StackError(f"{child.name} is not ready after {seconds:.0f} s, see {child.log}")
        time.sleep(0.03)


def stop_together(running: list[tuple[Child, Process]], watch: Watch, hurry: Callable[[], bool]) -> None:
    """Polite signals to all, one bounded wait each, then SIGKILL for what is left of the sessions.

    `hurry` may cut the waiting short (a second Ctrl-C).
    """
    begun = time.monotonic()
    told_again: set[int] = set()
    for child, process in running:
        _tell(process, child.stop_signal)
    while left := [pair for pair in running if pair[1].poll() is None]:
        now = time.monotonic()
        for child, process in left:
            if hurry() or now - begun > child.stop_seconds:
                _end_firmly(child, process)
            elif process.pid not in told_again and now - begun > (child.stop_again_seconds or child.stop_seconds):
                told_again.add(process.pid)
                for member in session_members(process.pid):
                    tell(member, child.stop_signal)
        time.sleep(0.03)
    for _, process in running:
        kill_session(process.pid)
        watch.forget(process.pid)


def _end_firmly(child: Child, process: Process) -> None:
    if child.firm_signal != signal.SIGKILL:
        _tell(process, child.firm_signal)
        try:
            process.wait(FIRM_SECONDS)
        except subprocess.TimeoutExpired:
            pass
    kill_session(process.pid)
    process.wait()


def _tell(process: Process, number: signal.Signals) -> None:
    if process.poll() is None:
        process.send_signal(number)
