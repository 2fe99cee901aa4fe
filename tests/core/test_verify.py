"""Whoever changes the past in the database itself is found out, and so is what they changed."""

import os
from datetime import UTC, datetime

import pytest
import time_machine
from sqlalchemy import create_engine, text
from sqlalchemy.exc import ProgrammingError

from app.core.clock import now
from app.core.db import ALL, atomic, reading
from app.core.events import tell
from app.core.ids import uuid7
from app.core.sequence import sequence
from app.core.verify import verify

EVENTS = 8


@pytest.fixture
def owner(app, databases, context):
    """Tampers: a connection that may do what the application may not. Eight sealed events to begin with."""
    name = os.environ["DATABASE_URL"].split("/")[3].split("?")[0]
    engine = create_engine(databases.urls(name)[1])
    with engine.begin() as connection:
        connection.exec_driver_sql("TRUNCATE events, event_log, event_queue, event_details")
    with atomic(ALL):
        for number in range(EVENTS):
            person = {"name": f"Erika {number}"} if number % 2 == 0 else None
            more = {"merchant_id": uuid7(), "live": False, "data": {"number": number}, "details": person}
            tell("customer.added", subject=("customer", uuid7()), actor="test", **more)
    assert sequence() == EVENTS

    def run(*statements: str) -> None:
        with engine.begin() as connection:
            for statement in statements:
                connection.execute(text(statement))

    yield run
    engine.dispose()


@pytest.fixture
def flask(app):
    """flask("audit", "verify"): (exit status, what it printed)."""

    def run(*words: str) -> tuple[int, str]:
        done = app.test_cli_runner().invoke(args=list(words))
        return done.exit_code, done.output

    return run


AT = "(SELECT event_id FROM event_log WHERE position = {})"


@pytest.mark.parametrize(
    ("statements", "position", "what"),
    [
        ([f"UPDATE events SET data = '{{}}' WHERE id = {AT.format(3)}"], 3, "the event was changed in events"),
        ([f"UPDATE events SET happened_at = now() WHERE id = {AT.format(1)}"], 1, "the event was changed in events"),
        ([f"UPDATE events SET actor = 'staff:me' WHERE id = {AT.format(EVENTS)}"], 8, "the event or its seal"),
        (
            ['UPDATE event_details SET body = \'{"name": "x"}\' WHERE event_id = ' + AT.format(5)],
            5,
            "event_details holds something else",
        ),
        (
            [f"INSERT INTO event_details (event_id, salt, body) SELECT {AT.format(2)}, '\\x00', '{{}}'"],
            2,
            "though nothing was told",
        ),
        (["UPDATE event_log SET seal = sha256(seal) WHERE position = 4"], 4, "the seal in event_log was changed"),
        (["UPDATE event_log SET public = NOT public WHERE position = 6"], 6, "another merchant, mode or audience"),
        ([f"DELETE FROM events WHERE id = {AT.format(7)}"], 7, "the event was deleted from events"),
        (["DELETE FROM event_log WHERE position = 2"], 2, "the row of event_log with this position is missing"),
        (["DELETE FROM event_log WHERE position = 8"], 8, "an event that is in no log"),
    ],
)
def test_the_first_row_that_was_changed_is_named(owner, flask, statements, position, what):
    whole = verify()
    assert (whole.events, whole.broken) == (EVENTS, None)
    owner(*statements)
    found = verify()
    assert found.broken is not None
    assert (found.events, found.broken.position) == (position - 1, position)
    assert what in found.broken.what
    status, printed = flask("audit", "verify")
    assert status == 1 and f"broken at position {position}" in printed and what in printed


def test_two_events_that_changed_places_are_found(owner):
    """Whole rows change places, seals and all; or only the events below the seals do."""
    owner(
        "ALTER TABLE event_log DROP CONSTRAINT IF EXISTS uq_event_log_event_id",
        "CREATE TEMP TABLE swap AS SELECT position, event_id, merchant_id FROM event_log WHERE position IN (3, 6)",
        "UPDATE event_log l SET event_id = s.event_id, merchant_id = s.merchant_id FROM swap s"
        " WHERE l.position = 9 - s.position",
        "ALTER TABLE event_log ADD CONSTRAINT uq_event_log_event_id UNIQUE (event_id)",
    )
    found = verify().broken
    assert found is not None
    assert (found.position, found.what) == (3, "here stood another event; it is at position 6 now")


