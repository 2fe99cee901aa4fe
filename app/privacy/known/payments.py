"""What they paid, with the name that stood on it."""

from typing import TYPE_CHECKING

from sqlalchemy import Connection, select, update

from app.core.ids import public_id
from app.core.texts import N_
from app.payments.public import payment_picture
from app.payments.queries import PAYMENTS
from app.payments.states import NEVER_PAID
from app.privacy.known.kinds import Rows
from app.privacy.person import Person

ORDER = 30
TITLE = N_("Payments")
STAYS = N_(
    "Payments with which money was taken stay with the name and e-mail address on them, hidden from the staff: they are"
    " vouchers and are kept until the end of the eighth year after them (§ 147 (3) AO, § 257 (4) HGB; Art. 17 (3) b"
    " GDPR). Payments that failed, lapsed or were cancelled stay without a name. What providers told us about them"
    " stays for 550 days, as long as a chargeback may have to be answered (Art. 17 (3) e GDPR)."
)


def known(connection: Connection, person: Person) -> Rows:
    query = select(PAYMENTS).where(PAYMENTS.c.id.in_(person.payments)).order_by(PAYMENTS.c.id.desc())
    rows = connection.execute(query).mappings()
    return [
        {
            **{name: value for name, value in payment_picture({**row}).items() if value is not None},
            "merchant": public_id("mer", row["merchant_id"]),
            "paid_as_guest": row["customer_id"] is None,
        }
        for row in rows
    ]


def erase(connection: Connection, person: Person) -> int:
    """Vouchers stay, and stay hidden (app/payments/blocked.py): what a guest paid becomes the erased customer's."""
    theirs = PAYMENTS.c.id.in_(person.payments)
    as_guest = update(PAYMENTS).where(theirs, PAYMENTS.c.customer_id.is_(None))
    connection.execute(as_guest.values(customer_id=person.id))
    is_named = PAYMENTS.c.payer_name.is_not(None) | PAYMENTS.c.payer_email.is_not(None)
    no_voucher = update(PAYMENTS).where(theirs, PAYMENTS.c.status.in_(NEVER_PAID), is_named)
    return connection.execute(no_voucher.values(payer_name=None, payer_email=None)).rowcount


if TYPE_CHECKING:
    from app.privacy.known import payments as _me
    from app.privacy.known.kinds import Known

    _: Known = _me
