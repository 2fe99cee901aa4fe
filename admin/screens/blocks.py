"""The block list: addresses and cards that nobody may pay with; added and removed with a reason."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from flask import request
from flask_babel import gettext as _
from sqlalchemy import select
from wtforms import SelectField, StringField
from wtforms.validators import DataRequired, Length

from admin import formats, merchants_known, words
from admin.fields import options
from admin.forms import REQUIRED, TIDY, OnceForm, nonce, purpose
from admin.four_eyes import ask_or_do, asked_for
from admin.guard import look_at
from admin.here import connection, here, staff
from admin.listing import Choice, Filters, by_id, pager
from admin.office import url
from admin.screen import Entry, Screen, actor, go, page, say, say_refused
from admin.screens.merchants import read_merchant
from admin.texts import lazy as _l
from app.core.db import atomic, of
from app.core.errors import NotFound, Refusal
from app.core.idempotency import KeyReused, Repeated, claim
from app.core.ids import parse_id, public_id
from app.core.texts import N_
from app.payments.card_used import card_used
from app.payments.queries import PAYMENTS
from app.risk import block
from app.risk.block import ENTRIES, Blocked

KINDS = {"email": N_("E-mail address"), "card": N_("Card"), "ip": N_("IP address")}
_TYPED = ("email", "ip")  # a card is blocked from a payment made with it: nobody types a number here


class BlockForm(OnceForm):
    merchant = SelectField(_l("Merchant"))
    kind = SelectField(_l("What"), choices=options({name: _l(KINDS[name]) for name in _TYPED}))
    value = StringField(_l("Address"), filters=TIDY, validators=[Length(max=200)])
    reason = StringField(_l("Reason"), filters=TIDY, validators=[DataRequired(REQUIRED), Length(max=200)])

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        mine = {public_id("mer", one): name for one, name in merchants_known.names().items() if _may(one)}
        self.merchant.choices = options(mine)


class UnblockForm(OnceForm):
    reason = StringField(_l("Reason"), filters=TIDY, validators=[DataRequired(REQUIRED), Length(max=200)])


class Blocks(Screen):
    address = "blocks"
    entry = Entry("risk", 20, N_("Block list"), "stop")

    @page("/", "risk.read")
    def index(self) -> str:
        merchant, kind = merchants_known.choice(), Choice(_("What"), ("kind",), options=_kinds())
        filters = Filters(merchant, kind)
        query = select(ENTRIES).where(ENTRIES.c.live == here().live)
        if merchant.chosen:
            query = query.where(ENTRIES.c.merchant_id.in_(merchant.ids("mer")))
        if kind.chosen:
            query = query.where(ENTRIES.c.kind.in_(kind.chosen))
        found = by_id(query, ENTRIES.c.id, "blk")
        return self.show(
            "blocks",
            title=_("Block list"),
            rows=found.rows,
            pager=pager(filters, "blk", found),
            filters=filters,
            merchants=merchants_known.names(),
            kinds=_kinds(),
        )

    @page("/add", "risk.write", ("GET", "POST"))
    def add(self) -> Any:
        """What is typed, or the card of a `payment`."""
        payment = _payment()
        if payment:
            look_at(payment["live"])
        form = BlockForm(data={"merchant": request.args.get("merchant")})
        if payment:
            form.merchant.data = public_id("mer", payment["merchant_id"])
        live, what = here().live, purpose("block", payment["id"] if payment else "an address")
        if form.validate_on_submit():
            merchant = read_merchant(parse_id("mer", form.merchant.data or ""))
            try:
                blocked = _wanted(form, payment)
                with atomic(of(merchant["id"], live)) as work:
                    entry_id = block.block(
                        work,
                        merchant_id=merchant["id"],
                        live=live,
                        blocked=blocked,
                        reason=form.reason.data or "",
                        actor=actor(),
                    )
                    claim(work, form.once(what), merchant["id"], live, ("block_entry", entry_id))
            except (Repeated, KeyReused):
                say(_("This form was sent before and is done already."), "wait")
                return go(url("blocks.index"))
            except Refusal as refusal:
                if not form.refuse(refusal) or payment:
                    form.form_errors.append(_sentence(refusal))
            else:
                say(_("%(hint)s is blocked from the next payment on.", hint=blocked.hint))
                return go(url("blocks.index", merchant=public_id("mer", merchant["id"])))
        elif request.method == "GET":
            form.nonce.data = nonce(what)
        return self.show(
            "block_form",
            title=_("Block a card") if payment else _("Block an address"),
            form=form,
            merchant=merchants_known.names().get(payment["merchant_id"]) if payment else None,
            payment=payment,
            card=_card(payment) if payment else None,
        )

    @page("/<id>/remove", "risk.write", ("GET", "POST"), fresh=True)
    def remove(self, id: str) -> Any:
        entry = block.read(connection(), parse_id("blk", id))
        look_at(entry["live"])
        form, merchant, back = UnblockForm(), read_merchant(entry["merchant_id"]), go(url("blocks.index"))
        if form.validate_on_submit():
            reason = form.reason.data or ""
            whose = {"merchant_id": entry["merchant_id"], "live": entry["live"], "subject_id": entry["id"]}
            try:
                with atomic(of(entry["merchant_id"], entry["live"])) as work:
                    if ask_or_do(work, "unblock", **whose, params={"entry": entry["hint"], "reason": reason}):
                        return asked_for()
                    block.unblock(work, entry_id=entry["id"], reason=reason, actor=actor())
            except Refusal as refusal:
                say_refused(refusal)
            else:
                say(_("%(hint)s may pay again.", hint=entry["hint"]))
            return back
        return self.show(
            "unblock",
            title=_("Take %(hint)s off the block list", hint=entry["hint"]),
            form=form,
            entry=entry,
            merchant=merchant,
            kinds=_kinds(),
        )


def _payment() -> Any:
    """The one whose card is to be blocked; None: something is typed."""
    if "payment" not in request.args:
        return None
    query = select(PAYMENTS).where(PAYMENTS.c.id == parse_id("pay", request.args["payment"]))
    row = connection().execute(query).mappings().first()
    if row is None:
        raise NotFound()
    return row


def _may(merchant_id: UUID) -> bool:
    return staff().may("risk.write", merchant_id)


def _wanted(form: BlockForm, payment: Any) -> Blocked:
    if payment:
        return _card(payment)
    return block.ip(form.value.data or "") if form.kind.data == "ip" else block.email(form.value.data or "")


def _card(payment: Any) -> Blocked:
    """Raises NoCardUsed."""
    used = card_used(connection(), payment["id"])
    brand = words.BRANDS.get(used.brand or "", _("Card"))
    return block.card(used.print_, f"{brand} •••• {used.last4}" if used.last4 else brand)


def _kinds() -> dict[str, str]:
    return {name: _(label) for name, label in KINDS.items()}


def _sentence(refusal: Refusal) -> str:
    said, advice = (formats.said(text, **refusal.values) for text in (refusal.message, refusal.advice))
    return f"{said} {advice}".strip()


SCREEN = Blocks

if TYPE_CHECKING:
    from admin.screen import ScreenModule
    from admin.screens import blocks as _me

    _check: ScreenModule = _me
