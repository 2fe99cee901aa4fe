"""How somebody arranges their list of payments: filters under a name, and which columns there are."""

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs
from uuid import UUID

from flask import request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse
from wtforms import BooleanField, HiddenField, StringField
from wtforms.validators import DataRequired, Length

from admin import payment_list
from admin.forms import REQUIRED, TIDY, Form
from admin.here import connection, staff
from admin.listing import Filters
from admin.office import url
from admin.screen import Screen, go, page, say, say_refused
from admin.texts import lazy as _l
from app.core.db import ALL, atomic
from app.core.errors import Refusal
from app.core.ids import parse_id
from app.core.texts import N_
from app.desks import filters
from app.desks.columns import choose
from app.desks.queries import desk

_NAME = [DataRequired(REQUIRED), Length(max=filters.LONGEST_NAME)]


class NamesAPerson(Refusal):
    code = "filter_names_a_person"
    message = N_("A filter with somebody’s e-mail address is not kept.")
    advice = N_("Take the address away first, or copy the page’s address for yourself.")


class FilterForm(Form):
    name = StringField(_l("Name"), filters=TIDY, validators=_NAME)
    shared = BooleanField(_l("Colleagues see it too"))
    query = HiddenField()


class PaymentDesk(Screen):
    address = "payments"

    @page("/filters", "payment.read")
    def filters(self) -> str:
        return self._filters(FilterForm())

    @page("/filters/save", "payment.read", ("POST",))
    def save(self) -> AnyResponse | str:
        form = FilterForm()
        query = _tidied(form.query.data or "")
        if "email" in parse_qs(query):
            say_refused(NamesAPerson())
        elif form.validate_on_submit():
            values: Any = {"name": form.name.data, "shared": bool(form.shared.data)}
            if self._done(
                form,
                lambda connection, mine: filters.save(
                    connection, screen=payment_list.LIST, query=query, **mine, **values
                ),
            ):
                say(_("The filter is kept as “%(name)s”.", name=form.name.data))
                return go(f"{url('payments.index')}?{query}")
        return self._filters(form, saving=query)

    @page("/filters/<id>/change", "payment.read", ("POST",))
    def change(self, id: str) -> AnyResponse | str:
        filter_id, form = parse_id("flt", id), FilterForm()
        if form.validate_on_submit():
            values: Any = {"name": form.name.data, "shared": bool(form.shared.data)}
            if self._done(form, lambda connection, mine: filters.change(connection, filter_id, **mine, **values)):
                say(_("Changed."))
                return go(url("payment_desk.filters"))
        return self._filters(form, changing=filter_id)

    @page("/filters/<id>/remove", "payment.read", ("POST",))
    def remove(self, id: str) -> AnyResponse:
        filter_id = parse_id("flt", id)
        with atomic(ALL) as work:
            filters.remove(work, filter_id, user_id=staff().id, actor=staff().actor)
        say(_("Removed."))
        return go(url("payment_desk.filters"))

    @page("/columns", "payment.read", ("POST",))
    def columns(self) -> AnyResponse:
        wanted = [name for name in payment_list.LISTED if name in request.form.getlist("column")]
        names = list(payment_list.SHIPPED) if "shipped" in request.form else wanted
        with atomic(ALL) as work:
            choose(work, user_id=staff().id, screen=payment_list.LIST, columns=names, actor=staff().actor)
        query = _tidied(request.form.get("query", ""))
        return go(f"{url('payments.index')}?{query}" if query else url("payments.index"))

    def _done(self, form: FilterForm, do: Any) -> bool:
        """Does it for the present user. False: it was refused, and the form says why."""
        try:
            with atomic(ALL) as work:  # a filter belongs to a person and to no merchant
                do(work, {"user_id": staff().id, "actor": staff().actor})
        except Refusal as refusal:
            if not form.refuse(refusal):
                say_refused(refusal)
            return False
        return True

    def _filters(self, form: FilterForm, *, saving: str | None = None, changing: UUID | None = None) -> str:
        return self.show(
            "payment_filters",
            title=_("Saved filters"),
            form=form,
            saving=saving,
            changing=changing,
            saved=desk(connection(), staff().id, payment_list.LIST).filters,
        )


def _tidied(query: str) -> str:
    """Only what the list knows: an address that was made up leads nowhere else and carries nothing on."""
    return payment_list.query_of(Filters(*payment_list.chips().values(), args=query))


SCREEN = PaymentDesk

if TYPE_CHECKING:
    from admin.screen import ScreenModule
    from admin.screens import payment_desk as _me

    _check: ScreenModule = _me
