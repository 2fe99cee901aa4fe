"""Reactions: how rooms above hear of events without being called from below.

`together`: in the same transaction, database only, in a savepoint; if it raises, only the savepoint is
undone, a `failed_reactions` row alerts, and a job repeats it. `later`: from the event log by position,
at least once per event, in order; each later reaction keeps its own cursor.
"""

import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Mapped, mapped_column

from app.core.clock import now
from app.core.db import ALL, Model, Transaction, atomic, savepoint, table_of
from app.core.events import Event, EventLog
from app.core.ids import uuid7

log = structlog.get_logger()

Together = Callable[[Connection, Mapping[str, Any]], None]
When = Callable[[Mapping[str, Any]], bool]
Later = Callable[[Connection, int, int], None]

_MOST_ROUNDS = 5


@dataclass(frozen=True)
class _Reaction:
    name: str
    events: frozenset[str]
    run: Together
    when: When


_together: list[_Reaction] = []
_later: dict[str, Later] = {}
_single: dict[str, Together] = {}


class FailedReaction(Model):
    """A reaction that raised and waits to be repeated."""

    __tablename__ = "failed_reactions"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    event_id: Mapped[UUID]
    reaction: Mapped[str]
    error: Mapped[str]
    attempts: Mapped[int]
    failed_at: Mapped[datetime]


class Cursor(Model):
    """How far a later reaction has read the event log."""

    __tablename__ = "reaction_cursors"
    reaction: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int]


def together(*events: str, when: When = lambda _: True) -> Callable[[Together], Together]:
    """Decorator: run this in the transaction that tells one of `events`, with the event as a mapping.

    `when` looks at the event (its `about` is the subject's row) and saves the savepoint where nothing is to be done.
    """

    def register(run: Together) -> Together:
        _together.append(_Reaction(f"{run.__module__}.{run.__qualname__}", frozenset(events), run, when))
        return run

    return register


def later(name: str) -> Callable[[Later], Later]:
    """Decorator: call `run(connection, after, up_to)` for events with after < position <= up_to.

    The cursor moves in the same transaction, so what `run` writes is written exactly once.
    """

    def register(run: Later) -> Later:
        _later[name] = run
        return run

    return register


def single(name: str) -> Callable[[Together], Together]:
    """Decorator: how the later reaction `name` is repeated for one event that it had to set_aside()."""

    def register(run: Together) -> Together:
        _single[name] = run
        return run

    return register


def set_aside(connection: Connection, event_id: UUID, name: str, error: BaseException) -> None:
    """Keeps an event that a reaction cannot deal with now: it is counted, shown to the staff and repeated."""
    connection.execute(
        insert(FailedReaction).values(
            id=uuid7(),
            event_id=event_id,
            reaction=name,
            error="".join(traceback.format_exception_only(error)).strip()[:2000],
            attempts=1,
            failed_at=now(),
        )
    )


def react_together(work: Transaction) -> None:
    done = 0
    for _ in range(_MOST_ROUNDS):
        fresh, done = work.told[done:], len(work.told)
        if not fresh:
            return
        for event in fresh:
            for reaction in _together:
                if event["name"] in reaction.events and reaction.when(event):
                    _run(work.connection, reaction, event)
    assert len(work.told) == done, "reactions answer each other without end"


def _run(connection: Connection, reaction: _Reaction, event: Mapping[str, Any]) -> None:
    try:
        with savepoint():
            reaction.run(connection, event)
    except Exception as error:  # recording an answer never fails because of a reaction
        log.error("reaction_failed", reaction=reaction.name, told=event["name"], error=repr(error))
        set_aside(connection, event["id"], reaction.name, error)


def repeat_failed(limit: int) -> int:
    """Runs failed reactions again; a success removes the row. Returns how many succeeded."""
    succeeded = 0
    with atomic(ALL) as connection:
        rows = connection.execute(
            select(table_of(FailedReaction)).order_by(FailedReaction.failed_at).limit(limit)
        ).all()
    for row in rows:
        try:
            with atomic(ALL) as connection:
                removed = connection.execute(delete(FailedReaction).where(FailedReaction.id == row.id)).rowcount
                event = connection.execute(select(table_of(Event)).where(Event.id == row.event_id)).mappings().first()
                run = _single.get(row.reaction) or next((o.run for o in _together if o.name == row.reaction), None)
                if removed and event is not None and run is not None:
                    run(connection, dict(event))
            succeeded += 1
        except Exception as error:
            log.error("reaction_failed_again", reaction=row.reaction, error=repr(error))
            with atomic(ALL) as connection:
                connection.execute(
                    update(FailedReaction)
                    .where(FailedReaction.id == row.id)
                    .values(attempts=FailedReaction.attempts + 1, error=repr(error)[:2000], failed_at=now())
                )
    return succeeded


def react_later(batch: int = 500) -> int:
    """Advances every later reaction by at most `batch` events each. Returns how many events were read in all.

    One that raises stays where it is, is logged, and does not hold up the others.
    """
    read = 0
    for name in list(_later):
        try:
            read += _advance(name, batch)
        except Exception as error:
            log.error("later_reaction_failed", reaction=name, error=repr(error))
    return read


def _advance(name: str, batch: int) -> int:
    with atomic(ALL) as connection:
        connection.execute(upsert(Cursor).values(reaction=name, position=0).on_conflict_do_nothing())
        after = connection.execute(
            select(Cursor.position).where(Cursor.reaction == name).with_for_update(skip_locked=True)
        ).scalar()
        if after is None:
            return 0  # another worker is at it
        up_to = connection.execute(
            select(EventLog.position)
            .where(EventLog.position > after, EventLog.position <= after + batch)
            .order_by(EventLog.position.desc())
            .limit(1)
        ).scalar()
        if up_to is None:
            return 0
        _later[name](connection, after, up_to)
        connection.execute(update(Cursor).where(Cursor.reaction == name).values(position=up_to))
        return up_to - after
