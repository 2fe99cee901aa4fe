"""Positions without gaps, and seals that show who tampered."""

import threading

import pytest
from sqlalchemy import create_engine, select, text

from app.core.db import ALL, atomic, reading
from app.core.events import Event, EventLog, tell
from app.core.ids import uuid7
from app.core.sequence import sequence, verify


@pytest.fixture
def owner(app, databases, context):
    """A connection that may do what the application may not."""
    import os

    name = os.environ["DATABASE_URL"].split("/")[3].split("?")[0]
    engine = create_engine(databases.urls(name)[1])
    with engine.begin() as connection:
        connection.exec_driver_sql("TRUNCATE events, event_log, event_queue, event_details")
    yield engine
    engine.dispose()


def _tell(count: int = 1, **more) -> None:
    with atomic(ALL):
        for _ in range(count):
            tell("customer.added", subject=("customer", uuid7()), merchant_id=uuid7(), live=False, **more)


def test_events_get_gapless_positions_in_the_order_they_were_told(owner):
    _tell(7)
    assert sequence(5) == 5
    assert sequence(5) == 2
    with reading(ALL) as connection:
        rows = connection.execute(
            select(EventLog.position, Event.id).join(Event, Event.id == EventLog.event_id).order_by(EventLog.position)
        ).all()
    assert [row.position for row in rows] == list(range(1, 8))
    assert [row.id for row in rows] == sorted(row.id for row in rows)


def test_an_event_committed_late_is_not_lost(app, owner):
    told, go = threading.Event(), threading.Event()

    def slow() -> None:
        with app.app_context(), atomic(ALL):
            tell("customer.slow", subject=("customer", uuid7()), merchant_id=uuid7(), live=False)
            told.set()
            go.wait(10)

    thread = threading.Thread(target=slow)
    thread.start()
    told.wait(10)
    _tell()
    assert sequence() == 1
    go.set()
    thread.join()
    assert sequence() == 1
    assert verify() == (2, None)


def test_a_payments_events_keep_their_order_whatever_the_clocks_say(owner):
    payment = uuid7()
    with atomic(ALL):
        for step in (3, 1, 2):
            tell(
                f"step.{step}",
                subject=("operation", uuid7()),
                merchant_id=uuid7(),
                live=False,
                payment_id=payment,
                payment_step=step,
            )
    sequence()
    with reading(ALL) as connection:
        names = connection.execute(
            select(Event.name).join(EventLog, EventLog.event_id == Event.id).order_by(EventLog.position)
        ).scalars()
        assert list(names) == ["step.1", "step.2", "step.3"]


@pytest.mark.parametrize(
    ("statement", "broken"),
    [
        (
            "UPDATE events SET data = '{\"amount\": 1}' WHERE id = (SELECT event_id FROM event_log WHERE position = 3)",
            3,
        ),
        ("UPDATE events SET actor = 'staff:me' WHERE id = (SELECT event_id FROM event_log WHERE position = 2)", 2),
        ("DELETE FROM events WHERE id = (SELECT event_id FROM event_log WHERE position = 4)", 4),
        ("DELETE FROM event_log WHERE position = 3", 3),
        ('UPDATE event_details SET body = \'{"name": "x"}\'', 1),
    ],
)
def test_tampering_is_found_at_the_first_broken_position(owner, statement, broken):
    _tell(5, details={"name": "Erika"})
    sequence()
    assert verify() == (5, None)
    with owner.begin() as connection:
        connection.execute(text(statement))
    assert verify() == (broken - 1, broken)


def test_erasing_a_persons_details_leaves_the_chain_whole(owner):
    _tell(3, details={"name": "Erika"})
    sequence()
    with atomic(ALL) as connection:
        connection.exec_driver_sql("DELETE FROM event_details")
    assert verify() == (3, None)
