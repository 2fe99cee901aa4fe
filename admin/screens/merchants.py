"""Merchants: the list, one of them with everything that belongs to it, adding and changing."""

from datetime import date
from typing import TYPE_CHECKING, Any
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import select
from wtforms import BooleanField, IntegerField, SelectField, StringField
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional, Regexp

from admin import belongings, choices, formats, setup
from admin.belongings import KEYS as KEYS
from admin.fields import options
from admin.forms import REQUIRED, TIDY, Form
from admin.here import connection
from admin.office import url
from admin.screen import Entry, Screen, actor, go, page, say, say_refused
from admin.texts import lazy as _l
from app.connectors import CONNECTORS
from app.core.clock import business_today
from app.core.db import ALL, Scope, atomic
from app.core.errors import Conflict, NotFound, Refusal
from app.core.ids import parse_id, public_id
from app.core.texts import N_
from app.merchants.add import MERCHANTS, add_merchant, change
from app.merchants.move_clock import MOST_DAYS, move_clock
from app.staff.add import checked_email


class NameTaken(Conflict):
    code = "name_taken"
    message = N_("There is a merchant with this name already.")


class MerchantForm(Form):
    name = StringField(_l("Name"), filters=TIDY, validators=[DataRequired(REQUIRED), Length(max=120)])
    email = StringField(
        _l("E-mail address for technical messages"), filters=TIDY, validators=[Optional(), Length(max=200)]
    )
    country = StringField(
        _l("Country"),
        filters=TIDY,
        default="DE",
        validators=[DataRequired(REQUIRED), Regexp("^[A-Z]{2}$", message=_l("Two capital letters, for example DE."))],
    )
    timezone = SelectField(_l("Time zone"), choices=options(choices.TIMEZONES))
    language = SelectField(_l("Language"), choices=options(choices.LANGUAGES))
    sandbox = BooleanField(_l("For trying out: its clock can be moved forward"))


class ClockForm(Form):
    days = IntegerField(_l("Days"), default=1, validators=[InputRequired(REQUIRED), NumberRange(1, MOST_DAYS)])


class Merchants(Screen):
    address = "merchants"
    entry = Entry("merchants", 10, N_("Merchants"), "building")

    @page("/", "merchant.read")
    def index(self) -> str:
        rows = connection().execute(select(MERCHANTS).order_by(MERCHANTS.c.name).limit(500)).mappings().all()
        return self.show("merchants", title=_("Merchants"), rows=rows)

    @page("/add", "merchant.add", ("GET", "POST"))
    def add(self) -> Any:
        form = MerchantForm()
        if form.validate_on_submit() and _check(form, None):
            with atomic(ALL) as work:
                merchant_id = add_merchant(work, actor=actor(), **_values(form))
            say(_("%(name)s is added. What it needs to take payments stands here.", name=form.name.data))
            return go(url("onboarding.detail", id=public_id("mer", merchant_id)))
        return self.show("merchant_form", title=_("New merchant"), form=form, merchant=None)

    @page("/<id>", "merchant.read")
    def detail(self, id: str) -> str:
        merchant = read_merchant(parse_id("mer", id))
        has = belongings.read(merchant["id"])
        return self.show(
            "merchant",
            title=merchant["name"],
            merchant=merchant,
            today=_today(merchant, merchant["clock_offset_seconds"]),
            connectors=CONNECTORS,
            shops=has.shops,
            contracts=has.contracts,
            keys=has.keys,
            endpoints=has.endpoints,
            steps=setup.of(merchant, has),
        )

    @page("/<id>/change", "merchant.write", ("GET", "POST"))
    def change(self, id: str) -> Any:
        merchant = read_merchant(parse_id("mer", id))
        form = MerchantForm(data=dict(merchant))
        if form.validate_on_submit() and _check(form, merchant["id"]):
            try:
                with atomic(Scope(frozenset({merchant["id"]}), None)) as work:
                    change(work, MERCHANTS, merchant["id"], _values(form), noun="merchant", actor=actor())
            except Refusal as refusal:
                say_refused(refusal)
            else:
                say(_("Saved."))
            return go(url("merchants.detail", id=id))
        return self.show(
            "merchant_form", title=_("Change %(name)s", name=merchant["name"]), form=form, merchant=merchant
        )

    @page("/<id>/clock", "merchant.write", ("GET", "POST"))
    def clock(self, id: str) -> Any:
        """Moves the business time of a merchant that is for trying out."""
        merchant = read_merchant(parse_id("mer", id))
        form = ClockForm()
        if form.validate_on_submit():
            try:
                moved = move_clock(merchant["id"], days=form.days.data or 0, actor=actor())
            except Refusal as refusal:
                say_refused(refusal)
            else:
                say(_("It is %(day)s for this merchant now.", day=formats.day(_today(merchant, moved.offset_seconds))))
                if moved.left_behind:
                    say(_("Acquirers that did not follow: %(ids)s.", ids=", ".join(moved.left_behind)), "wait")
            return go(url("merchants.detail", id=id))
        today = _today(merchant, merchant["clock_offset_seconds"])
        return self.show("merchant_clock", title=_("Move the clock"), form=form, merchant=merchant, today=today)


def _today(merchant: Any, offset_seconds: int) -> date:
    return business_today(offset_seconds, merchant["timezone"])


def read_merchant(merchant_id: UUID) -> Any:
    """Raises NotFound."""
    row = connection().execute(select(MERCHANTS).where(MERCHANTS.c.id == merchant_id)).mappings().first()
    if row is None:
        raise NotFound()
    return row


def _check(form: MerchantForm, merchant_id: UUID | None) -> bool:
    """What the database would refuse, as errors at the fields."""
    same_name = connection().execute(select(MERCHANTS.c.id).where(MERCHANTS.c.name == form.name.data)).scalar()
    try:
        if same_name is not None and same_name != merchant_id:
            raise NameTaken(param="name")
        if form.email.data:
            form.email.data = checked_email(form.email.data)
    except Refusal as refusal:
        form.refuse(refusal)
        return False
    return True


def _values(form: MerchantForm) -> dict[str, Any]:
    names = ("name", "email", "country", "timezone", "language", "sandbox")
    return {name: form[name].data or (None if name == "email" else form[name].data) for name in names}


SCREEN = Merchants

if TYPE_CHECKING:
    from admin.screen import ScreenModule
    from admin.screens import merchants as _me

    _check_shape: ScreenModule = _me
