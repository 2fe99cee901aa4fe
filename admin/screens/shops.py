"""Shops: how a merchant's pages look and what they say, with a live preview of the checkout."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from flask import Response, g, jsonify, request
from flask_babel import gettext as _
from sqlalchemy import select

from admin import choices, formats, merchants_known, setup
from admin.forms import nonce, purpose
from admin.here import connection, here
from admin.listing import Filters
from admin.office import url
from admin.screen import Entry, Screen, actor, go, page, say
from admin.screens.merchants import read_merchant
from admin.shop_form import ShopForm, colour, shown, values_of
from app.core.db import Scope, atomic
from app.core.errors import NotFound, Refusal
from app.core.idempotency import KeyReused, Repeated, claim
from app.core.ids import parse_id, public_id
from app.core.texts import N_
from app.merchants import preview
from app.merchants.add import SHOPS, add_shop, change
from app.merchants.contrast import AccentTooWeak, check_accent, text_on
from app.merchants.preview import Preview
from app.messages.events import by_name


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
        form, what = ShopForm(), purpose("add shop", merchant["id"])
        values = values_of(form, {}) if request.method == "POST" else None
        if values is not None:
            try:
                with atomic(Scope(frozenset({merchant["id"]}), None)) as work:
                    shop_id = add_shop(work, merchant_id=merchant["id"], actor=actor(), **values)
                    claim(work, form.once(what), merchant["id"], False, ("shop", shop_id))
            except (Repeated, KeyReused):
                say(_("This form was sent before and is done already."), "wait")
                return go(url("merchants.detail", id=public_id("mer", merchant["id"])))
            say(_("%(name)s is added.", name=form.name.data))
            return setup.onward(merchant["id"], url("shops.detail", id=public_id("shp", shop_id)))
        if request.method == "GET":
            form.nonce.data = nonce(what)
        return self._form(_("New shop"), form, merchant, None)

    @page("/contrast", "merchant.read")
    def contrast(self) -> Response:
        """Whether a colour can carry text, while somebody types it."""
        try:
            accent = check_accent(request.args.get("accent", "")[:20])
        except AccentTooWeak as refusal:
            return jsonify(ok=False, sentence=_said(refusal), nearest=refusal.values["nearest"])
        except Refusal:
            return jsonify(ok=False, sentence="", nearest="")
        return jsonify(ok=True, sentence="", nearest=accent)

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
        form = ShopForm(data=shown(shop))
        values = values_of(form, shop) if request.method == "POST" else None
        if values is not None:
            with atomic(Scope(frozenset({shop["merchant_id"]}), None)) as work:
                change(work, SHOPS, shop["id"], values, noun="shop", actor=actor())
            say(_("Saved."))
            return setup.onward(shop["merchant_id"], url("shops.detail", id=id))
        return self._form(_("Change %(name)s", name=shop["name"]), form, read_merchant(shop["merchant_id"]), shop)

    @page("/<id>/logo", "merchant.read")
    def logo(self, id: str) -> Response:
        shop = _read(parse_id("shp", id))
        if shop["logo"] is None:
            raise NotFound()
        return Response(shop["logo"], mimetype=shop["logo_type"])

    def _form(self, title: str, form: ShopForm, merchant: Any, shop: Any) -> str:
        g.frames = "'self'"  # the preview is a page of the checkout (headers.py)
        look = Preview(merchant["id"], here().live, shop["id"] if shop else None)
        return self.show(
            "shop_form",
            title=title,
            form=form,
            merchant=merchant,
            shop=shop,
            preview=f"/preview/{preview.token(look)}",
            languages=choices.LANGUAGES,
            setup=setup.strip(merchant),
            **colour(form),
        )


def _read(shop_id: UUID) -> Any:
    row = connection().execute(select(SHOPS).where(SHOPS.c.id == shop_id)).mappings().first()
    if row is None:
        raise NotFound()
    return row


def _said(refusal: Refusal) -> str:
    return formats.said(refusal.message, **refusal.values)


SCREEN = Shops

if TYPE_CHECKING:
    from admin.screen import ScreenModule
    from admin.screens import shops as _me

    _check: ScreenModule = _me
