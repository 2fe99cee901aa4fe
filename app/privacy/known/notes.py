"""What members of staff wrote down for each other about their payments."""

from typing import TYPE_CHECKING

from sqlalchemy import Connection, update

from app.core.clock import now
from app.core.ids import public_id
from app.core.texts import N_
from app.payments import note
from app.payments.note_models import NOTES
from app.privacy.known.kinds import Rows
from app.privacy.person import Person

ORDER = 35
TITLE = N_("Notes of the staff")
STAYS = N_("That something was noted, when and by whom stays, without what it said.")


def known(connection: Connection, person: Person) -> Rows:
    noted = NOTES.select().with_only_columns(NOTES.c.payment_id).where(NOTES.c.payment_id.in_(person.payments))
    return [
        {"payment": public_id("pay", payment_id), "said": one["said"], "written_at": one["written_at"]}
        for payment_id in connection.execute(noted.distinct()).scalars().all()
        for one in note.of_payment(connection, payment_id)
        if one["said"]
    ]


def erase(connection: Connection, person: Person) -> int:
    there = NOTES.c.payment_id.in_(person.payments) & NOTES.c.erased_at.is_(None)
    return connection.execute(update(NOTES).where(there).values(sealed=None, erased_at=now())).rowcount


if TYPE_CHECKING:
    from app.privacy.known import notes as _me
    from app.privacy.known.kinds import Known

    _: Known = _me
