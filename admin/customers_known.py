"""A customer by name, for the filter of a list."""

from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import select

from admin import personal
from admin.here import connection
from admin.listing import Id
from app.customers.add import CUSTOMERS


def choice() -> Id:
    return Id(_("Customer"), names=("customer",), prefix="cus", called=_called, hint=_("The id of a customer: cus_…"))


def _called(customer_id: UUID) -> str | None:
    found = connection().execute(select(CUSTOMERS).where(CUSTOMERS.c.id == customer_id)).mappings().first()
    if found is None:
        return None
    row = {**found}
    if not personal.may_see_customer(row):
        return row["number"]
    return str(personal.of_customer(row, row["name"] or row["email"])) or row["number"]
