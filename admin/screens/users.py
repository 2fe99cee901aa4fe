"""Users: who works here, with which roles; inviting, changing, deactivating. How they get in: user_access.py."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import func, select
from wtforms import SelectField, StringField
from wtforms.validators import DataRequired, Length

from admin import choices, merchants_known, words
from admin.access_shown import access_of
from admin.fields import Several, options
from admin.forms import REQUIRED, TIDY, Form, OnceForm
from admin.four_eyes import ask_or_do, asked_for
from admin.here import connection, staff
from admin.limit_fields import sentences
from admin.office import url
from admin.roles_known import roles
from admin.screen import Entry, Screen, actor, go, page, say, say_refused
from admin.texts import lazy as _l
from app.core.clock import now
from app.core.db import ALL, atomic
from app.core.errors import NotFound, Refusal
from app.core.ids import parse_id, public_id, uuid7
from app.core.texts import N_
from app.staff.add import USERS, checked_email
from app.staff.change import change_user, set_active
from app.staff.grant import GRANTS, STAFF_ROLES, Given, held
from app.staff.invite import invite


class UserForm(Form):
    name = StringField(_l("Name"), filters=TIDY, validators=[DataRequired(REQUIRED), Length(max=120)])
    language = SelectField(_l("Language"), choices=options(choices.LANGUAGES))


class NewUserForm(UserForm):
    roles = Several(_l("Roles"), validators=[DataRequired(_l("Choose at least one role."))])
    merchants = Several(_l("Only for these merchants"))
    email = StringField(_l("E-mail address"), filters=TIDY, validators=[DataRequired(REQUIRED), Length(max=200)])

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.roles.choices = options({name: role.label for name, role in roles().items()})
        self.merchants.choices = options(merchants_known.options())

    def given(self) -> list[Given]:
        merchants = frozenset(parse_id("mer", one) for one in self.merchants.data or ()) or None
        return [Given(role, merchants) for role in self.roles.data or ()]


class Users(Screen):
    address = "users"
    entry = Entry("system", 30, N_("Users"), "users")

    @page("/", "user.read")
    def index(self) -> str:
        return self.show("users", title=_("Users"), rows=_rows(), state=_state)

    @page("/add", "user.write", ("GET", "POST"), fresh=True)
    def add(self) -> Any:
        form = NewUserForm()
        if form.validate_on_submit():
            try:
                with atomic(ALL) as work:
                    if _ask_to_invite(work, form):
                        return asked_for()
                    user_id = invite(
                        work,
                        email=form.email.data or "",
                        name=form.name.data,
                        roles=form.given(),
                        language=form.language.data,
                        actor=actor(),
                    )
            except Refusal as refusal:
                if not form.refuse(refusal):
                    say_refused(refusal)
            else:
                say(_("The invitation is on its way. It is valid for 72 hours."))
                return go(url("users.detail", id=public_id("usr", user_id)))
        return self.show("user_form", title=_("New user"), form=form, user=None, roles=roles())

    @page("/<id>", "user.read")
    def detail(self, id: str) -> str:
        user = read_user(parse_id("usr", id))
        access = access_of(user["id"])
        return self.show(
            "user",
            title=user["name"] or user["email"],
            user=user,
            state=words.INVITED if access.invited_until and user["active"] else _state(user),
            grants=held(connection(), user["id"]),
            roles=roles(),
            merchants=merchants_known.names(),
            sentences=sentences,
            is_me=user["id"] == staff().id,
            access=access,
        )

    @page("/<id>/change", "user.write", ("GET", "POST"))
    def change(self, id: str) -> Any:
        user = read_user(parse_id("usr", id))
        form = UserForm(data={"name": user["name"], "language": user["language"]})
        if form.validate_on_submit():
            try:
                with atomic(ALL) as work:
                    change_user(
                        work, user["id"], {"name": form.name.data, "language": form.language.data}, actor=actor()
                    )
            except Refusal as refusal:
                if not form.refuse(refusal):
                    say_refused(refusal)
            else:
                say(_("Saved."))
                return go(url("users.detail", id=id))
        return self.show(
            "user_form",
            title=_("Change %(name)s", name=user["name"] or user["email"]),
            form=form,
            user=user,
        )

    @page("/<id>/switch", "user.write", ("GET", "POST"), fresh=True)
    def switch(self, id: str) -> Any:
        user, form = read_user(parse_id("usr", id)), OnceForm()
        if form.validate_on_submit():
            active = not user["active"]
            try:
                with atomic(ALL) as work:
                    who = {"merchant_id": None, "live": None, "subject_id": user["id"]}
                    if active and ask_or_do(work, "reactivation", **who, params={"email": user["email"]}):
                        return asked_for()
                    set_active(work, user["id"], active, actor=actor())
            except Refusal as refusal:
                say_refused(refusal)
            else:
                say(
                    _("The account is active again.")
                    if active
                    else _("The account is deactivated; every session has ended.")
                )
            return go(url("users.detail", id=id))
        return self.show(
            "user_switch", title=_("Deactivate") if user["active"] else _("Activate"), user=user, form=form
        )


def _ask_to_invite(work: Any, form: NewUserForm) -> bool:
    """Raises BadEmail, EmailTaken, NobodyCanApprove, AlreadyAsked."""
    whose = {"merchant_id": None, "live": None, "subject_id": uuid7()}
    params = {
        "email": checked_email(form.email.data or ""),
        "name": form.name.data,
        "language": form.language.data,
        "after": [one.told() for one in form.given()],
    }
    return ask_or_do(work, "invitation", **whose, params=params)


def _query() -> Any:
    names = func.coalesce(func.array_agg(STAFF_ROLES.c.name.distinct()).filter(STAFF_ROLES.c.name.is_not(None)), [])
    return (
        select(USERS, names.label("roles"))
        .join(GRANTS, GRANTS.c.user_id == USERS.c.id, isouter=True)
        .join(STAFF_ROLES, STAFF_ROLES.c.id == GRANTS.c.role_id, isouter=True)
        .group_by(USERS.c.id)
    )


def _rows() -> Any:
    query = _query().order_by(USERS.c.active.desc(), func.coalesce(USERS.c.name, USERS.c.email)).limit(500)
    return connection().execute(query).mappings().all()


def read_user(user_id: UUID) -> Any:
    """Raises NotFound."""
    row = connection().execute(_query().where(USERS.c.id == user_id)).mappings().first()
    if row is None:
        raise NotFound()
    return row


def _state(user: Any) -> words.Word:
    if not user["active"]:
        return words.DEACTIVATED
    return words.LOCKED if user["locked_until"] and user["locked_until"] > now() else words.ACTIVE


SCREEN = Users

if TYPE_CHECKING:
    from admin.screen import ScreenModule
    from admin.screens import users as _me

    _check: ScreenModule = _me