def test_a_chain_that_was_cut_off_at_its_end_shows_against_a_seal_that_had_left(owner, flask, tmp_path):
    seal = f"{EVENTS}:{verify().seal.hex()}"
    log = tmp_path / "process.log"
    position, _, digits = seal.partition(":")
    log.write_text(f'noise\n{{"event": "newest_seal", "position": {position}, "seal": "{digits}"}}\n')
    mail = tmp_path / "seal.eml"
    mail.write_text(f"zahlwerk-seal {seal}\n")
    for known in (seal, str(log), str(mail)):
        status, printed = flask("audit", "verify", "--against", known)
        assert status == 0 and "1 seals that had left the database are the same" in printed
    last = AT.format(EVENTS)
    owner(
        f"CREATE TEMP TABLE gone AS SELECT {last} AS id",
        "DELETE FROM event_log WHERE event_id = (SELECT id FROM gone)",
        "DELETE FROM event_details WHERE event_id = (SELECT id FROM gone)",
        "DELETE FROM events WHERE id = (SELECT id FROM gone)",
    )
    assert flask("audit", "verify")[0] == 0, "by itself it fits together"
    for known in (seal, str(log), str(mail)):
        status, printed = flask("audit", "verify", "--against", known)
        assert status == 1 and "the log ends before this position" in printed


def test_a_chain_that_was_sealed_anew_shows_against_a_seal_that_had_left(owner, flask):
    """Somebody with the key rewrites everything: it fits together, but it is not the chain that was."""
    seal = f"{EVENTS - 1}:{verify().seal.hex()}"
    status, printed = flask("audit", "verify", "--against", seal)
    assert status == 1 and f"position {EVENTS - 1}" in printed and "another one" in printed


def test_erasing_somebody_leaves_the_chain_whole(owner, flask):
    with atomic(ALL) as connection:
        erased = connection.exec_driver_sql("DELETE FROM event_details").rowcount
        gone = connection.exec_driver_sql("SELECT subject_id FROM events WHERE details_digest IS NOT NULL").scalars()
        for customer_id in gone.all():
            tell("customer.erased", subject=("customer", customer_id), merchant_id=None, live=None, actor="test")
    sequence()
    found = verify(batch=3)
    assert (found.events, found.erased, found.broken) == (EVENTS + erased, erased, None)
    assert flask("audit", "verify")[0] == 0


def test_details_that_went_without_an_erasure_are_named(owner, flask):
    """The application may delete them, so a thief with its login may: the chain alone would not tell."""
    with atomic(ALL) as connection:
        connection.exec_driver_sql(f"DELETE FROM event_details WHERE event_id = {AT.format(3)}")
    assert verify().broken is None
    status, printed = flask("audit", "verify")
    assert (
        status == 1 and "position 3, event" in printed and "details of 1 events are gone before their time" in printed
    )
    with atomic(ALL) as connection:
        other = connection.exec_driver_sql(f"SELECT subject_id FROM events WHERE id = {AT.format(5)}").scalar_one()
        tell("customer.erased", subject=("customer", other), merchant_id=None, live=None, actor="test")
    sequence()
    assert flask("audit", "verify")[0] == 1, "somebody else's erasure explains nothing"


def test_details_may_be_gone_when_their_time_is_over(owner, flask):
    with atomic(ALL) as connection:
        connection.exec_driver_sql("DELETE FROM event_details")
    assert flask("audit", "verify")[0] == 1
    with time_machine.travel(datetime(now().year + 9, 1, 1, 12, tzinfo=UTC)):
        assert flask("audit", "verify")[0] == 0


def test_the_application_cannot_even_try(owner):
    for statement in (
        "UPDATE events SET actor = 'me'",
        "DELETE FROM events",
        "UPDATE event_log SET position = 0",
        "DELETE FROM event_log",
    ):
        with pytest.raises(ProgrammingError, match="permission denied"), atomic(ALL) as connection:
            connection.exec_driver_sql(statement)
    with reading(ALL) as connection:
        assert connection.execute(text("SELECT count(*) FROM event_log")).scalar_one() == EVENTS


def test_what_is_no_seal_is_refused(flask, tmp_path):
    file = tmp_path / "empty"
    file.write_text("nothing")
    assert "no seal in it" in flask("audit", "verify", "--against", str(file))[1]
    assert "neither a seal nor a file" in flask("audit", "verify", "--against", "12:zz")[1]
