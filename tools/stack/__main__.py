"""The commands: `run` (everything), `stores` (only the two servers)."""

import argparse
import signal
import sys
import threading
from pathlib import Path

from tools.stack.errors import StackError
from tools.stack.places import default_home
from tools.stack.stores import running_stores


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.stack", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    stores = commands.add_parser("stores", help="only PostgreSQL and Valkey, until Ctrl-C")
    stores.add_argument("--home", type=Path, default=None, help="where data, logs and sockets live")
    arguments = parser.parse_args()
    try:
        return run_stores(arguments.home or default_home())
    except StackError as problem:
        print(f"zahlwerk: {problem}", file=sys.stderr)
        return 1


def run_stores(home: Path) -> int:
    """Print the three addresses and stay in the foreground until a signal comes."""
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stopped.set())
    home.mkdir(parents=True, exist_ok=True)
    with running_stores(home) as stores:
        print(stores.exports(), flush=True)
        while not stopped.wait(0.5):
            pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
