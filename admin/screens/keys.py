"""API keys: issued (the secret is shown once), rotated, revoked."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from flask import request
from flask_babel import gettext as _
from sqlalchemy import select
from wtforms import SelectField, StringField
from wtforms.validators import DataRequired, Length

from admin import merchants_known, setup
from admin.fields import Several, options
from admin.forms import REQUIRED, TIDY, OnceForm, nonce, purpose
from admin.four_eyes import ask_or_do, asked_for
from admin.guard import look_at
from admin.here import connection, here, staff
from admin.limit_fields import WithLimits
from admin.listing import Filters
from admin.office import url
from admin.screen import Entry, Screen, actor, go, page, said, say, say_refused
from admin.screens.merchants import KEYS, read_merchant
from admin.texts import lazy as _l
from app.approvals.issuer import AboveOwnLimits, MoreThanOwn, refuse_more_than
from app.core.db import atomic, of
from app.core.errors import NotFound, Refusal
from app.core.idempotency import KeyReused, Repeated, claim
from app.core.ids import parse_id, public_id, uuid7
from app.core.limits import of_json, to_json
from app.core.texts import N_
from app.merchants import keys

_OVERLAPS = {0: N_("at once"), 1: N_("in one hour"), 24: N_("in one day"), 168: N_("in seven days")}


class IssueForm(OnceForm, WithLimits):
    name = StringField(_l("Name"), filters=TIDY, validators=[DataRequired(REQUIRED), Length(max=80)])
    permissions = Several(
        _l("What it may do"),
        choices=options(keys.PERMISSIONS),
        default=list(keys.PERMISSIONS),
        validators=[DataRequired(_l("Choose at least one."))],
    )


class RotateForm(OnceForm):
    overlap = SelectField(_l("The old key ends"), coerce=int, default=24)

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.overlap.choices = options({hours: _(text) for hours, text in _OVERLAPS.items()})


class Keys(Screen):
    address = "keys"
    entry = Entry("merchants", 40, N_("API keys"), "key")

    @page("/", "merchant.read")
    def index(self) -> str:
        merchant = merchants_known.choice()
        filters = Filters(merchant)
        query = select(KEYS).where(KEYS.c.live == here().live)
        if merchant.chosen:
            query = query.where(KEYS.c.merchant_id.in_(merchant.ids("mer")))
        query = query.order_by(KEYS.c.revoked_at.is_not(None), KEYS.c.id.desc()).limit(300)
        rows = connection().execute(query).mappings().all()
        return self.show("keys", title=_("API keys"), rows=rows, filters=filters, merchants=merchants_known.names())

    @page("/issue", "api_key.write", ("GET", "POST"), fresh=True)
    def issue(self) -> Any:
        merchant = read_merchant(parse_id("mer", request.args.get("merchant", "")))
        what, form = purpose("issue key", merchant["id"]), IssueForm()
        if form.validate_on_submit() and (allowed := form.limits()) is not None:
            live = here().live
            try:
                refuse_more_than(staff(), merchant["id"], form.permissions.data or [], allowed)
                with atomic(of(merchant["id"], live)) as work:
                    wanted = {
                        "name": form.name.data or "",
                        "permissions": form.permissions.data or [],
                        "limits": to_json(allowed),
                    }
                    whose = {"merchant_id": merchant["id"], "live": live}
                    if ask_or_do(work, "api_key", **whose, subject_id=uuid7(), params=wanted):
                        claim(work, form.once(what), merchant["id"], live, ("api_key", merchant["id"]))
                        return asked_for()
                    key_id, secret = keys.issue(
                        work,
                        merchant_id=merchant["id"],
                        live=live,
                        name=form.name.data or "",
                        permissions=form.permissions.data or [],
                        allowed=allowed,
                        actor=actor(),
                    )
                    claim(work, form.once(what), merchant["id"], live, ("api_key", key_id))
            except (Repeated, KeyReused):
                return _shown_already(merchant["id"])
            except (MoreThanOwn, AboveOwnLimits) as refusal:
                form.form_errors.append(said(refusal))
            except Refusal as refusal:
                say_refused(refusal)
                return go(url("merchants.detail", id=public_id("mer", merchant["id"])))
            else:
                return self._secret(form.name.data or "", secret, merchant)
        if request.method == "GET":
            form.nonce.data = nonce(what)
        return self.show(
            "key_issue", title=_("Issue an API key"), form=form, merchant=merchant, setup=setup.strip(merchant)
        )

    @page("/<id>/rotate", "api_key.write", ("GET", "POST"), fresh=True)
    def rotate(self, id: str) -> Any:
        key, form = _read(parse_id("key", id)), RotateForm()
        look_at(key["live"])
        merchant, what = read_merchant(key["merchant_id"]), purpose("rotate key", key["id"])
        if form.validate_on_submit():
            overlap = timedelta(hours=form.overlap.data)
            try:
                refuse_more_than(staff(), key["merchant_id"], key["permissions"], of_json(key["limits"]))
                with atomic(of(key["merchant_id"], key["live"])) as work:
                    # The form is used up by what it does: a secret that nobody saw was not made either.
                    claim(work, form.once(what), key["merchant_id"], key["live"], ("api_key", key["id"]))
                    whose = {"merchant_id": key["merchant_id"], "live": key["live"], "subject_id": key["id"]}
                    wanted = {"name": key["name"], "overlap_hours": form.overlap.data}
                    if ask_or_do(work, "api_key_rotation", **whose, params=wanted):
                        return asked_for()
                    _new, secret = keys.rotate(work, key["id"], overlap=overlap, actor=actor())
            except (Repeated, KeyReused):
                return _shown_already(key["merchant_id"])
            except Refusal as refusal:
                say_refused(refusal)
                return go(url("keys.index"))
            return self._secret(key["name"], secret, merchant)
        if request.method == "GET":
            form.nonce.data = nonce(what)
        return self.show(
            "key_rotate", title=_("Rotate the key %(name)s", name=key["name"]), form=form, merchant=merchant, key=key
        )

    @page("/<id>/revoke", "api_key.write", ("GET", "POST"), fresh=True)
    def revoke(self, id: str) -> Any:
        key, form = _read(parse_id("key", id)), OnceForm()
        look_at(key["live"])
        merchant = read_merchant(key["merchant_id"])
        if form.validate_on_submit():
            try:
                keys.revoke(key["merchant_id"], key["live"], key["id"], actor=actor())
            except Refusal as refusal:
                say_refused(refusal)
            else:
                say(_("%(name)s is revoked. Requests with it are refused from now on.", name=key["name"]))
            return go(url("merchants.detail", id=public_id("mer", key["merchant_id"])))
        return self.show(
            "key_revoke", title=_("Revoke the key %(name)s", name=key["name"]), form=form, merchant=merchant, key=key
        )

    def _secret(self, name: str, secret: str, merchant: Any) -> str:
        return self.show(
            "secret",
            title=_("API key %(name)s", name=name),
            secret=secret,
            merchant=merchant,
            what=_("This is the only time that the key is shown. Copy it now."),
            setup=setup.strip(merchant),
            step="key",
        )


def _read(key_id: UUID) -> Any:
    row = connection().execute(select(KEYS).where(KEYS.c.id == key_id)).mappings().first()
    if row is None:
        raise NotFound()
    return row


def _shown_already(merchant_id: UUID) -> Any:
    say(
        _("This form was sent before. The key was shown then and cannot be shown again; rotate it if it is lost."),
        "wait",
    )
    return go(url("merchants.detail", id=public_id("mer", merchant_id)))


SCREEN = Keys

if TYPE_CHECKING:
    from admin.screen import ScreenModule
    from admin.screens import keys as _me

    _check: ScreenModule = _me
