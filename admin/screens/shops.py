"""Shops: how a merchant's pages look and what they say."""

import re
from typing import TYPE_CHECKING, Any
from uuid import UUID

from flask import Response, request
from flask_babel import gettext as _
from sqlalchemy import select
from wtforms import BooleanField, FileField, IntegerField, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional

from admin import choices, merchants_known
from admin.fields import Several, options
from admin.forms import REQUIRED, TIDY, OnceForm, nonce, purpose
from admin.here import connection
from admin.listing import Filters
from admin.office import url
from admin.screen import Entry, Screen, actor, go, page, say
from admin.screens.merchants import read_merchant
from admin.texts import lazy as _l
from app.core.db import Scope, atomic
from app.core.errors import NotFound, Refusal
from app.core.idempotency import KeyReused, Repeated, claim
from app.core.ids import parse_id, public_id
from app.core.texts import N_
from app.merchants.add import SHOPS, add_shop, change
from app.merchants.contrast import AccentTooWeak, check_accent, text_on
from app.merchants.logo import redrawn
from app.messages.events import by_name
from app.staff.add import checked_email

_ORIGIN = re.compile(r"https?://[A-Za-z0-9.\-]+(:\d{1,5})?")


class BadOrigin(Refusal):
    code = "bad_origin"
    message = N_("“%(origin)s” is not an origin.")
    advice = N_("Write them like https://shop.example, one per line, without a path.")


class BadAddress(Refusal):
    code = "bad_address"
    message = N_("“%(address)s” is not a web address.")
    advice = N_("It begins with https://.")


class ShopForm(OnceForm):
    name = StringField(_l("Name"), filters=TIDY, validators=[DataRequired(REQUIRED), Length(max=120)])
    language = SelectField(_l("Language of its pages"), choices=options(choices.LANGUAGES))
    accent = StringField(_l("Colour of buttons"), filters=TIDY, default="#1f4fd8", validators=[DataRequired(REQUIRED)])
    radius = IntegerField(
        _l("Roundness of corners in pixels"),
        default=10,
        validators=[InputRequired(REQUIRED), NumberRange(0, 28, _l("Between 0 and 28."))],
    )
    font = SelectField(_l("Typeface"))
    theme = SelectField(_l("Brightness"))
    logo = FileField(_l("Logo"))
    remove_logo = BooleanField(_l("Remove the logo"))
    allowed_origins = TextAreaField(
        _l("Sites that may embed the checkout"), filters=TIDY, validators=[Length(max=2000)]
    )
    terms_url = StringField(_l("Terms"), filters=TIDY, validators=[Optional(), Length(max=500)])
    privacy_url = StringField(_l("Privacy"), filters=TIDY, validators=[Optional(), Length(max=500)])
    imprint_url = StringField(_l("Imprint"), filters=TIDY, validators=[Optional(), Length(max=500)])
    notify_email = StringField(
        _l("E-mail address for notifications"), filters=TIDY, validators=[Optional(), Length(max=200)]
    )
    notify_events = Several(_l("Notified of"))
    payer_receipts = BooleanField(_l("Send payers a receipt by e-mail"))
    welcome_de = StringField(filters=TIDY, validators=[Length(max=300)])
    welcome_en = StringField(filters=TIDY, validators=[Length(max=300)])
    thanks_de = StringField(filters=TIDY, validators=[Length(max=300)])
    thanks_en = StringField(filters=TIDY, validators=[Length(max=300)])
    support_de = StringField(filters=TIDY, validators=[Length(max=300)])
    support_en = StringField(filters=TIDY, validators=[Length(max=300)])

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.font.choices = options({name: _(label) for name, label in choices.FONTS.items()})
        self.notify_events.choices = options({event.NAME: _(event.TITLE) for event in by_name().values()})
        self.theme.choices = options({name: _(label) for name, label in choices.THEMES.items()})

    def words(self) -> list[tuple[str, list[tuple[str, Any]]]]:
        """(what it is, [(language, field)]) for each text a shop may have."""
        return [
            (_(label), [(name, self[f"{key}_{code}"]) for code, name in choices.LANGUAGES.items()])
            for key, label in choices.SHOP_TEXTS.items()
        ]


