"""What a user was granted: a role, for which merchants, up to how much."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse
from wtforms import RadioField, SelectField

from admin import merchants_known
from admin.fields import Several, options
from admin.forms import OnceForm
from admin.four_eyes import ask_or_do, asked_for
from admin.here import connection
from admin.limit_fields import WithLimits, typed
from admin.office import url
from admin.roles_known import roles
from admin.screen import Screen, actor, go, page, say, say_refused
from admin.screens.users import read_user
from admin.texts import lazy as _l
from app.core.db import ALL, atomic
from app.core.errors import NotFound, Refusal
from app.core.ids import parse_id, public_id
from app.core.limits import Limits
from app.staff.change import change_roles
from app.staff.grant import Given, held


class GrantForm(OnceForm, WithLimits):
    role = SelectField(_l("Role"))
    whom = RadioField(_l("For"), default="all")
    merchants = Several(_l("Merchants"))

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.role.choices = options({name: role.label for name, role in roles().items()})
        self.whom.choices = options({"all": _("all merchants, also those to come"), "some": _("only these")})
        self.merchants.choices = options(merchants_known.options())

    def given(self) -> Given | None:
        """None: something is wrong, and said at its field."""
        limits = self.limits()
        chosen = frozenset(parse_id("mer", one) for one in self.merchants.data or ())
        if self.whom.data == "some" and not chosen:
            self.merchants.errors = [_("Choose at least one.")]
            return None
        if limits is None:
            return None
        return Given(self.role.data, chosen if self.whom.data == "some" else None, limits)


class Grants(Screen):
    address = "users"

    @page("/<id>/grants/add", "user.write", ("GET", "POST"), fresh=True)
    def add(self, id: str) -> Any:
        user = read_user(parse_id("usr", id))
        form = GrantForm()
        if form.validate_on_submit() and (one := form.given()):
            answer = _save(user, [*held(connection(), user["id"]), one], form)
            if answer:
                return answer
        return self._form(user, form, _("Grant a role"))

    @page("/<id>/grants/<int:number>/change", "user.write", ("GET", "POST"), fresh=True)
    def change(self, id: str, number: int) -> Any:
        user = read_user(parse_id("usr", id))
        having = held(connection(), user["id"])
        now_ = _numbered(having, number)
        form = GrantForm(data=_shown(now_))
        if form.validate_on_submit() and (one := form.given()):
            having[number] = one
            answer = _save(user, having, form)
            if answer:
                return answer
        return self._form(user, form, _("Change what was granted"))

    @page("/<id>/grants/<int:number>/remove", "user.write", ("POST",), fresh=True)
    def remove(self, id: str, number: int) -> Any:
        user = read_user(parse_id("usr", id))
        having = held(connection(), user["id"])
        gone = _numbered(having, number)
        return _save(user, [one for one in having if one is not gone], None) or go(url("users.detail", id=id))

    def _form(self, user: Any, form: GrantForm, title: str) -> str:
        return self.show("grant_form", title=title, user=user, form=form, roles=roles())


def _numbered(having: list[Given], number: int) -> Given:
    if number >= len(having):
        raise NotFound()  # somebody else changed them meanwhile
    return having[number]


def _save(user: Any, roles_: list[Given], form: GrantForm | None) -> AnyResponse | None:
    """None: refused in a way that belongs to the form."""
    try:
        with atomic(ALL) as work:
            before = [one.told() for one in held(work, user["id"])]
            params = {"email": user["email"], "before": before, "after": [one.told() for one in roles_]}
            if ask_or_do(work, "rights", merchant_id=None, live=None, subject_id=user["id"], params=params):
                return asked_for()
            change_roles(work, user["id"], roles_, actor=actor())
    except Refusal as refusal:
        if form is not None and form.refuse(refusal):
            return None
        say_refused(refusal)
    else:
        say(_("Saved."))
    return go(url("users.detail", id=public_id("usr", user["id"])))


def _shown(one: Given) -> dict[str, Any]:
    limits: Limits = one.limits
    merchants: list[UUID] = sorted(one.merchants or ())
    return {
        "role": one.role,
        "whom": "all" if one.merchants is None else "some",
        "merchants": [public_id("mer", merchant) for merchant in merchants],
        **typed(limits),
    }


SCREEN = Grants

if TYPE_CHECKING:
    from admin.screen import ScreenModule
    from admin.screens import grants as _me

    _check: ScreenModule = _me
