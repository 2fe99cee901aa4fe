"""`payer_blocked()`: payments whose payer's name and address are kept, but are not to be seen or used.

That is so while the payer's processing is restricted (Art. 18 GDPR), and for good once they were erased: what the law
wants kept of them (vouchers) is kept apart. A payment is a customer's, or a guest's with the customer's e-mail
address at the same merchant (app/privacy/person.py says the same); an erasure gives a guest's to the customer.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Label, or_, select

from app.customers.add import CUSTOMERS
from app.payments.queries import PAYMENTS


def payer_blocked(payment_id: ColumnElement[UUID] | ColumnElement[UUID | None]) -> Label[bool]:
    """A column `payer_blocked` for a query that has a payment's id: whoever shows a payer reads it with them.

    False where there is no payment. It costs two looks into an index for each row that is returned.
    """
    payment, customer = PAYMENTS.alias("of_payer"), CUSTOMERS.alias("payer")

    def blocked(*theirs: ColumnElement[bool]) -> Any:
        same = (customer.c.merchant_id == payment.c.merchant_id, customer.c.live == payment.c.live)
        is_blocked = customer.c.restricted_at.is_not(None) | customer.c.erased_at.is_not(None)
        query = select(payment.c.id).join(customer, theirs[0]).where(payment.c.id == payment_id, *same, *theirs)
        return query.where(is_blocked).correlate_except(payment, customer).exists()

    of_customer = blocked(customer.c.id == payment.c.customer_id)
    of_guest = blocked(customer.c.email_key == payment.c.email_key, payment.c.customer_id.is_(None))
    return or_(of_customer, of_guest).label("payer_blocked")
