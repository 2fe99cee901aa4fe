"""Roles: those that are shipped, and own ones made of permissions."""

from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_OID, uuid5

from flask_babel import gettext as _
from wtforms import StringField
from wtforms.validators import DataRequired, Length

from admin.fields import Several, options
from admin.forms import REQUIRED, TIDY, Form
from admin.four_eyes import ask_or_do, asked_for
from admin.office import url
from admin.roles_known import Known, roles
from admin.screen import Entry, Screen, actor, go, page, say, say_refused
from admin.texts import lazy as _l
from app.core.db import ALL, atomic
from app.core.errors import NotFound, Refusal
from app.core.texts import N_
from app.staff.make_role import add_role, change_role, read_role, remove_role
from app.staff.permissions import PERMISSIONS
from app.staff.second_factor import ask_of_role


class RoleForm(Form):
    label = StringField(_l("Name"), filters=TIDY, validators=[DataRequired(REQUIRED), Length(max=60)])
    description = StringField(_l("Description"), filters=TIDY, validators=[Length(max=200)])
    permissions = Several(_l("What it may do"), validators=[DataRequired(_l("Choose at least one."))])

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.permissions.choices = options({name: _(text) for name, text in PERMISSIONS.items()})


class Roles(Screen):
    address = "roles"
    entry = Entry("system", 35, N_("Roles"), "shield")

    @page("/", "user.read")
    def index(self) -> str:
        return self.show("roles", title=_("Roles"), roles=roles())

    @page("/add", "role.write", ("GET", "POST"), fresh=True)
    def add(self) -> Any:
        form = RoleForm()
        if form.validate_on_submit():
            try:
                with atomic(ALL) as work:
                    add_role(work, **_values(form), actor=actor())
            except Refusal as refusal:
                form.refuse(refusal)
            else:
                say(_("%(name)s is added.", name=form.label.data))
                return go(url("roles.index"))
        return self.show("role_form", title=_("New role"), form=form, role=None)

    @page("/<id>/change", "role.write", ("GET", "POST"), fresh=True)
    def change(self, id: str) -> Any:
        role = _own(id)
        form = RoleForm(
            data={"label": role.label, "description": role.description, "permissions": list(role.permissions)}
        )
        if form.validate_on_submit():
            try:
                with atomic(ALL) as work:
                    before = read_role(work, id)
                    told = {"before": before["permissions"], "after": _values(form)["permissions"]}
                    if ask_or_do(work, "role", **_whose(id), params={"role": id, **told, **_values(form)}):
                        return asked_for()
                    change_role(work, id, **_values(form), actor=actor())
            except Refusal as refusal:
                if not form.refuse(refusal):
                    say_refused(refusal)
            else:
                say(_("Saved."))
                return go(url("roles.index"))
        return self.show("role_form", title=_("Change %(name)s", name=role.label), form=form, role=id)

    @page("/<id>/remove", "role.write", ("POST",), fresh=True)
    def remove(self, id: str) -> Any:
        role = _own(id)
        try:
            with atomic(ALL) as work:
                remove_role(work, id, actor=actor())
        except Refusal as refusal:
            say_refused(refusal)
        else:
            say(_("%(name)s is removed.", name=role.label))
        return go(url("roles.index"))

    @page("/<id>/second-factor", "role.write", ("POST",), fresh=True)
    def second_factor(self, id: str) -> Any:
        role = roles().get(id)
        if role is None:
            raise NotFound()
        try:
            with atomic(ALL) as work:
                if role.second_factor and ask_or_do(work, "role_factor", **_whose(id), params={"role": id}):
                    return asked_for()
                ask_of_role(work, id, not role.second_factor, actor=actor())
        except Refusal as refusal:
            say_refused(refusal)
        else:
            say(
                _("Who holds this role needs no second factor any more.")
                if role.second_factor
                else _("Who holds this role needs a second factor from the next click on.")
            )
        return go(url("roles.index"))


def _own(name: str) -> Known:
    """Raises NotFound, for shipped ones too: they are as the code says."""
    role = roles().get(name)
    if role is None or role.shipped:
        raise NotFound()
    return role


def _whose(role: str) -> dict[str, Any]:
    """Roles have names and no ids: the same one makes the same subject, so that it is asked about once at a time."""
    return {"merchant_id": None, "live": None, "subject_id": uuid5(NAMESPACE_OID, f"zahlwerk role {role}")}


def _values(form: RoleForm) -> dict[str, Any]:
    return {
        "label": form.label.data or "",
        "description": form.description.data or "",
        "permissions": form.permissions.data or [],
    }


SCREEN = Roles

if TYPE_CHECKING:
    from admin.screen import ScreenModule
    from admin.screens import roles as _me

    _check: ScreenModule = _me
