"""`/preview/<token>`: the checkout as it would look with what is typed in the back office's form of a shop.

The real template with sample data and without a script; nothing on it can be sent. Only the back office may frame it,
and only with a link that it signed.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flask import Response, g, request
from sqlalchemy import select

from app.core.db import of, reading
from app.core.errors import NotFound, Refusal
from app.core.money import EXPONENTS
from app.core.web import LANGUAGES
from app.merchants import logo, preview
from app.merchants.add import CONTRACTS, MERCHANTS, NEW_SHOP, SHOPS
from app.merchants.preview import Preview
from app.methods import METHODS
from hosted_pages.forms import Purpose, asking_form
from hosted_pages.kinds import Page
from hosted_pages.looks import TEXTS
from hosted_pages.paper import page
from hosted_pages.sample import Sample, sample
from hosted_pages.visit import use_language

PATH = "/preview/<token>"
VERBS = ("GET", "POST")

_LONGEST_TEXT = 300
_AS_TYPED = ("name", "accent", "font", "theme", "terms_url", "privacy_url", "imprint_url")


def answer(token: str) -> Any:
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise NotFound()
    asked = preview.opened(token)
    merchant, stored, offered = _read(asked, currency := _currency())
    shop = typed_over(stored) if request.method == "POST" else stored
    use_language(request.values.get("shown_language"), shop["language"])
    visit = sample(
        shop,
        merchant,
        live=asked.live,
        language=g.language,
        currency=currency,
        paid=request.values.get("shown_page") == "paid",
    )
    return _only_to_look_at(_paid(visit) if visit.attempt else _form(visit, offered))


def _read(asked: Preview, currency: str) -> tuple[Mapping[str, Any], Mapping[str, Any], list[str]]:
    """Merchant, shop and the methods its contracts take. Raises NotFound."""
    with reading(of(asked.merchant_id, asked.live)) as connection:
        merchant = connection.execute(select(MERCHANTS).where(MERCHANTS.c.id == asked.merchant_id)).mappings().first()
        query = select(SHOPS).where(SHOPS.c.merchant_id == asked.merchant_id, SHOPS.c.id == asked.shop_id)
        shop = connection.execute(query).mappings().first() if asked.shop_id else {**_NO_SHOP, **NEW_SHOP}
        taken = connection.execute(
            select(CONTRACTS.c.methods).where(
                CONTRACTS.c.merchant_id == asked.merchant_id,
                CONTRACTS.c.live == asked.live,
                CONTRACTS.c.active,
                CONTRACTS.c.currencies.contains([currency]),
            )
        ).scalars()
        names = {name for several in taken for name in several}
    if merchant is None or shop is None:
        raise NotFound()
    return dict(merchant), dict(shop), sorted(names & set(METHODS), key=lambda name: METHODS[name].ORDER)


_NO_SHOP = dict.fromkeys(("logo", "logo_type", "terms_url", "privacy_url", "imprint_url")) | {"name": ""}


def typed_over(stored: Mapping[str, Any]) -> dict[str, Any]:
    """The shop as the form says. What cannot be read falls back to what is stored; looks.py mends the rest."""
    typed = request.form
    shop = {**stored, **{name: typed[name].strip()[:500] for name in _AS_TYPED if name in typed}}
    if typed.get("language") in LANGUAGES:
        shop["language"] = typed["language"]
    if typed.get("radius", "").isascii() and typed.get("radius", "").isdigit():
        shop["radius"] = int(typed["radius"][:4])
    shop["texts"] = {
        code: {key: typed.get(f"{key}_{code}", "").strip()[:_LONGEST_TEXT] for key in TEXTS} for code in LANGUAGES
    }
    return {**shop, **_links(shop), **_logo()}


def _links(shop: Mapping[str, Any]) -> dict[str, Any]:
    """Only what is an address is a link."""
    names = ("terms_url", "privacy_url", "imprint_url")
    return {name: shop[name] if (shop[name] or "").startswith(("https://", "http://")) else None for name in names}


def _logo() -> dict[str, Any]:
    """The file that was chosen, or the one kept from before; nothing: as it is stored."""
    upload = request.files.get("logo")
    try:
        content = logo.of_form(upload.stream if upload and upload.filename else None, request.form.get("kept_logo"))
    except Refusal:
        return {}  # the form says what is wrong with it
    if content is not None:
        return {"logo": content, "logo_type": logo.TYPE}
    return {"logo": None, "logo_type": None} if request.form.get("remove_logo") else {}


def _currency() -> str:
    asked = request.args.get("currency", "EUR")
    return asked if asked in EXPONENTS else "EUR"


def _form(visit: Sample, offered: list[str]) -> Response:
    names = offered or sorted(METHODS, key=lambda name: METHODS[name].ORDER)  # before there is a contract: all of them
    wanted = request.values.get("method", "")
    chosen = wanted if wanted in names else names[0]
    method = METHODS[chosen]
    return page(
        "checkout.html",
        visit,
        offered=names,
        chosen=chosen,
        method=method,
        form=asking_form(method, Purpose("preview", chosen)),
        again={},
        wrong=[],
        notice=None,
        declined=None,
        script=False,
    )


def _paid(visit: Sample) -> Response:
    return page("paid.html", visit, script=False)


def _only_to_look_at(response: Response) -> Response:
    """Framed by the back office alone; nothing runs, nothing is sent, no link opens."""
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; style-src 'self' 'nonce-{g.nonce}'; img-src 'self' data:; form-action 'none';"
        " frame-ancestors 'self'; base-uri 'none'; sandbox allow-same-origin"
    )
    return response


if TYPE_CHECKING:
    from hosted_pages.pages import preview as _me

    _: Page = _me
