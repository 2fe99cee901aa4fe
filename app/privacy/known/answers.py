"""What they answered when a risk check asked who is paying."""

from typing import TYPE_CHECKING

from sqlalchemy import Connection, delete, select

from app.core.db import table_of
from app.core.ids import public_id
from app.core.texts import N_
from app.payments.dispute import DISPUTES
from app.payments.states import DISPUTE_OPEN
from app.privacy.known.kinds import Rows
from app.privacy.person import Person
from app.risk import take
from app.risk.models import TakenStep

ORDER = 40
TITLE = N_("Answers to a risk check")
STAYS = N_(
    "Answers about a payment with an open dispute stay until it is over: they defend a claim (Art. 17 (3) e GDPR)."
    " After 550 days they go in any case."
)

STEPS = table_of(TakenStep)


def known(connection: Connection, person: Person) -> Rows:
    query = select(STEPS.c.payment_id, STEPS.c.step, STEPS.c.taken_at).where(STEPS.c.payment_id.in_(person.payments))
    rows = connection.execute(query.order_by(STEPS.c.taken_at)).all()
    return [
        {
            "payment": public_id("pay", row.payment_id),
            "step": row.step,
            "taken_at": row.taken_at,
            "answers": dict(take.taken(connection, row.payment_id, row.step) or {}),
        }
        for row in rows
    ]


def erase(connection: Connection, person: Person) -> int:
    disputed = select(DISPUTES.c.payment_id).where(
        DISPUTES.c.payment_id.in_(person.payments), DISPUTES.c.state.in_(DISPUTE_OPEN)
    )
    query = delete(STEPS).where(STEPS.c.payment_id.in_(person.payments), STEPS.c.payment_id.not_in(disputed))
    return connection.execute(query).rowcount


if TYPE_CHECKING:
    from app.privacy.known import answers as _me
    from app.privacy.known.kinds import Known

    _: Known = _me
