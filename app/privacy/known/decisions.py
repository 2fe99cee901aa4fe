"""What was decided about their payments by rules: whether they may pay."""

from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from app.core.db import table_of
from app.core.ids import public_id
from app.core.texts import N_
from app.privacy.known.kinds import Rows
from app.privacy.person import Person
from app.risk.models import RiskDecision

ORDER = 50
TITLE = N_("Decisions of risk checks")
STAYS = N_(
    "Decisions stay with their payments; they name nobody. An entry on the merchant's block list stays until the"
    " merchant removes it: it protects others from fraud (Art. 6 (1) f GDPR)."
)

DECISIONS = table_of(RiskDecision)


def known(connection: Connection, person: Person) -> Rows:
    query = select(DECISIONS).where(DECISIONS.c.payment_id.in_(person.payments)).order_by(DECISIONS.c.id)
    rows = connection.execute(query).mappings()
    return [
        {
            "payment": public_id("pay", row["payment_id"]),
            "decision": row["decision"],
            "reasons": [answer["reason"] for answer in row["answers"] if answer.get("reason")],
            "decided_at": row["decided_at"],
        }
        for row in rows
    ]


def erase(connection: Connection, person: Person) -> int:
    return 0


if TYPE_CHECKING:
    from app.privacy.known import decisions as _me
    from app.privacy.known.kinds import Known

    _: Known = _me
