"""How far the books of each merchant are closed, and closing them up to a day."""

from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _
from sqlalchemy import func, select
from wtforms import DateField
from wtforms.validators import InputRequired

from admin import formats
from admin.forms import REQUIRED, Form
from admin.here import connection, here
from admin.office import url
from admin.screen import Entry, Screen, actor, go, page, say
from admin.screens.merchants import MERCHANTS, read_merchant
from admin.texts import lazy as _l
from app.core.errors import Refusal
from app.core.ids import parse_id
from app.core.texts import N_
from app.ledger.close_period import PERIODS, close_period, closed_up_to, latest_closable


class PeriodForm(Form):
    last_day = DateField(_l("Up to and including"), validators=[InputRequired(REQUIRED)])


class Periods(Screen):
    address = "periods"
    entry = Entry("system", 22, N_("Closed periods"), "book")

    @page("/", "ledger.close")
    def index(self) -> str:
        closed = (
            select(PERIODS.c.merchant_id, func.max(PERIODS.c.last_day).label("last_day"))
            .where(PERIODS.c.live == here().live)
            .group_by(PERIODS.c.merchant_id)
            .subquery()
        )
        query = (
            select(MERCHANTS.c.id, MERCHANTS.c.name, closed.c.last_day)
            .join(closed, closed.c.merchant_id == MERCHANTS.c.id, isouter=True)
            .order_by(MERCHANTS.c.name)
            .limit(500)
        )
        return self.show("periods", title=_("Closed periods"), rows=connection().execute(query).mappings().all())

    @page("/<id>/close", "ledger.close", ("GET", "POST"))
    def close(self, id: str) -> Any:
        """`id`: the merchant's."""
        merchant, live, form = read_merchant(parse_id("mer", id)), here().live, PeriodForm()
        clock = {name: merchant[name] for name in ("clock_offset_seconds", "timezone")}
        if form.validate_on_submit() and form.last_day.data:
            try:
                close_period(merchant_id=merchant["id"], live=live, last_day=form.last_day.data, actor=actor(), **clock)
            except Refusal as refusal:
                if not form.refuse(refusal):
                    raise
            else:
                say(_("The books are closed up to %(day)s.", day=formats.day(form.last_day.data)))
                return go(url("periods.index"))
        return self.show(
            "period_form",
            title=_("Close the books of %(name)s", name=merchant["name"]),
            form=form,
            merchant=merchant,
            closed=closed_up_to(connection(), merchant["id"], live),
            latest=latest_closable(**clock),
        )


SCREEN = Periods

if TYPE_CHECKING:
    from admin.screen import ScreenModule
    from admin.screens import periods as _me

    _check: ScreenModule = _me
