"""Disputes about their payments, and the files that answer them."""

from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from app.core.texts import N_
from app.documents.models import documents_of
from app.payments.dispute import DISPUTES
from app.payments.public import dispute_picture, evidence_picture
from app.privacy.known.kinds import Rows
from app.privacy.person import Person

ORDER = 60
TITLE = N_("Disputes")
STAYS = N_(
    "Disputes and the files that answer them stay until three calendar years after the dispute's last news: they"
    " defend a claim (Art. 17 (3) e GDPR)."
)


def known(connection: Connection, person: Person) -> Rows:
    query = select(DISPUTES).where(DISPUTES.c.payment_id.in_(person.payments)).order_by(DISPUTES.c.id)
    return [
        {
            **dispute_picture({**row}),
            "files": [
                evidence_picture({**one})
                for one in connection.execute(documents_of(("dispute", row["id"]))).mappings().all()
            ],
        }
        for row in connection.execute(query).mappings().all()
    ]


def erase(connection: Connection, person: Person) -> int:
    return 0


if TYPE_CHECKING:
    from app.privacy.known import disputes as _me
    from app.privacy.known.kinds import Known

    _: Known = _me
