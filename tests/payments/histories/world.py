"""Where histories take place: databases, acquirers, and what can go wrong on the way to them."""

import secrets
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from flask import Flask
from sqlalchemy import insert, make_url, update

from app.core import http, sequence
from app.core.clock import now
from app.core.db import ALL, Transaction, atomic, before_commit
from app.core.ids import parse_id
from app.ledger.balance import snapshot
from app.merchants.add import MERCHANTS, add_contract, add_merchant
from app.payments.queries import OPERATIONS
from app.risk.models import AmountCeiling
from sandbox.acquirers.letters import LETTERS
from tests.books import broken_proofs
from tests.databases import Databases
from tests.payments.histories.desks import Front, SteeredAcquirer, open_fronts

# Proofs read whole tables, so histories get a fresh database now and then; the old one is proved as a whole.
HISTORIES_PER_DATABASE = 250

LOST = ("broken", "garbled", "unknown_word", "no_answer", "silence", "close")  # the answer; "close", "silence": undone
DEATHS = ("dies_in_prepare", "dies_before_the_call", "dies_after_the_call")


class Died(BaseException):
    """Our process was killed. Not an Exception: nothing may catch it, as nothing catches SIGKILL."""


class Deaths:
    """Kills us at a named point of the next operation."""

    def __init__(self) -> None:
        self.at: str | None = None
        self._called = False

    def before_call(self) -> None:
        self._called = True
        if self.at == "dies_before_the_call":
            self._die()

    def before_commit(self, _: Transaction) -> None:
        if self.at == "dies_in_prepare" or (self.at == "dies_after_the_call" and self._called):
            self._die()

    def arm(self, mishap: str | None) -> None:
        self.at, self._called = (mishap if mishap in DEATHS else None), False

    def _die(self) -> None:
        self.at = None
        raise Died()


@dataclass(frozen=True)
class Business:
    """A merchant with contracts at acquirers, all of its own."""

    merchant_id: UUID
    contracts: tuple[UUID, ...]
    acquirers: tuple[SteeredAcquirer, ...]

    @property
    def act(self) -> dict[str, Any]:
        return {"merchant_id": self.merchant_id, "live": False, "actor": "test"}


@dataclass
class World:
    app: Flask
    databases: Databases
    fronts: list[Front]
    journals: Path
    deaths: Deaths
    histories: int = 0  # begun
    whole: int = 0  # and brought to their end
    steps: int = 0
    proved: int = 0
    told: Counter[str] = field(default_factory=Counter)  # events of whole histories
    _database: ExitStack = field(default_factory=ExitStack)

    def new_history(self) -> None:
        if self.histories % HISTORIES_PER_DATABASE == 0:
            self.new_database()
        self.histories += 1
        http._peers.clear()  # no circuit breaker: it would make what happens depend on the real time

    def new_database(self) -> None:
        self.close()
        url = make_url(self._database.enter_context(self.databases.fresh(self.app)))
        # No machine loses its power in these histories; a third of the time would go into waiting for the disk.
        self.databases._maintain(f'ALTER DATABASE "{url.database}" SET synchronous_commit TO off')

    def close(self) -> None:
        """Proves the database as a whole, then drops it."""
        if self.histories > self.proved:
            with self.app.app_context():
                self.prove()
            self.proved = self.histories
        self._database.close()

    def prove(self) -> None:
        assert broken_proofs() == {}
        with atomic(ALL) as connection:
            snapshot(connection)
        assert broken_proofs() == {}, "with snapshots"
        while sequence.sequence(5000):
            pass
        verified, broken = sequence.verify()
        assert verified > 0 and broken is None, "the sealed chain of events"

    def business(self, letters: str, *, review_above: int | None, honour_days: int | None) -> Business:
        journals = [self.journals / f"{secrets.token_hex(6)}.jsonl" for _ in letters]
        acquirers = [front.begin(*each) for front, *each in zip(self.fronts, letters, journals, strict=False)]
        with atomic(ALL) as connection:
            merchant_id = add_merchant(connection, name=f"Merchant {self.histories}", actor="test")
            contracts = [
                add_contract(
                    connection,
                    merchant_id=merchant_id,
                    live=False,
                    provider="sandbox_card",
                    label=letter,
                    priority=100 + place,
                    settings={
                        "url": self.fronts[place].url,
                        "api_key": LETTERS[letter].api_key,
                        "news_secret": LETTERS[letter].news_secret,
                    },
                    honour_days=honour_days,
                    actor="test",
                )
                for place, letter in enumerate(letters)
            ]
            if review_above is not None:
                row = {"merchant_id": merchant_id, "live": False, "currency": "EUR", "review_above": review_above}
                connection.execute(insert(AmountCeiling).values(row))
        return Business(merchant_id, tuple(contracts), tuple(acquirers))

    def move_clock(self, business: Business, seconds: int, offset: int) -> None:
        """Business time, ours and the acquirers': `offset` is the new sum of all moves."""
        with atomic(ALL) as connection:
            connection.execute(
                update(MERCHANTS).where(MERCHANTS.c.id == business.merchant_id).values(clock_offset_seconds=offset)
            )
        for acquirer in business.acquirers:
            acquirer.pass_time(seconds)

    @contextmanager
    def trouble(self, mishap: str | None, acquirer: SteeredAcquirer) -> Iterator[None]:
        """What goes wrong with the next call in the block: a word of the acquirers, or a death of ours."""
        self.deaths.arm(mishap)
        acquirer.control.next = mishap if mishap not in DEATHS else None  # type: ignore[assignment]
        try:
            yield
        finally:
            self.deaths.arm(None)
            acquirer.control.next = None


def make_old(operation: str, age: timedelta) -> None:
    """As if the operation had been written down and sent `age` ago."""
    with atomic(ALL) as connection:
        connection.execute(
            update(OPERATIONS)
            .where(OPERATIONS.c.id == parse_id("op", operation))
            .values(created_at=now() - age, updated_at=now() - age)
        )


@contextmanager
def made(app: Flask, databases: Databases, journals: Path) -> Iterator[World]:
    deaths = Deaths()
    before_call: Callable[[], None] = http.before_call

    def before() -> None:
        before_call()
        deaths.before_call()

    before_commit(deaths.before_commit)
    http.before_call = before
    try:
        with open_fronts(2) as fronts:
            world = World(app, databases, fronts, journals, deaths)
            try:
                yield world
            finally:
                world.close()
    finally:
        http.before_call = before_call
        from app.core import db

        db._before_commit.remove(deaths.before_commit)
