"""What an event says of people, and from where it was done: shown to whoever may see it, on its page and in files."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Label

from admin import personal
from admin.event_search import EVENTS
from admin.here import staff
from app.core.db import table_of
from app.core.events import EventDetails
from app.core.origin import KEYS
from app.customers.add import CUSTOMERS
from app.payments.blocked import payer_blocked

DETAILS = table_of(EventDetails)

Row = Mapping[str, Any]


def needed() -> tuple[Any, Any, Label[bool]]:
    """Columns that say what is in the details, and whether they may be seen; see joined()."""
    return DETAILS.c.body.label("details"), CUSTOMERS.c.restricted_at, payer_blocked(EVENTS.c.payment_id)


def joined(query: Any) -> Any:
    of_customer = (EVENTS.c.subject_type == "customer") & (CUSTOMERS.c.id == EVENTS.c.subject_id)
    query = query.join(DETAILS, DETAILS.c.event_id == EVENTS.c.id, isouter=True)
    return query.join(CUSTOMERS, of_customer, isouter=True)


def of_people(event: Row) -> dict[str, Any]:
    """Details besides where somebody was."""
    return {name: value for name, value in (event["details"] or {}).items() if name not in KEYS}


def seen(event: Row) -> dict[str, Any]:
    """Names and addresses in an event, for whoever may see those of payers, or those of staff."""
    found = of_people(event)
    return found if found and _may_see(event) else {}


def _may_see(event: Row) -> bool:
    if event["merchant_id"] is None:
        return staff().may("user.read")
    if event["payment_id"] is not None:
        return personal.may_see_payer(event)
    if event["subject_type"] == "customer":
        return personal.visible(event["merchant_id"]) and personal.may_see_customer(event)
    return personal.visible(event["merchant_id"])


def came_from(event: Row) -> dict[str, Any]:
    """Where somebody of the staff sat is theirs too: for those who keep the users, and for auditors."""
    if not (staff().may("user.read") or staff().may("export.events")):
        return {}
    return {name: value for name, value in (event["details"] or {}).items() if name in KEYS}
