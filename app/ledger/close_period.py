"""`close_period()`: the books of a merchant are final up to a day. What is told later stands on the first open day."""

from datetime import date, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, insert, select

from app.core.clock import business_now, now
from app.core.db import atomic, of, table_of
from app.core.errors import Conflict, Refusal
from app.core.events import tell
from app.core.ids import uuid7
from app.core.texts import N_
from app.ledger.models import ClosedPeriod

PERIODS = table_of(ClosedPeriod)
# A transaction that booked on a day ends less than a minute after the day; nothing of it may come in afterwards.
AFTER_MIDNIGHT = timedelta(hours=1)


class DayNotOver(Refusal):
    code = "day_not_over"
    message = N_("The books can be closed up to %(day)s: a day must have been over for an hour.")


class ClosedAlready(Conflict):
    code = "closed_already"
    message = N_("The books are closed up to %(day)s already.")
    advice = N_("What is closed stays closed. Choose a later day.")


def close_period(
    *, merchant_id: UUID, live: bool, last_day: date, clock_offset_seconds: int, timezone: str, actor: str
) -> UUID:
    """Closes all days up to and including `last_day`. `clock_offset_seconds`, `timezone`: the merchant's own.

    Returns the id of the closed period. Raises DayNotOver, ClosedAlready. It cannot be taken back.
    """
    latest = latest_closable(clock_offset_seconds, timezone)
    if last_day > latest:
        raise DayNotOver(param="last_day", day=latest.isoformat())
    with atomic(of(merchant_id, live)) as connection:
        before = closed_up_to(connection, merchant_id, live)
        if before is not None and last_day <= before:
            raise ClosedAlready(param="last_day", day=before.isoformat())
        period_id = uuid7()
        row = {"id": period_id, "merchant_id": merchant_id, "live": live, "last_day": last_day, "closed_at": now()}
        connection.execute(insert(PERIODS).values(row))
        tell(
            "books.closed",
            subject=("period", period_id),
            step=1,
            merchant_id=merchant_id,
            live=live,
            audience="staff",
            data={"last_day": last_day.isoformat(), "before": before.isoformat() if before else None},
            actor=actor,
        )
    return period_id


def latest_closable(clock_offset_seconds: int, timezone: str) -> date:
    """The last day that has been over for long enough where the merchant is."""
    local = (business_now(clock_offset_seconds) - AFTER_MIDNIGHT).astimezone(ZoneInfo(timezone))
    return local.date() - timedelta(days=1)


def closed_up_to(connection: Connection, merchant_id: UUID, live: bool) -> date | None:
    query = select(func.max(PERIODS.c.last_day)).where(PERIODS.c.merchant_id == merchant_id, PERIODS.c.live == live)
    return connection.execute(query).scalar()
