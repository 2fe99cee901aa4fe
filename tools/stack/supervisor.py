"""Keeps children alive: starts them, restarts the dead with a growing pause, stops all in order.

Everything happens in one thread, in `tick()`: the kernel ties our children to the thread that
started them, and a signal only sets a flag that the next tick sees.
"""

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

from tools.stack.child import Child
from tools.stack.errors import StackError, tail
from tools.stack.guard import kill_session
from tools.stack.processes import Process, end_orphans, spawn, stop_together
from tools.stack.say import say
from tools.stack.watch import Watch

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
STEADY_SECONDS = 60.0
DEATHS_BEFORE_READY = 5
TICK_SECONDS = 0.1
SAME_SIGNAL_SECONDS = 1.0
ORPHANS_EVERY_SECONDS = 5.0


class Stopped(Exception):
    """A signal asked us to end."""


@dataclass
class Kept:
    """A child under our care; `process` is None while it waits for its next start."""

    child: Child
    process: Process | None = None
    started: float = 0.0
    pause: float = FIRST_PAUSE
    due: float = 0.0
    deaths: int = 0


class Supervisor:
    """`changed` is called with {name: pid or None} after every start and death."""

    def __init__(self, watch: Watch, changed: Callable[[dict[str, int | None]], None]) -> None:
        self._watch = watch
        self._changed = changed
        self._kept: list[Kept] = []
        self._first_signal: float | None = None
        self._hurry = False
        self._orphans_due = 0.0

    def listen(self) -> None:
        """The first signal stops everything in order, the second at once."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)

    def _on_signal(self, *_: object) -> None:
        now = time.monotonic()
        if self._first_signal is None:
            self._first_signal = now
        # One stop often arrives twice: make passes on what the terminal already sent to us.
        self._hurry = now - self._first_signal > SAME_SIGNAL_SECONDS

    def start(self, children: list[Child]) -> None:
        """Start children in this order and keep them alive from now on."""
        for child in children:
            kept = Kept(child)
            self._kept.append(kept)
            self._launch(kept)

    def _launch(self, kept: Kept) -> None:
        kept.started = time.monotonic()
        try:
            kept.process = spawn(kept.child, self._watch)
        except (OSError, StackError) as problem:
            if not kept.deaths:
                raise StackError(f"{kept.child.name} could not start: {problem}") from problem
            self._bury(kept, f"could not start: {problem}")
            return
        say(f"{kept.child.name} started (pid {kept.process.pid})")
        self._tell_pids()

    def wait_ready(self, seconds: float = 120) -> None:
        """Until every child is ready. Raises StackError with the end of the logs, or Stopped."""
        deadline = time.monotonic() + seconds
        while waiting := [kept for kept in self._kept if not _is_ready(kept)]:
            self.tick()
            broken = [kept for kept in waiting if kept.deaths >= DEATHS_BEFORE_READY]
            if broken or time.monotonic() > deadline:
                raise StackError("".join(_complaint(kept) for kept in broken or waiting))

    def step(self, child: Child) -> None:
        """Run something that ends by itself. Raises StackError if it fails, or Stopped."""
        process = spawn(child, self._watch)
        try:
            while process.poll() is None:
                self.tick()
        finally:
            stop_together([(child, process)], self._watch, self._in_a_hurry)
        if process.returncode:
            raise StackError(f"{child.name} failed ({_cause(process.returncode)}):\n{tail(child.log, 30)}")

    def keep(self) -> None:
        """Until a signal comes: raises Stopped."""
        while True:
            self.tick()

    def tick(self) -> None:
        """Look after everybody once, then rest for a moment. Raises Stopped."""
        if self._first_signal is not None:
            raise Stopped
        now = time.monotonic()
        for kept in self._kept:
            if kept.process and kept.process.poll() is not None:
                self._mourn(kept, kept.process)
            elif not kept.process and now >= kept.due:
                self._launch(kept)
        if self._watch.renew():
            say("guard was gone, started again")
        if now >= self._orphans_due:
            self._end_orphans()
        time.sleep(TICK_SECONDS)

    def _mourn(self, kept: Kept, process: Process) -> None:
        # What it left behind would hold its port or go on working beside its successor.
        kill_session(process.pid)
        self._end_orphans()
        self._watch.forget(process.pid)
        self._bury(kept, f"ended ({_cause(process.returncode)})")

    def _bury(self, kept: Kept, what: str) -> None:
        now = time.monotonic()
        if now - kept.started >= STEADY_SECONDS:
            kept.pause = FIRST_PAUSE
        kept.process, kept.due = None, now + kept.pause
        kept.deaths += 1
        say(f"{kept.child.name} {what}; starting it again in {kept.pause:g} s")
        kept.pause = min(kept.pause * 2, LONGEST_PAUSE)
        self._tell_pids()

    def _end_orphans(self) -> None:
        self._orphans_due = time.monotonic() + ORPHANS_EVERY_SECONDS
        known = {kept.process.pid for kept in self._kept if kept.process} | self._watch.pids()
        end_orphans(known)

    def _tell_pids(self) -> None:
        self._changed({kept.child.name: kept.process.pid if kept.process else None for kept in self._kept})

    def stop_all(self) -> None:
        """Stop group after group, the last started first; a second signal shortens it."""
        while self._kept:
            last = self._kept[-1]
            together = [kept for kept in self._kept if kept is last or (kept.child.group or kept) == last.child.group]
            say("stopping " + ", ".join(kept.child.name for kept in together))
            alive = [(kept.child, kept.process) for kept in together if kept.process]
            stop_together(alive, self._watch, self._in_a_hurry)
            self._kept = [kept for kept in self._kept if kept not in together]
        self._end_orphans()
        self._changed({})

    def _in_a_hurry(self) -> bool:
        return self._hurry


def _is_ready(kept: Kept) -> bool:
    return bool(kept.process) and (kept.child.ready is None or kept.child.ready())


def _complaint(kept: Kept) -> str:
    return f"{kept.child.name} does not get ready, see {kept.child.log}:\n{tail(kept.child.log)}"


def _cause(returncode: int | None) -> str:
    if returncode is not None and returncode < 0:
        return f"signal {signal.Signals(-returncode).name}"
    return f"exit code {returncode}"
