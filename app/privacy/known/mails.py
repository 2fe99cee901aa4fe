"""E-mails about their payments: what they say is sealed and goes a day after they were sent."""

from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select, update

from app.core import vault
from app.core.texts import N_
from app.messages.mail import CONTEXT, MAILS
from app.privacy.known.kinds import Rows
from app.privacy.person import Person

ORDER = 70
TITLE = N_("E-mails")
STAYS = N_("That an e-mail was sent stays, without what it said and to whom. One that is not sent yet is sent first.")


def known(connection: Connection, person: Person) -> Rows:
    query = select(MAILS).where(MAILS.c.payment_id.in_(person.payments)).order_by(MAILS.c.id)
    return [_row({**row}) for row in connection.execute(query).mappings() if _to_payer(row)]


def erase(connection: Connection, person: Person) -> int:
    query = update(MAILS).where(
        MAILS.c.payment_id.in_(person.payments), MAILS.c.sealed.is_not(None), MAILS.c.state != "pending"
    )
    return connection.execute(query.values(sealed=None)).rowcount


def _to_payer(row: Any) -> bool:
    return bool(row["summary"]) and row["summary"].get("to") == "payer"


def _row(row: dict[str, Any]) -> dict[str, Any]:
    found = {"letter": row["name"], "state": row["state"], "created_at": row["created_at"], "sent_at": row["sent_at"]}
    if row["sealed"] is not None:
        found["to"] = vault.unseal_json(row["sealed"], CONTEXT)["to"]
    return found


if TYPE_CHECKING:
    from app.privacy.known import mails as _me
    from app.privacy.known.kinds import Known

    _: Known = _me
