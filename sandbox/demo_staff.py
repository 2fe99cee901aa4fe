"""Who works in the demo's back office: one of each kind, with limits and one merchant only where that shows something,
rules for a second pair of eyes, and requests that wait for it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.approvals.ask import permit
from app.approvals.kinds import asker_of
from app.approvals.rules import RULES, add_rule
from app.core.db import ALL, atomic, reading
from app.core.errors import Refusal
from app.core.limits import Limit, Limits
from app.payments.queries import PAYMENTS
from app.payments.refund import refund
from app.staff.access import staff_of
from app.staff.add import EmailTaken, add_user
from app.staff.datastore import StaffDatastore
from app.staff.grant import Given

ACTOR = "job:demo"
ABOVE = 400_00  # what the demo's rule says needs a second person, EUR


@dataclass(frozen=True)
class DemoUser:
    """`first_shop_only`: granted for the first merchant alone."""

    email: str
    password: str = field(repr=False)
    role: str
    name: str
    limits: Limits = field(default_factory=dict)
    first_shop_only: bool = False


STAFF = (
    DemoUser("support@zahlwerk.example", "kaffee-steht-bereit", "support", "Sabine Support"),
    DemoUser("operator@zahlwerk.example", "buchung-vor-mittag", "operator", "Oskar Operator"),
    DemoUser(
        "refunds@zahlwerk.example",
        "retoure-liegt-im-regal",
        "refund_desk",
        "Rita Refund",
        {"payment.refund": {"EUR": Limit(each=50_00, daily=300_00)}},
    ),
    DemoUser("supervisor@zahlwerk.example", "zweites-paar-augen", "supervisor", "Vera Vieraugen"),
    DemoUser(
        "merchant@zahlwerk.example", "nur-mein-eigener-laden", "merchant_viewer", "Hanna Händler", first_shop_only=True
    ),
    DemoUser("admin@zahlwerk.example", "schluessel-am-haken", "admin", "Ada Admin"),
)


def add_staff(merchants: Sequence[UUID]) -> None:
    for user in STAFF:
        for_whom = frozenset(merchants[:1]) if user.first_shop_only else None
        try:
            with atomic(ALL) as connection:
                add_user(
                    connection,
                    email=user.email,
                    password=user.password,
                    roles=[Given(user.role, for_whom, user.limits)],
                    name=user.name,
                    actor=ACTOR,
                )
        except EmailTaken:
            continue  # from an earlier start that did not get to its end


def ask_for_approvals() -> None:
    """A rule, and two refunds above the refund desk's limit that wait for somebody else."""
    with atomic(ALL) as connection:
        if connection.execute(select(RULES.c.id).limit(1)).first():
            return
        add_rule(connection, actor=ACTOR, merchant_id=None, action="refund", currency="EUR", above=ABOVE)
    user = StaffDatastore().find_user(email="refunds@zahlwerk.example")
    assert user is not None
    desk = staff_of(user)
    asker = asker_of(desk)
    reasons = ["Ware kam beschädigt an", "Doppelt bestellt"]
    for payment in _captured():
        whose = {"merchant_id": payment.merchant_id, "live": False, "payment_id": payment.id, "actor": desk.actor}
        try:
            refund(**whose, reason=reasons[-1], permit=permit(asker, reason=reasons[-1]))
        except Refusal:
            continue  # it is disputed
        reasons.pop()
        if not reasons:
            return


def _captured() -> Sequence[Any]:
    """The oldest ones, about which no more news comes: rows with id and merchant_id."""
    query = (
        select(PAYMENTS.c.id, PAYMENTS.c.merchant_id)
        .where(PAYMENTS.c.status == "captured", PAYMENTS.c.currency == "EUR", PAYMENTS.c.captured > 50_00)
        .order_by(PAYMENTS.c.id)
        .limit(20)
    )
    with reading(ALL) as connection:
        return connection.execute(query).all()
