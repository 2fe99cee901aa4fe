"""`of_guest()`: whoever paid without being a customer gets a record, so that what is known of them can be handed out,
restricted or erased like anybody's. Payments of a guest are theirs by the e-mail address on them (person.py)."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, select

from app.core.errors import Conflict, NotFound
from app.core.texts import N_
from app.customers.add import CUSTOMERS, add_customer
from app.payments.queries import PAYMENTS


class NobodyKnown(Conflict):
    code = "payer_not_known"
    message = N_("No e-mail address stands on this payment, so nobody can say what else is this payer's.")
    advice = N_("Ask the merchant who it was.")


def of_guest(connection: Connection, *, payment_id: UUID, actor: str) -> Mapping[str, Any]:
    """The customer of a payment, or with its e-mail address; else a new one. Returns the row.

    Raises NotFound, NobodyKnown. Tells `customer.added` if it is new.
    """
    payment = connection.execute(select(PAYMENTS).where(PAYMENTS.c.id == payment_id)).mappings().first()
    if payment is None:
        raise NotFound()
    merchant_id, live, email = payment["merchant_id"], payment["live"], payment["payer_email"]
    wanted = CUSTOMERS.c.id == payment["customer_id"]
    if payment["customer_id"] is None:
        if not email:
            raise NobodyKnown()
        # Two members of staff who do this at once get the same record.
        connection.execute(
            select(func.pg_advisory_xact_lock(func.hashtextextended(f"{merchant_id} {email}".lower(), 0)))
        )
        wanted = (CUSTOMERS.c.email_key == payment["email_key"]) & CUSTOMERS.c.erased_at.is_(None)
    theirs = select(CUSTOMERS).where(wanted, CUSTOMERS.c.merchant_id == merchant_id, CUSTOMERS.c.live == live)
    found = connection.execute(theirs.order_by(CUSTOMERS.c.id).limit(1)).mappings().first()
    if found is not None:
        return dict(found)
    columns = {"name": payment["payer_name"], "email": email, "language": payment["language"] or "de"}
    return add_customer(connection, merchant_id=merchant_id, live=live, actor=actor, columns=columns)
