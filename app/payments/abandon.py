"""`abandon()`: the payer leaves a checkout without paying."""

from sqlalchemy import select, update

from app.core.db import atomic, of
from app.core.ids import public_id
from app.core.states import move
from app.payments.authorise import free_payment
from app.payments.checkout import CHECKOUTS, CheckoutClosed, Opened
from app.payments.queries import PAYMENTS
from app.payments.states import CHECKOUT
from app.receivables import collect


def abandon(opened: Opened, *, actor: str = "payer") -> None:
    """Closes an open checkout and its payment; a confirmation that waits for the payer is closed with it.

    Raises AttemptUnderWay (a provider is being asked just now), AlreadyPaid, CheckoutClosed.
    """
    checkout = opened.checkout
    with atomic(of(checkout["merchant_id"], checkout["live"])) as connection:
        payment = free_payment(connection, checkout["payment_id"])
        row = connection.execute(select(CHECKOUTS).where(CHECKOUTS.c.id == checkout["id"])).mappings().one()
        if row["state"] != "open":
            raise CheckoutClosed(state=row["state"])
        move(
            connection,
            CHECKOUT,
            CHECKOUTS,
            dict(row),
            "cancelled",
            data={"checkout": public_id("chk", row["id"])},
            actor=actor,
        )
        connection.execute(
            update(PAYMENTS)
            .where(PAYMENTS.c.id == payment["id"], PAYMENTS.c.stage.in_(("created", "failed")))
            .values(stage="cancelled")
        )
        if payment["receivable_id"] is not None:
            collect.release(connection, payment["receivable_id"], payment["id"])
