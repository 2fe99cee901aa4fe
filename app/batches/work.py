"""`work()`: takes rows of batches, a few at a time, and does them; what a dead worker left is taken again."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from flask import Flask
from sqlalchemy import or_, select, tuple_, update

from app.batches.do_row import do_row, done_before
from app.batches.finish import finish
from app.batches.models import BATCHES, ROWS
from app.batches.start import words_of
from app.core.clock import now
from app.core.db import ALL, atomic, reading
from app.core.errors import Refusal
from app.core.ids import public_id
from app.core.texts import N_
from app.staff.access import Staff
from app.staff.snapshot import snapshot

log = structlog.get_logger()

LEASE = timedelta(seconds=90)  # a call outside, twice (a fading authorisation is renewed first), and its recording
AT_ONCE = 8  # gentle on providers: others pay at the same time
MOST_ATTEMPTS = 3
PAUSE = timedelta(seconds=10)

Row = Mapping[str, Any]


class Failed(Refusal):
    code = "failed"
    message = N_("Something went wrong here. Nothing is known to have been sent.")
    advice = N_("Look at the payment before you do it again.")


def work(app: Flask, limit: int) -> int:
    """Does up to about `limit` rows. Returns how many were taken."""
    done = 0
    while done < limit and (taken := _take(2 * AT_ONCE)):
        batches, people = _context({row["batch_id"] for row in taken})
        jobs = [(app, batches[row["batch_id"]], row, people[row["batch_id"]]) for row in taken]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(_in_context, jobs))
        done += len(taken)
    finish()
    return done


def _take(many: int) -> Sequence[Row]:
    """Rows that wait and that nobody is at."""
    wanted = (
        select(ROWS.c.batch_id, ROWS.c.number)
        .where(ROWS.c.state == "waiting", or_(ROWS.c.leased_until.is_(None), ROWS.c.leased_until < now()))
        .order_by(ROWS.c.number, ROWS.c.batch_id)  # batches of several people move on side by side
        .limit(many)
        .with_for_update(skip_locked=True)
    )
    with atomic(ALL) as connection:
        rows = connection.execute(
            update(ROWS)
            .where(tuple_(ROWS.c.batch_id, ROWS.c.number).in_(wanted))
            .values(leased_until=now() + LEASE, attempts=ROWS.c.attempts + 1)
            .returning(ROWS)
        ).mappings()
        return [dict(row) for row in rows]


def _context(ids: set[UUID]) -> tuple[Mapping[UUID, Row], Mapping[UUID, Staff | None]]:
    """The batches, and who started each with the rights they have now."""
    with reading(ALL) as connection:
        batches = {
            row["id"]: dict(row) for row in connection.execute(select(BATCHES).where(BATCHES.c.id.in_(ids))).mappings()
        }
        return batches, {batch["id"]: snapshot(connection, batch["started_by"]) for batch in batches.values()}


def _in_context(job: tuple[Flask, Row, Row, Staff | None]) -> None:
    app, batch, row, staff = job
    with app.app_context():
        try:
            _row(batch, row, staff)
        except Refusal as refusal:
            _end(row, state="refused", why=words_of(refusal))
        except Exception as error:  # the others go on
            log.error("batch_row_failed", payment=public_id("pay", row["payment_id"]), error=repr(error))
            _again(batch, row)


def _row(batch: Row, row: Row, staff: Staff | None) -> None:
    """In a stopped batch it is only looked whether somebody who died had done it."""
    if batch["stopped_at"] is None:
        _end(row, state="done", operation_id=do_row(batch, row, staff))
    else:
        found = done_before(batch, row)
        _end(row, state="done" if found else "stopped", operation_id=found)


def _again(batch: Row, row: Row) -> None:
    """A little later, a few times; then it is over."""
    if row["attempts"] < MOST_ATTEMPTS:
        _change(row, leased_until=now() + row["attempts"] * PAUSE)
        return
    found = done_before(batch, row)
    _end(row, state="done" if found else "refused", operation_id=found, why=None if found else words_of(Failed()))


def _end(row: Row, **values: Any) -> None:
    _change(row, **values, leased_until=None, ended_at=now())


def _change(row: Row, **values: Any) -> None:
    with atomic(ALL) as connection:
        connection.execute(
            update(ROWS)
            .where(ROWS.c.batch_id == row["batch_id"], ROWS.c.number == row["number"], ROWS.c.state == "waiting")
            .values(**values)
        )
