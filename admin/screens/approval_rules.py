"""Rules: what needs a second pair of eyes."""

from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import Uuid, cast, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from wtforms import SelectField, StringField

from admin import choices, formats, merchants_known, roles_known
from admin.fields import options
from admin.forms import Form
from admin.four_eyes import ask_or_do, asked_for
from admin.guard import NotAllowed
from admin.here import connection, here, scope
from admin.office import url
from admin.screen import Screen, actor, go, page, say, say_refused
from admin.texts import lazy as _l
from app.approvals.actions import ACTIONS
from app.approvals.ask import NobodyCanApprove
from app.approvals.rules import add_rule, remove_rule, rule, rules
from app.approvals.usual import add_usual_rules
from app.core.db import atomic, table_of
from app.core.errors import NotFound, Refusal
from app.core.ids import parse_id, public_id
from app.core.money import parse_typed
from app.merchants.models import ApiKey
from app.methods import METHODS
from app.staff.add import USERS
from app.staff.grant import GRANTS

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
        own = {name: _(module.LABEL) for name, module in ACTIONS.items() if name == module.RULE}
        self.action.choices = options(own)
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
            users=_users(),
            keys=_keys(),
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
        """By two, always; by one alone only while there is nobody else who could approve it, and that is said."""
        rule_id = parse_id("rul", id)
        try:
            with atomic(scope()) as work:
                one = _own(rule(work, rule_id))
                ask_or_do(work, "rule_removal", **_whose(one), params=_described(one), always=True)
            return asked_for()
        except NobodyCanApprove:
            with atomic(scope()) as work:
                remove_rule(work, rule_id, actor=actor())
            say(_("The rule is removed. Nobody else could have approved it, so you did it alone."))
        except Refusal as refusal:
            say_refused(refusal)
        return go(url("approval_rules.index"))

    @page("/usual", "approval.rules", ("POST",), fresh=True)
    def usual(self) -> Any:
        """Those that every shop should have. Only over all merchants."""
        if scope().merchants is not None:
            raise NotAllowed()
        with atomic(scope()) as work:
            added = add_usual_rules(work, actor=actor())
        if added:
            say(ngettext("%(num)s rule is added.", "%(num)s rules are added.", added))
        else:
            say(_("These rules are there already."), "wait")
        return go(url("approval_rules.index"))


def _own(one: Any) -> Any:
    """Whoever makes rules for some merchants reads those for all, and that is all. Raises NotFound."""
    if one["merchant_id"] is None and scope().merchants is not None:
        raise NotFound()
    return one


def _whose(one: Any) -> dict[str, Any]:
    """A rule for one merchant concerns its test and its live mode; it is asked about in the one that is looked at."""
    live = None if one["merchant_id"] is None else here().live
    return {"merchant_id": one["merchant_id"], "live": live, "subject_id": one["id"]}


def _described(one: Any) -> dict[str, Any]:
    """What a second person reads of a rule that is to go."""
    above = None if one["above"] is None else formats.money(one["above"], one["currency"])
    user = None if one["user_id"] is None else _users().get(public_id("usr", one["user_id"]))
    key = None if one["api_key_id"] is None else _keys().get(public_id("key", one["api_key_id"]))
    label = ACTIONS[one["action"]].LABEL
    told = {"rule": _(label), "above": above, "method": one["method"], "role": one["role"], "user": user, "key": key}
    return {name: value for name, value in told.items() if value is not None}


def _users() -> dict[str, str]:
    """Whoever has something to do with merchants that whoever asks may make rules for."""
    query = select(USERS.c.id, USERS.c.name).order_by(USERS.c.name).limit(300)
    merchants = scope().merchants
    if merchants is not None:
        ours = GRANTS.c.merchants.overlap(cast(sorted(merchants), ARRAY(Uuid())))
        query = query.where(USERS.c.id.in_(select(GRANTS.c.user_id).where(ours)))
    return {public_id("usr", user_id): name for user_id, name in connection().execute(query)}


def _keys() -> dict[str, str]:
    """One of each that were rotated into one another: a rule holds for all of them."""
    query = select(KEYS.c.lineage, func.max(KEYS.c.name)).group_by(KEYS.c.lineage).order_by(func.max(KEYS.c.name))
    return {public_id("key", key_id): name for key_id, name in connection().execute(query.limit(300))}


SCREEN = ApprovalRules

if TYPE_CHECKING:
    from admin.screen import ScreenModule
    from admin.screens import approval_rules as _me

    _check: ScreenModule = _me
