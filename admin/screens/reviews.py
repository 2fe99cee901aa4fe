"""Payments that a risk check holds: authorised, but not captured until somebody has looked."""

from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _
from sqlalchemy import select

from admin.here import connection, here
from admin.screen import Entry, Screen, page
from app.core.db import table_of
from app.core.texts import N_
from app.merchants.models import Merchant
from app.payments.blocked import payer_blocked
from app.payments.queries import AUTHORISATIONS, PAYMENTS
from app.risk.models import RiskDecision

_MOST = 200


class Reviews(Screen):
    address = "reviews"
    entry = Entry("payments", 40, N_("Held for review"), "shield", "reviews")

    @page("/", "payment.read")
    def index(self) -> str:
        return self.show("reviews", title=_("Held for review"), rows=_rows())


def _rows() -> Any:
    """The oldest first, each with the reasons of its last assessment."""
    risk = table_of(RiskDecision)
    answers = (
        select(risk.c.answers).where(risk.c.payment_id == PAYMENTS.c.id).order_by(risk.c.id.desc()).limit(1)
    ).scalar_subquery()
    query = (
        select(
            PAYMENTS,
            AUTHORISATIONS.c.expires_at,
            Merchant.name.label("merchant_name"),
            answers.label("answers"),
            payer_blocked(PAYMENTS.c.id),
        )
        .join(AUTHORISATIONS, AUTHORISATIONS.c.payment_id == PAYMENTS.c.id)
        .join(Merchant, Merchant.id == PAYMENTS.c.merchant_id)
        .where(AUTHORISATIONS.c.is_open, AUTHORISATIONS.c.held_for_review, AUTHORISATIONS.c.live == here().live)
        .order_by(AUTHORISATIONS.c.created_at)
        .limit(_MOST)
    )
    return connection().execute(query).mappings().all()


SCREEN = Reviews

if TYPE_CHECKING:
    from admin.screen import ScreenModule
    from admin.screens import reviews as _me

    _check: ScreenModule = _me
