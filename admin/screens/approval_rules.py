"""Rules: what needs a second pair of eyes."""

from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _
from sqlalchemy import select
from wtforms import SelectField, StringField

from admin import choices, formats, merchants_known, roles_known
from admin.fields import options
from admin.forms import Form
from admin.here import connection, scope
from admin.office import url
from admin.screen import Screen, actor, go, page, say, say_refused
from admin.texts import lazy as _l
from app.approvals.actions import ACTIONS
from app.approvals.rules import add_rule, remove_rule, rules
from app.core.db import atomic, table_of
from app.core.errors import Refusal
from app.core.ids import parse_id, public_id
from app.core.money import parse_typed
from app.merchants.models import ApiKey
from app.methods import METHODS
from app.staff.add import USERS

_ANY = ""
KEYS = table_of(ApiKey)


class RuleForm(Form):
    action = SelectField(_l("Action"))
    merchant = SelectField(_l("Merchant"))
    above = StringField(_l("Above this amount"))
    currency = SelectField(_l("Currency"), choices=options(choices.CURRENCIES), default="EUR")
    method = SelectField(_l("Method"))
    role = SelectField(_l("Asked by somebody with the role"))
    user = SelectField(_l("Asked by this user"))
    key = SelectField(_l("Asked by this API key"))

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        any_ = {_ANY: _("any")}
        everybody = {_ANY: _("all merchants")} if scope().merchants is None else {}
        self.action.choices = options({name: _(module.LABEL) for name, module in ACTIONS.items()})
        self.merchant.choices = options({**everybody, **merchants_known.options()})
        self.method.choices = options({**any_, **{name: _(method.LABEL) for name, method in METHODS.items()}})
        self.role.choices = options({**any_, **{name: role.label for name, role in roles_known.roles().items()}})
        self.user.choices = options({**any_, **_users()})
        self.key.choices = options({**any_, **_keys()})

    def columns(self) -> dict[str, Any] | None:
        """None: something is wrong, and said at its field."""
        typed = (self.above.data or "").strip()
        above = None
        if typed:
            try:
                above = parse_typed(typed[:40], self.currency.data)
            except Refusal as refusal:
                self.above.errors = [formats.said(refusal.message, **refusal.values)]
                return None
        return {
            "action": self.action.data,
            "merchant_id": parse_id("mer", self.merchant.data) if self.merchant.data else None,
            "above": above,
            "currency": self.currency.data if above is not None else None,
            "method": self.method.data or None,
            "role": self.role.data or None,
            "user_id": parse_id("usr", self.user.data) if self.user.data else None,
            "api_key_id": parse_id("key", self.key.data) if self.key.data else None,
        }


class ApprovalRules(Screen):
    address = "approval-rules"

    @page("/", "approval.rules")
    def index(self) -> str:
        return self.show(
            "approval_rules",
            title=_("Rules for approvals"),
            rows=rules(connection()),
            actions=ACTIONS,
            methods=METHODS,
            merchants=merchants_known.names(),
            users=dict(_named(USERS.c.id, USERS.c.name)),
            keys=dict(_named(KEYS.c.id, KEYS.c.name)),
            whole=scope().merchants is None,
        )

    @page("/add", "approval.rules", ("GET", "POST"), fresh=True)
    def add(self) -> Any:
        form = RuleForm()
        if form.validate_on_submit() and (columns := form.columns()) is not None:
            try:
                with atomic(scope()) as work:
                    add_rule(work, actor=actor(), **columns)
            except Refusal as refusal:
                if not form.refuse(refusal):
                    say_refused(refusal)
            else:
                say(_("The rule holds from now on."))
                return go(url("approval_rules.index"))
        return self.show("approval_rule_form", title=_("New rule"), form=form)

    @page("/<id>/remove", "approval.rules", ("POST",), fresh=True)
    def remove(self, id: str) -> Any:
        with atomic(scope()) as work:
            remove_rule(work, parse_id("rul", id), actor=actor())
        say(_("The rule is removed."))
        return go(url("approval_rules.index"))


def _users() -> dict[str, str]:
    return {public_id("usr", user_id): name for user_id, name in _named(USERS.c.id, USERS.c.name)}


def _keys() -> dict[str, str]:
    return {public_id("key", key_id): name for key_id, name in _named(KEYS.c.id, KEYS.c.name)}


def _named(key: Any, name: Any) -> list[Any]:
    return [tuple(row) for row in connection().execute(select(key, name).order_by(name).limit(300))]


SCREEN = ApprovalRules

if TYPE_CHECKING:
    from admin.screen import ScreenModule
    from admin.screens import approval_rules as _me

    _check: ScreenModule = _me
