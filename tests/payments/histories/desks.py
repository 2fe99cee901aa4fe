"""The sandbox acquirers inside the test process, on loopback, for thousands of histories.

Our own code talks to them over HTTP as always. What differs from `python -m sandbox.acquirers` is time: the clock
moves and things happen later only when the history says so, notifications are handed over instead of sent, and a
line that would stay silent is cut, so that nobody has to wait for a time-out.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.acquirers import dialects
from sandbox.acquirers.acquirer import Acquirer
from sandbox.acquirers.book import Authorisation, Operation
from sandbox.acquirers.dispute import TurnNotPossible, take_turn
from sandbox.acquirers.journal import Journal, money
from sandbox.acquirers.later import Later
from sandbox.acquirers.letters import LETTERS
from sandbox.acquirers.move import move, why_not
from sandbox.acquirers.news import signature
from sandbox.acquirers.routes import Desk
from sandbox.acquirers.wire import Connection, Reply, Request

TURN_TAKES_SECONDS = 60


@dataclass
class Told:
    """A notification: what it says in neutral words, and its bytes."""

    picture: dict[str, Any]
    body: bytes
    content_type: str
    deliveries: int = 0


class _OnDemand(Later):
    """What is due later happens when the history says so."""

    def __init__(self) -> None:
        self._due: list[Callable[[], None]] = []

    def __len__(self) -> int:
        return len(self._due)

    def do(self, seconds: float, action: Callable[[], None]) -> None:
        self._due.append(action)

    def run_now(self) -> int:
        due, self._due = self._due, []
        for action in due:
            action()
        return len(due)


class SteeredAcquirer(Acquirer):
    """One acquirer for one history."""

    def __init__(self, letter: str, journal: Path) -> None:
        self._journal = Journal(journal)
        super().__init__(LETTERS[letter], self._journal)
        self.path = journal
        self.later = _OnDemand()
        self.told: list[Told] = []
        self.first_asked: dict[str, float] = {}  # by enquiries, of keys that it does not have
        began = time.time()
        self.book.now = lambda: began + self.book.clock_offset

    def _notify(self, authorisation: Authorisation, kind: str, picture: dict[str, Any], style: str | None) -> None:
        whole = {**picture, "kind": kind, "authorisation": authorisation.id, "occurred_at": int(self.book.now())}
        _, body = dialects.encode(self.letter.dialect, dict(whole))
        self.told.append(Told(whole, body, self.letter.dialect.content_type))

    def headers(self, body: bytes, content_type: str) -> dict[str, str]:
        return {
            "content-type": content_type,
            "x-sandbox-signature": signature(self.letter.news_secret, body, int(time.time())),
        }

    def tells(self, authorisation: Authorisation) -> bool:
        """Does it tell what was done in its portal?"""
        return self.letter.tells == "all" or bool(authorisation.card.news)

    def of_key(self, key: str) -> Operation | None:
        return self.book.by_key.get(key)

    def not_yet(self, key: str) -> bool:
        """Would an enquiry come too soon?"""
        wait, found = self.letter.enquiry_after, self.of_key(key)
        since = found.at if found else self.first_asked.get(key, self.book.now())
        return wait > 0 and self.book.now() < since + wait

    def money(self) -> list[dict[str, Any]]:
        """The journal's lines that moved money or promised it."""
        return money(self.path)

    # What people do at the acquirer itself

    def in_portal(self, verb: str, authorisation: str, amount: int, number: int) -> bool:
        """Somebody captures, refunds or cancels in the acquirer's own portal. Says whether that was possible."""
        found = self.book.authorisation(authorisation)
        assert found
        if why_not(self, verb, found, amount, found.currency):
            return False
        asked = {"amount": amount, "currency": found.currency, "reference": found.reference}
        move(self, verb, authorisation, f"portal-{number}", "", asked, "")
        return True

    def dispute(
        self, authorisation: str, turn: str, amount: int | None = None, *, although_refunded: bool = False
    ) -> bool:
        found = self.book.authorisation(authorisation)
        assert found
        try:
            self.pass_time(TURN_TAKES_SECONDS)
            take_turn(self, found, turn, amount, although_refunded=although_refunded)
        except TurnNotPossible:
            return False
        return True

    def pass_time(self, seconds: float) -> None:
        self.book.record("clock_moved", offset=self.book.clock_offset + seconds)

    def close(self) -> None:
        self._journal.close()
        self.path.unlink()


class Front:
    """A port on loopback behind which another acquirer sits in every history."""

    def __init__(self) -> None:
        self.url = ""
        self._desk: Desk | None = None
        self.acquirer: SteeredAcquirer | None = None

    def begin(self, letter: str, journal: Path) -> SteeredAcquirer:
        self.acquirer = SteeredAcquirer(letter, journal)
        self._desk = Desk(self.acquirer, self.url)
        self.acquirer.first_asked = self._desk._first_asked
        return self.acquirer

    def answer(self, request: Request) -> Reply:
        assert self._desk
        reply = self._desk.answer(request)
        if reply.how == "never":
            reply.how = "close"
        reply.after = 0.0
        return reply


@contextmanager
def open_fronts(count: int) -> Iterator[list[Front]]:
    """`count` ports, served by one thread."""
    fronts = [Front() for _ in range(count)]
    loop = asyncio.new_event_loop()

    async def serve(front: Front) -> asyncio.Server:
        server = await loop.create_server(lambda: Connection(front.answer), "127.0.0.1", 0)
        front.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        return server

    servers = [loop.run_until_complete(serve(front)) for front in fronts]
    thread = threading.Thread(target=loop.run_forever, name="acquirers", daemon=True)
    thread.start()
    try:
        yield fronts
    finally:
        for server in servers:
            loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
