"""Before the payer pays: which step a risk check asks for, and that it was taken."""

from collections.abc import Mapping

from app.core.db import atomic, of, reading
from app.payments.checkout import CHECKOUTS, CheckoutClosed, Opened
from app.payments.queries import locked_payment
from app.risk import take
from app.risk.assess import assess
from app.risk.kinds import Subject, Verdict


def needed(opened: Opened, method: str, ip_address: str | None) -> str | None:
    """The step (a name on the shelf `app/risk/steps`) that comes before this payment; None: the payer may pay.

    It is asked again, with the card, when the button is pressed.
    """
    checkout, payment = opened.checkout, opened.payment
    subject = Subject(
        merchant_id=checkout["merchant_id"],
        live=checkout["live"],
        payment_id=payment["id"],
        method=method,
        amount=payment["amount"],
        currency=payment["currency"],
        email=payment["payer_email"],
        ip_address=ip_address,
    )
    with reading(of(checkout["merchant_id"], checkout["live"])) as connection:
        decision = assess(connection, subject)
    return decision.step if decision.verdict is Verdict.ASK else None


def take_step(opened: Opened, step: str, answer: Mapping[str, str]) -> None:
    """Keeps what the payer answered. Raises CheckoutClosed."""
    checkout, payment = opened.checkout, opened.payment
    with atomic(of(checkout["merchant_id"], checkout["live"])) as connection:
        locked_payment(connection, payment["id"])
        state = connection.execute(
            CHECKOUTS.select().with_only_columns(CHECKOUTS.c.state).where(CHECKOUTS.c.id == checkout["id"])
        ).scalar_one()
        if state != "open":
            raise CheckoutClosed(state=state)
        take.take(
            connection,
            merchant_id=checkout["merchant_id"],
            live=checkout["live"],
            payment_id=payment["id"],
            step=step,
            answer=answer,
        )