class Shops(Screen):
    address = "shops"
    entry = Entry("merchants", 20, N_("Shops"), "shop")

    @page("/", "merchant.read")
    def index(self) -> str:
        merchant = merchants_known.choice()
        filters = Filters(merchant)
        query = select(SHOPS).order_by(SHOPS.c.name, SHOPS.c.id).limit(500)
        if merchant.chosen:
            query = query.where(SHOPS.c.merchant_id.in_(merchant.ids("mer")))
        rows = connection().execute(query).mappings().all()
        return self.show("shops", title=_("Shops"), rows=rows, filters=filters, merchants=merchants_known.names())

    @page("/add", "merchant.write", ("GET", "POST"))
    def add(self) -> Any:
        merchant = read_merchant(parse_id("mer", request.args.get("merchant", "")))
        form = ShopForm()
        values = _values(form, {}) if form.validate_on_submit() else None
        if values is not None:
            what = purpose("add shop", merchant["id"])
            try:
                with atomic(Scope(frozenset({merchant["id"]}), None)) as work:
                    shop_id = add_shop(work, merchant_id=merchant["id"], actor=actor(), **values)
                    claim(work, form.once(what), merchant["id"], False, ("shop", shop_id))
            except (Repeated, KeyReused):
                say(_("This form was sent before and is done already."), "wait")
                return go(url("merchants.detail", id=public_id("mer", merchant["id"])))
            say(_("%(name)s is added.", name=form.name.data))
            return go(url("shops.detail", id=public_id("shp", shop_id)))
        if request.method == "GET":
            form.nonce.data = nonce(purpose("add shop", merchant["id"]))
        return self.show("shop_form", title=_("New shop"), form=form, merchant=merchant, shop=None, **_colour(form))

    @page("/<id>", "merchant.read")
    def detail(self, id: str) -> str:
        shop = _read(parse_id("shp", id))
        return self.show(
            "shop",
            title=shop["name"],
            shop=shop,
            merchant=read_merchant(shop["merchant_id"]),
            fonts=choices.FONTS,
            themes=choices.THEMES,
            texts=choices.SHOP_TEXTS,
            on_accent=text_on(shop["accent"]),
            told=[_(by_name()[name].TITLE) for name in shop["notify_events"] if name in by_name()],
        )

    @page("/<id>/change", "merchant.write", ("GET", "POST"))
    def change(self, id: str) -> Any:
        shop = _read(parse_id("shp", id))
        form = ShopForm(data=_shown(shop))
        values = _values(form, shop) if form.validate_on_submit() else None
        if values is not None:
            with atomic(Scope(frozenset({shop["merchant_id"]}), None)) as work:
                change(work, SHOPS, shop["id"], values, noun="shop", actor=actor())
            say(_("Saved."))
            return go(url("shops.detail", id=id))
        return self.show(
            "shop_form",
            title=_("Change %(name)s", name=shop["name"]),
            form=form,
            shop=shop,
            merchant=read_merchant(shop["merchant_id"]),
            **_colour(form),
        )

    @page("/<id>/logo", "merchant.read")
    def logo(self, id: str) -> Response:
        shop = _read(parse_id("shp", id))
        if shop["logo"] is None:
            raise NotFound()
        return Response(shop["logo"], mimetype=shop["logo_type"])


def _read(shop_id: UUID) -> Any:
    row = connection().execute(select(SHOPS).where(SHOPS.c.id == shop_id)).mappings().first()
    if row is None:
        raise NotFound()
    return row


def _shown(shop: Any) -> dict[str, Any]:
    texts = {
        f"{key}_{code}": (shop["texts"].get(code) or {}).get(key, "")
        for key in choices.SHOP_TEXTS
        for code in choices.LANGUAGES
    }
    return {**shop, **texts, "logo": None, "allowed_origins": "\n".join(shop["allowed_origins"])}


def _values(form: ShopForm, shop: Any) -> dict[str, Any] | None:
    """The columns as the form gives them; None when a field was refused (the error stands at it)."""
    try:
        return {
            **{name: form[name].data for name in ("name", "language", "radius", "font", "theme", "payer_receipts")},
            **{name: _address(name, form[name].data) for name in ("terms_url", "privacy_url", "imprint_url")},
            "accent": check_accent(form.accent.data or ""),
            "notify_email": _email(form.notify_email.data),
            "notify_events": form.notify_events.data or [],
            "allowed_origins": _origins(form.allowed_origins.data or ""),
            "texts": _texts(form, shop),
            **_logo(form),
        }
    except Refusal as refusal:
        form.refuse(refusal)
        return None


def _texts(form: ShopForm, shop: Any) -> dict[str, Any]:
    before = dict(shop["texts"]) if shop else {}
    for code in choices.LANGUAGES:
        said = {key: form[f"{key}_{code}"].data or "" for key in choices.SHOP_TEXTS}
        before[code] = {**(before.get(code) or {}), **said}
        before[code] = {key: text for key, text in before[code].items() if text}
    return {code: texts for code, texts in before.items() if texts}


def _logo(form: ShopForm) -> dict[str, Any]:
    upload = request.files.get(form.logo.name)
    if upload is not None and upload.filename:
        content, kind = redrawn(upload.read())
        return {"logo": content, "logo_type": kind}
    return {"logo": None, "logo_type": None} if form.remove_logo.data else {}


def _address(name: str, typed: str | None) -> str | None:
    if not typed:
        return None
    if not re.fullmatch(r"https?://[^\s<>\"']+", typed):
        raise BadAddress(param=name, address=typed[:80])
    return typed


def _email(typed: str | None) -> str | None:
    if not typed:
        return None
    try:
        return checked_email(typed)
    except Refusal as refusal:
        refusal.param = "notify_email"
        raise


def _origins(typed: str) -> list[str]:
    origins = [line.strip().rstrip("/") for line in typed.splitlines() if line.strip()]
    for origin in origins:
        if not _ORIGIN.fullmatch(origin):
            raise BadOrigin(param="allowed_origins", origin=origin[:80])
    return origins


def _colour(form: ShopForm) -> dict[str, Any]:
    """The nearest colour that can be read, if the one typed cannot."""
    try:
        return {"accent": check_accent(form.accent.data or ""), "nearest": None}
    except AccentTooWeak as refusal:
        return {"accent": refusal.values["accent"], "nearest": refusal.values["nearest"]}
    except Refusal:
        return {"accent": "#1f4fd8", "nearest": None}


SCREEN = Shops

if TYPE_CHECKING:
    from admin.screen import ScreenModule
    from admin.screens import shops as _me

    _check: ScreenModule = _me
