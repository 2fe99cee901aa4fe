"""Reactions: together in the transaction, later in order, and a broken one never breaks the fact."""

from itertools import pairwise

import pytest
from sqlalchemy import select

from app.core import reactions
from app.core.db import ALL, atomic, reading
from app.core.events import Event, tell
from app.core.ids import uuid7
from app.core.reactions import FailedReaction, react_later, repeat_failed
from app.core.sequence import sequence

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture(autouse=True)
def _own_reactions():
    """Reactions registered by a test end with it."""
    together, later = list(reactions._together), dict(reactions._later)
    yield
    reactions._together[:] = together
    reactions._later.clear()
    reactions._later.update(later)


def _tell(name: str) -> None:
    with atomic(ALL):
        tell(name, subject=("thing", uuid7()), merchant_id=uuid7(), live=False)


def test_a_reaction_runs_in_the_same_transaction_and_may_tell_more():
    seen = []

    @reactions.together("thing.done")
    def react(connection, event):
        seen.append(event["name"])
        tell("thing.followed", subject=("thing", uuid7()), merchant_id=event["merchant_id"], live=False)

    @reactions.together("thing.followed")
    def follow(connection, event):
        seen.append(event["name"])

    _tell("thing.done")
    assert seen == ["thing.done", "thing.followed"]


def test_a_broken_reaction_is_undone_alone_noted_and_repeated():
    broken = True

    @reactions.together("thing.broke")
    def react(connection, event):
        tell("thing.half_done", subject=("thing", uuid7()), merchant_id=event["merchant_id"], live=False)
        if broken:
            raise ZeroDivisionError("half way")

    _tell("thing.broke")
    with reading(ALL) as connection:
        failed = connection.execute(select(FailedReaction.error, FailedReaction.event_id)).one()
        assert connection.execute(select(Event.id).where(Event.id == failed.event_id)).one()
        assert connection.execute(select(Event.id).where(Event.name == "thing.half_done")).all() == []
    assert "half way" in failed.error
    assert repeat_failed(10) == 0
    broken = False
    assert repeat_failed(10) == 1
    with reading(ALL) as connection:
        assert connection.execute(select(FailedReaction.id)).all() == []
        assert len(connection.execute(select(Event.id).where(Event.name == "thing.half_done")).all()) == 1


def test_a_later_reaction_reads_every_event_once_and_in_order():
    read: list[tuple[int, int]] = []
    fail = True
    while sequence() or react_later():
        pass

    @reactions.later("test")
    def react(connection, after, up_to):
        if fail:
            raise ZeroDivisionError
        read.append((after, up_to))

    for _ in range(3):
        _tell("thing.done")
    sequence()
    others = react_later()  # the one that fails holds up nobody
    assert others == 3 * (len(reactions._later) - 1)
    fail = False
    while react_later(batch=2):
        pass
    assert read[0][0] == 0
    assert all(before[1] == after[0] for before, after in pairwise(read))
