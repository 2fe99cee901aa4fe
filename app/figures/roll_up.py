"""`roll_up()`: the figures of every hour in which something changed since last time, made anew from its operations.

The event log says what changed: whatever becomes of an operation tells an event, and events are numbered as they are
committed. A cursor remembers how far it was read and moves in the transaction that writes the figures; so nothing is
counted twice, nothing is missed while the job was away, and what changes later takes its old hour along.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, TextClause, select, text, update
from sqlalchemy.dialects.postgresql import insert

from app.core.db import ALL, atomic
from app.core.events import EventLog
from app.core.ids import first_of
from app.core.reactions import Cursor
from app.figures import rows
from app.figures.periods import DAYS_OF, midnight

CURSOR = "figures"
_HOUR = timedelta(hours=1)
_MOST_IN_A_ROW = 48  # hours whose operations one statement reads

_HOURS_DUE = text(
    f"""
    SELECT DISTINCT {rows.HOUR} AS starts_at
    FROM event_log l
    JOIN events e ON e.id = l.event_id
    JOIN operations o ON o.payment_id = e.payment_id
    WHERE l.position > :after AND l.position <= :up_to AND e.subject_type = 'operation'
    ORDER BY 1
    """  # noqa: S608 - names of our own
)


@dataclass(frozen=True, slots=True)
class Rolled:
    """How many events were read, and how many hours they touched."""

    events: int
    hours: int


def roll_up(events: int = 20_000) -> Rolled:
    """Reads up to `events` events. Nothing is done when there are none, or when another worker is at it."""
    with atomic(ALL) as connection:
        after = _cursor(connection)
        up_to = None if after is None else _last(connection, after, events)
        if after is None or up_to is None:
            return Rolled(0, 0)
        hours = list(connection.execute(_HOURS_DUE, {"after": after, "up_to": up_to}).scalars())
        for run in runs(hours):
            _write(connection, *run)
        connection.execute(update(Cursor).where(Cursor.reaction == CURSOR).values(position=up_to))
        return Rolled(up_to - after, len(hours))


def _cursor(connection: Connection) -> int | None:
    """How far the log was read; it is locked. None while another worker has it."""
    connection.execute(insert(Cursor).values(reaction=CURSOR, position=0).on_conflict_do_nothing())
    query = select(Cursor.position).where(Cursor.reaction == CURSOR).with_for_update(skip_locked=True)
    return connection.execute(query).scalar()


def _last(connection: Connection, after: int, events: int) -> int | None:
    query = select(EventLog.position).where(EventLog.position > after, EventLog.position <= after + events)
    return connection.execute(query.order_by(EventLog.position.desc()).limit(1)).scalar()


def runs(hours: Sequence[datetime]) -> Iterator[tuple[datetime, datetime]]:
    """Hours, in their order, as (first, the one after the last) of those that follow each other.

    A range is read by its index; of a list of single hours PostgreSQL would look through all there is.
    """
    start, number = 0, 1
    while start < len(hours):
        while number < min(len(hours), start + _MOST_IN_A_ROW) and hours[number] - hours[number - 1] == _HOUR:
            number += 1
        yield hours[start], hours[number - 1] + _HOUR
        start, number = number, number + 1


def _write(connection: Connection, first: datetime, after: datetime) -> None:
    """The hours from `first` to just before `after`, and the days to which they belong, anew."""
    of_ids = {"first": first_of(first), "after": first_of(after)}
    of_hours = {"first": first, "after": after}
    of_days = {"first": midnight(first), "after": midnight(after - _HOUR, 1)}
    for forget_hours, write_hours, forget_days, write_days in _STATEMENTS:
        connection.execute(forget_hours, of_hours)
        connection.execute(write_hours, of_ids)
        connection.execute(forget_days, of_days)
        connection.execute(write_days, of_days)


_FORGET = "DELETE FROM {table} WHERE span = '{span}' AND starts_at >= :first AND starts_at < :after"
_HOURS = "INSERT INTO {table} ({columns}) SELECT {columns} FROM ({said}) said"
_DAYS = """
    INSERT INTO {table} ({columns})
    SELECT 'day', date_trunc('day', starts_at, '{zone}'), {keys}, {sums}
    FROM {table} WHERE span = 'hour' AND starts_at >= :first AND starts_at < :after
    GROUP BY 2, {keys}
"""


def _statements(table: str, keys: Sequence[str], values: Sequence[str], said: str) -> tuple[TextClause, ...]:
    """Four for a table: hours forgotten and written, days forgotten and written."""
    words = {
        "table": table,
        "columns": ", ".join(("span", "starts_at", *keys, *values)),
        "keys": ", ".join(keys),
        "sums": ", ".join(f"sum({value})" for value in values),
        "said": said,
        "zone": DAYS_OF.key,
    }
    return (
        text(_FORGET.format(span="hour", **words)),
        text(_HOURS.format(**words)),
        text(_FORGET.format(span="day", **words)),
        text(_DAYS.format(**words)),
    )


_STATEMENTS = tuple(
    _statements(table, keys, values, said(rows.OF_HOURS))
    for table, keys, values, said in (
        ("money_figures", rows.MONEY_KEYS, rows.MONEY, rows.money),
        ("attempt_figures", rows.ATTEMPT_KEYS, ("attempts",), rows.attempts),
    )
)
