"""What a payer answered when a risk check asked who is paying. `id` is the payment's."""

from typing import TYPE_CHECKING

from flask_babel import gettext as _
from sqlalchemy import Connection, select

from admin import formats
from admin.office import url
from admin.reveals.kinds import Hidden
from app.core.db import table_of
from app.core.errors import NotFound
from app.core.ids import parse_id
from app.core.texts import N_
from app.payments.history import overview
from app.risk import take
from app.risk.models import TakenStep
from app.risk.steps import STEPS

TITLE = N_("What the payer answered")


def find(connection: Connection, id: str) -> Hidden:
    payment = overview(connection, parse_id("pay", id))
    steps = table_of(TakenStep)
    query = select(steps.c.step).where(steps.c.payment_id == payment["id"]).order_by(steps.c.taken_at)
    taken = connection.execute(query).scalars().all()
    if not taken:
        raise NotFound()
    values: list[tuple[str, str]] = []
    for step in taken:
        answer = take.taken(connection, payment["id"], step) or {}
        labels = {field.name: formats.said(field.label) for field in STEPS[step].FIELDS} if step in STEPS else {}
        in_order = [*(name for name in labels if name in answer), *(name for name in answer if name not in labels)]
        values += [(labels.get(name, name), answer[name]) for name in in_order]
    return Hidden(
        merchant_id=payment["merchant_id"],
        live=payment["live"],
        subject=("payment", payment["id"]),
        ids={"payment": id},
        name=_("Payment %(reference)s", reference=payment["merchant_reference"]),
        back=url("payments.detail", id=id),
        values=values,
    )


if TYPE_CHECKING:
    from admin.reveals import answers as _me
    from admin.reveals.kinds import Reveal

    _check: Reveal = _me
