"""What events say about them: names and addresses lie beside an event and can go without breaking the sealed log."""

from typing import TYPE_CHECKING

from sqlalchemy import Connection, text

from app.core.ids import public_id
from app.core.origin import KEYS
from app.core.texts import N_
from app.privacy.known.kinds import Rows
from app.privacy.person import Person

ORDER = 80
TITLE = N_("Log of events")
STAYS = N_(
    "The sealed log stays: ids, amounts and codes, without names. So does who among the staff did or saw what, and from"
    " where, for a year: it protects the person itself (Art. 32 GDPR)."
)

# Where a member of staff or a merchant's program was is theirs, not the payer's: an event whose details say no more
# than that is left alone.
_ABOUT = """
    (e.payment_id = ANY (:payments) OR (e.subject_type = 'customer' AND e.subject_id = :customer)
     OR (e.subject_type = 'instrument' AND e.subject_id IN (SELECT id FROM instruments WHERE customer_id = :customer)))
    AND ((e.actor NOT LIKE 'staff:%' AND e.actor NOT LIKE 'key:%') OR d.body - CAST(:origin AS text[]) <> '{}')
"""
_KNOWN = text(
    f"SELECT e.id, e.name, e.happened_at, d.body - CAST(:hidden AS text[]) AS said FROM events e"  # noqa: S608 - no values in it
    f" JOIN event_details d ON d.event_id = e.id WHERE {_ABOUT} ORDER BY e.id"
)
_ERASE = text(
    "DELETE FROM event_details WHERE event_id IN (SELECT e.id FROM events e"  # noqa: S608 - no values in it
    f" JOIN event_details d ON d.event_id = e.id WHERE {_ABOUT})"
)


def known(connection: Connection, person: Person) -> Rows:
    rows = connection.execute(_KNOWN, {**_whose(person), "hidden": list(KEYS)}).all()
    return [
        {"event": public_id("evt", row.id), "what": row.name, "when": row.happened_at, "said": row.said}
        for row in rows
        if row.said
    ]


def erase(connection: Connection, person: Person) -> int:
    return connection.execute(_ERASE, _whose(person)).rowcount


def _whose(person: Person) -> dict[str, object]:
    return {"payments": list(person.payments), "customer": person.id, "origin": list(KEYS)}


if TYPE_CHECKING:
    from app.privacy.known import events as _me
    from app.privacy.known.kinds import Known

    _: Known = _me
