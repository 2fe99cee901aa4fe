"""What the page of one customer shows, and finding customers by what somebody remembers."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select

from admin import personal
from admin.here import connection, here, staff
from app.core.db import table_of
from app.core.events import Event
from app.core.fast import read_together
from app.customers.erase import INSTRUMENTS
from app.customers.find import known_as
from app.payments import find, search

EVENTS = table_of(Event)
_PAYMENTS, _EVENTS = 20, 50
_LIMIT = 50  # of each way to be found


def picture(customer: Mapping[str, Any]) -> dict[str, Any]:
    """Their latest payments, what they can be charged with, what happened, and who saw it."""
    filters = search.Filters(live=customer["live"], customer=customer["id"])
    payments = search.listed(connection(), filters, limit=_PAYMENTS)
    instruments = select(INSTRUMENTS).where(INSTRUMENTS.c.customer_id == customer["id"], ~INSTRUMENTS.c.pending)
    events = select(EVENTS).where(EVENTS.c.subject_type == "customer", EVENTS.c.subject_id == customer["id"])
    return {
        "payments": payments.rows,
        "more_payments": payments.has_next,
        "instruments": _rows(instruments.order_by(INSTRUMENTS.c.active.desc(), INSTRUMENTS.c.id.desc()).limit(50)),
        "events": _rows(events.order_by(EVENTS.c.id.desc()).limit(_EVENTS))
        if staff().may("event.read", customer["merchant_id"])
        else [],
    }


def wanted_by(typed: str) -> list[UUID]:
    """Customers whose number, name or address is or begins like this; by what is personal only where it may be seen."""
    [found] = read_together(connection(), find.given(typed, live=here().live), known_as(_LIMIT))
    return [row["id"] for row in found if row["by"] == "number_key" or personal.may_see_customer(row)]


def _rows(query: Any) -> Sequence[Any]:
    return connection().execute(query).mappings().all()
