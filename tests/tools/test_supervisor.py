"""The supervisor with small real children: restarts, order, kills, orphans."""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.tools.programs import TinyStack, alive, descendants, until

Stack = Callable[[list[dict[str, Any]]], TinyStack]

STEADY = "import signal; signal.pause()"
# Notes each start and ends at once.
MAYFLY = "import sys, time; open(sys.argv[1], 'a').write(f'{time.monotonic()}\\n')"
# Notes its own name when it is told to stop.
TALKER = """
import signal, sys
def stop(*_):
    open(sys.argv[1], 'a').write(sys.argv[2] + '\\n')
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
while True: signal.pause()
"""
# Like a server with workers, or RQ with a work-horse: a child in a process group of its own that
# ignores every polite signal.
FAMILY = """
import os, signal, sys
if os.fork() == 0:
    os.setpgid(0, 0)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP): signal.signal(number, signal.SIG_IGN)
    open(sys.argv[1], 'a').write(f'{os.getpid()}\\n')
    while True: signal.pause()
signal.pause()
"""


def child(name: str, code: str, *words: str | Path, group: str = "", **more: Any) -> dict[str, Any]:
    argv = [sys.executable, "-c", code, *map(str, words)]
    return {"name": name, "group": group or name, "argv": argv, **more}


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def test_a_dead_child_is_started_again_after_growing_pauses(tmp_path: Path, stack: Stack) -> None:
    starts = tmp_path / "starts"
    running = stack([child("steady", STEADY), child("mayfly", MAYFLY, starts)]).ready()
    steady = running.child("steady")
    until(lambda: len(lines(starts)) >= 3)
    first, second, third = [float(line) for line in lines(starts)[:3]]
    assert second - first >= 0.5
    assert third - second >= 1.0
    assert running.child("steady") == steady
    assert "mayfly ended (exit code 0); starting it again in 0.5 s" in running.text()


def test_killed_stores_come_back_and_the_others_stay(stack: Stack) -> None:
    running = stack([{"name": "postgres"}, {"name": "valkey"}, child("steady", STEADY)]).ready()
    before = running.status()["children"]
    for name in ("postgres", "valkey"):
        os.kill(before[name], signal.SIGKILL)
        until(lambda name=name: running.child(name) not in (None, before[name]))
    assert running.child("steady") == before["steady"]
    assert "postgres ended (signal SIGKILL)" in running.text()
    running.signal(signal.SIGINT)
    assert running.ended() == 0


def test_a_killed_supervisor_leaves_no_orphans_and_the_next_start_works(tmp_path: Path, stack: Stack) -> None:
    plan = [{"name": "postgres"}, {"name": "valkey"}, child("family", FAMILY, tmp_path / "stubborn")]
    running = stack(plan).ready()
    until(lambda: lines(tmp_path / "stubborn"))
    below = descendants(running.pid)
    assert {int(lines(tmp_path / "stubborn")[0]), running.child("postgres")} <= below
    running.signal(signal.SIGKILL)
    running.ended()
    until(lambda: not alive(below), 5)
    again = stack(plan).ready()
    again.signal(signal.SIGINT)
    assert again.ended() == 0


def test_a_killed_child_takes_its_own_children_along(tmp_path: Path, stack: Stack) -> None:
    running = stack([child("family", FAMILY, tmp_path / "stubborn")]).ready()
    until(lambda: lines(tmp_path / "stubborn"))
    os.kill(running.child("family") or 0, signal.SIGKILL)
    until(lambda: len(lines(tmp_path / "stubborn")) == 2)
    first, second = [int(line) for line in lines(tmp_path / "stubborn")]
    assert alive({first, second}) == {second}


def test_ctrl_c_stops_group_after_group_the_last_started_first(tmp_path: Path, stack: Stack) -> None:
    told = tmp_path / "told"
    names = [("store", "stores"), ("web", "web"), ("one", "workers"), ("two", "workers"), ("clock", "clock")]
    running = stack([child(name, TALKER, told, name, group=group) for name, group in names]).ready()
    below = descendants(running.pid)
    running.signal(signal.SIGINT)
    assert running.ended() == 0
    clock, *workers, web, store = lines(told)
    assert (clock, sorted(workers), web, store) == ("clock", ["one", "two"], "web", "store")
    assert not alive(below)
    assert not running.status()


def test_a_child_that_ignores_the_polite_signal_is_killed_in_time(tmp_path: Path, stack: Stack) -> None:
    deaf = "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nopen('{0}', 'w')\nsignal.pause()"
    running = stack([child("deaf", deaf.format(tmp_path / "deaf"), stop_seconds=0.5)]).ready()
    until((tmp_path / "deaf").exists)
    running.signal(signal.SIGTERM)
    assert running.ended(5) == 0


def test_a_second_start_says_where_the_first_one_is(stack: Stack) -> None:
    first = stack([child("steady", STEADY)]).ready()
    second = stack([child("steady", STEADY)])
    assert second.ended() == 1
    assert f"already running at http://localhost:4711 (pid {first.pid})" in second.text()


def test_a_killed_guard_is_replaced_and_still_does_its_work(tmp_path: Path, stack: Stack) -> None:
    running = stack([child("family", FAMILY, tmp_path / "stubborn")]).ready()
    until(lambda: lines(tmp_path / "stubborn"))
    old = running.status()["guard"]
    os.kill(old, signal.SIGKILL)
    until(lambda: "guard was gone" in running.text())
    below = descendants(running.pid)
    running.signal(signal.SIGKILL)
    running.ended()
    until(lambda: not alive(below), 5)


def test_a_child_that_cannot_start_ends_the_run_with_its_reason(stack: Stack) -> None:
    running = stack([{"name": "ghost", "argv": ["/nowhere/ghost"]}])
    assert running.ended() == 1
    assert "ghost could not start" in running.text()
