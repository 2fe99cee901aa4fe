"""The commands of the stack; `run` is what `make run` calls."""

import argparse
import os
import signal
import sys
import threading
import time
from pathlib import Path

from tools.stack import lock
from tools.stack.accounts import is_root
from tools.stack.errors import StackError
from tools.stack.places import CLONE, default_home

DEFAULT_PORT = 8700


def main() -> int:
    arguments = _parser().parse_args()
    try:
        return arguments.command(arguments)
    except StackError as problem:
        print(f"zahlwerk: {problem}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.stack", description=__doc__)
    parser.set_defaults(command=lambda _: parser.print_help() or 2)
    commands = parser.add_subparsers(title="commands")
    run = commands.add_parser("run", help="everything, until Ctrl-C")
    run.add_argument("--port", type=int, default=int(os.environ.get("PORT") or DEFAULT_PORT))
    run.add_argument("--with-parent", action="store_true", help="stop when the parent process ends")
    run.add_argument("--published", type=Path, default=CLONE / "var" / "demo.json", help=argparse.SUPPRESS)
    run.add_argument("--held", type=int, default=None, help=argparse.SUPPRESS)
    stores = commands.add_parser("stores", help="only PostgreSQL and Valkey, until Ctrl-C")
    stop = commands.add_parser("stop", help="stop what runs in this clone")
    for command, function in ((run, _run), (stores, _stores), (stop, _stop)):
        command.set_defaults(command=function)
        command.add_argument("--home", type=Path, default=None, help="where data, logs and sockets live")
    return parser


def _run(arguments: argparse.Namespace) -> int:
    if is_root():
        from tools.stack.deploy import become_service_account

        become_service_account(arguments.home, arguments.port, arguments.with_parent)
    from tools.stack.run import Plan, run

    home = (arguments.home or default_home()).resolve()
    return run(Plan(home, arguments.port, arguments.published, arguments.held, arguments.with_parent))


def _stores(arguments: argparse.Namespace) -> int:
    """Print the three addresses and stay in the foreground until a signal comes."""
    from tools.stack.stores import running_stores

    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stopped.set())
    with running_stores(arguments.home or default_home()) as stores:
        print(stores.exports(), flush=True)
        while not stopped.wait(0.5):
            pass
    return 0


def _stop(arguments: argparse.Namespace) -> int:
    holder = lock.holder(arguments.home or default_home())
    if not holder:
        print("nothing is running")
        return 0
    os.kill(holder, signal.SIGTERM)
    deadline = time.monotonic() + 90
    while lock.is_alive(holder) and time.monotonic() < deadline:
        time.sleep(0.1)
    return int(lock.is_alive(holder))


if __name__ == "__main__":
    sys.exit(main())
