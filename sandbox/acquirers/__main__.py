"""`python -m sandbox.acquirers A --port 9001 --journal FILE`: runs one acquirer until SIGTERM.

Port 0 takes a free one. The first line printed says where it listens. The API key and the secret of the
notifications come from ACQUIRER_API_KEY and ACQUIRER_NEWS_SECRET; without them they are the letter's
published ones (letters.py).
"""

import argparse
import asyncio
import gc
import signal
import sys
from pathlib import Path

from sandbox.acquirers.acquirer import Acquirer
from sandbox.acquirers.dispute import resume_disputes
from sandbox.acquirers.journal import Journal, JournalInUse
from sandbox.acquirers.letters import LETTERS
from sandbox.acquirers.routes import Desk
from sandbox.acquirers.settle import settle_later
from sandbox.acquirers.wire import Connection


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m sandbox.acquirers", description="Runs one sandbox acquirer.")
    parser.add_argument("letter", choices=sorted(LETTERS))
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--journal", type=Path, required=True)
    parser.add_argument("--public-url", help="where browsers reach the 3-D Secure page (default: as asked)")
    chosen = parser.parse_args()
    try:
        journal = Journal(chosen.journal)
    except (JournalInUse, OSError) as error:
        sys.exit(f"acquirer {chosen.letter}: {error}")
    asyncio.run(_serve(chosen, journal))


async def _serve(chosen: argparse.Namespace, journal: Journal) -> None:
    acquirer = Acquirer(LETTERS[chosen.letter], journal)
    _take_up_again(acquirer)
    # What is remembered lives as long as the process; looking through it for garbage costs more than it finds.
    gc.freeze()
    gc.set_threshold(50_000, 50, 100)
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stopped.set)
    desk = Desk(acquirer, chosen.public_url)
    try:
        server = await loop.create_server(lambda: Connection(desk.answer), chosen.host, chosen.port, backlog=1024)
    except OSError as error:
        sys.exit(f"acquirer {chosen.letter}: {error}")
    host, port = server.sockets[0].getsockname()[:2]
    print(f"acquirer {chosen.letter} listens on http://{host}:{port}", flush=True)
    await stopped.wait()
    server.close()


def _take_up_again(acquirer: Acquirer) -> None:
    """What was still to come when the process before this one ended."""
    for operation in list(acquirer.book.operations.values()):
        if operation.state == "pending":
            settle_later(acquirer, operation)
        elif operation.verb == "authorise" and operation.authorisation and operation.authorisation.captures:
            resume_disputes(acquirer, operation.authorisation)


if __name__ == "__main__":
    main()
