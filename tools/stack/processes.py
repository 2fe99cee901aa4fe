"""Start and stop one child so that it can never outlive us."""

import ctypes
import os
import signal
import subprocess
import sys
import time

from tools.stack.child import Child
from tools.stack.errors import StackError, tail
from tools.stack.guard import kill_session
from tools.stack.logs import open_log
from tools.stack.places import dropped
from tools.stack.watch import Watch

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None

Process = subprocess.Popen[bytes]


def spawn(child: Child, watch: Watch) -> Process:
    """Start the child in a session of its own, appending to its log.

    Call it from the main thread only: the kernel's parent-death signal is sent when the *thread*
    that forked ends.
    """
    if child.prepare:
        child.prepare()
    log = open_log(child.log, child.owner)
    try:
        process: Process = subprocess.Popen(
            [str(word) for word in child.argv],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=child.cwd,
            env=None if child.env is None else dict(child.env), umask=0o077,
            start_new_session=True, preexec_fn=_die_with(os.getpid(), child.stop_signal),
            **dropped(child.owner),
        )  # fmt: skip
    finally:
        os.close(log)
    watch.add(process.pid, child.stop_signal)
    return process


def _die_with(parent: int, number: signal.Signals):
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


def stop(child: Child, process: Process, watch: Watch) -> None:
    """Polite signal, bounded wait, then SIGKILL for the whole session."""
    if process.poll() is None:
        process.send_signal(child.stop_signal)
        try:
            process.wait(child.stop_seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    kill_session(process.pid)
    watch.forget(process.pid)
