"""The pages of the demo shops."""

import json
import re
from datetime import UTC, datetime
from typing import Any

from flask import abort, current_app, jsonify, make_response, redirect, render_template, request, url_for

from sandbox.demo_file import public_url
from sandbox.shop import blueprint
from sandbox.shop.cards import published_cards
from sandbox.shop.goods import SHOPS, Shop, Text
from sandbox.shop.orders import Order, Orders, new_number
from sandbox.shop.zahlwerk import NoCheckout, contract_of, create_checkout, endpoint_name
from sandbox.texts import language, text
from sandbox.webhooks.pages import as_json

MOST = 9


def _orders() -> Orders:
    return current_app.extensions["sandbox_shop"]


def _shop(slug: str) -> Shop:
    return SHOPS.get(slug) or abort(404)


def _order(shop: Shop, number: str | None) -> Order:
    order = _orders().get(number or "")
    return order if order and order.shop == shop.slug else abort(404)


def price(cents: int) -> str:
    """1490 -> "14,90 €" or "€14.90"."""
    whole, part = divmod(cents, 100)
    if language() == "de":
        return f"{whole:,}".replace(",", ".") + f",{part:02d}\u00a0€"
    return f"€{whole:,}.{part:02d}"


def say(found: Text) -> str:
    return found.en if language() == "en" else found.de


@blueprint.context_processor
def for_every_page() -> dict[str, Any]:
    slug = (request.view_args or {}).get("slug", "")
    shop = SHOPS.get(slug)
    count = sum(_basket(shop).values()) if shop else 0
    return {"price": price, "say": say, "shops": SHOPS.values(), "shop": shop, "basket_count": count}


@blueprint.get("/")
def chooser() -> str:
    return render_template("shop/chooser.html")


@blueprint.get("/<slug>/")
def shelf(slug: str) -> str:
    _shop(slug)
    return render_template("shop/shelf.html")


@blueprint.get("/<slug>/p/<sku>")
def product(slug: str, sku: str) -> str:
    good = _shop(slug).good(sku) or abort(404)
    return render_template("shop/product.html", good=good)


_LEGAL = {
    "agb": ("Terms and conditions", "A real shop would state its terms here. No contract comes about in this one."),
    "datenschutz": ("Privacy", "What you type here stays on this machine, in the journals of the sandbox."),
    "impressum": ("Legal notice", "A real shop would say here who runs it and how to reach them."),
}


@blueprint.get("/<slug>/<any(agb, datenschutz, impressum):page>")
def legal(slug: str, page: str) -> str:
    _shop(slug)
    title, words = _LEGAL[page]
    return render_template("shop/legal.html", title=text(title), words=text(words))


def _basket(shop: Shop) -> dict[str, int]:
    """What lies in this shop's basket, from its cookie; nonsense in it is no basket."""
    try:
        found = json.loads(request.cookies.get(f"basket_{shop.slug}", "{}"))
        return {sku: n for sku, n in found.items() if shop.good(sku) and isinstance(n, int) and 0 < n <= MOST}
    except (ValueError, AttributeError):
        return {}


def _lines(shop: Shop) -> list[dict[str, Any]]:
    lines = []
    for sku, quantity in _basket(shop).items():
        good = shop.good(sku)
        assert good
        lines.append({"sku": sku, "name": say(good.name), "quantity": quantity, "amount": quantity * good.price})
    return lines


@blueprint.post("/<slug>/basket")
def put_in_basket(slug: str) -> Any:
    """`add` puts that many more in, `set` makes it that many; 0 takes it out."""
    shop = _shop(slug)
    basket, sku = _basket(shop), request.form.get("sku", "")
    if not shop.good(sku):
        abort(404)
    wanted = request.form.get("set", type=int)
    if wanted is None:
        wanted = basket.get(sku, 0) + (request.form.get("add", type=int) or 1)
    basket[sku] = max(0, min(wanted, MOST))
    answer = redirect(url_for("shop.basket", slug=slug), 303)
    content = json.dumps({key: number for key, number in basket.items() if number})
    answer.set_cookie(f"basket_{slug}", content, samesite="Lax", path="/shop/")
    return answer


@blueprint.get("/<slug>/basket")
def basket(slug: str) -> str:
    return _basket_page(_shop(slug))


def _basket_page(shop: Shop, problem: str | None = None, fields: dict[str, str] | None = None) -> str:
    lines = _lines(shop)
    return render_template(
        "shop/basket.html",
        lines=lines,
        total=sum(line["amount"] for line in lines),
        fields=fields or {"name": "Erika Mustermann", "email": "erika.mustermann@example.org", "capture": "automatic"},
        problem=problem,
    )


@blueprint.post("/<slug>/checkout")
def checkout(slug: str) -> Any:
    """Places the order and asks Zahlwerk for its checkout: `embed` shows it here, otherwise the payer goes there."""
    shop = _shop(slug)
    lines = _lines(shop)
    fields = {name: request.form.get(name, "").strip() for name in ("name", "email", "capture")}
    if not lines:
        return redirect(url_for("shop.basket", slug=slug), 303)
    if not fields["name"] or not re.fullmatch(r"[^@\s]+@[^@\s]+", fields["email"]):
        return _basket_page(shop, "fields", fields), 422
    order = Order(
        number=new_number(shop.prefix),
        shop=slug,
        lines=lines,
        amount=sum(line["amount"] for line in lines),
        currency="EUR",
        name=fields["name"],
        email=fields["email"],
        capture="manual" if fields["capture"] == "manual" else "automatic",
        placed_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    try:
        made = create_checkout(shop, order, language())
    except NoCheckout as problem:
        return _basket_page(shop, problem.detail, fields), 502
    _orders().keep(Order(**{**vars(order), "checkout": made}))
    here = url_for("shop.order", slug=slug, number=order.number)
    return redirect(made["url"] if request.form.get("how") == "page" else here, 303)


@blueprint.get("/<slug>/order/<number>")
def order(slug: str, number: str) -> str:
    """The payment step: the checkout in a frame, and beside it what the shop is told."""
    found = _order(_shop(slug), number)
    script = f"{public_url()}/embed.js"
    return render_template("shop/order.html", order=found, script=script, cards=published_cards(language()))


@blueprint.get("/<slug>/thanks")
def thanks(slug: str) -> Any:
    found = _order(_shop(slug), request.args.get("order"))
    page = make_response(render_template("shop/thanks.html", order=found, basket_count=0))
    page.delete_cookie(f"basket_{slug}", path="/shop/")
    return page


@blueprint.get("/<slug>/order/<number>/news.json")
def news(slug: str, number: str) -> Any:
    """What the shop was told about this order, oldest first."""
    shop = _shop(slug)
    found = _order(shop, number)
    caught = current_app.extensions["sandbox_webhooks"].all(endpoint_name(shop), limit=2000)
    return jsonify([as_json(message) for message in _about(found, list(reversed(caught)))])


def _about(order: Order, messages: list[Any]) -> list[Any]:
    """Messages that name the order, its checkout, or a payment that was named together with them."""
    known = {order.number, order.checkout.get("id", order.number)}
    for message in messages:
        if any(word in message.body for word in known):
            known |= set(re.findall(r"\bpay_[0-9a-z]{26}\b", message.body))
    return [message for message in messages if any(word in message.body for word in known)]


@blueprint.get("/<slug>/has-key")
def has_key(slug: str) -> Any:
    """Whether the demo data has given this shop an API key yet."""
    return jsonify({"has_key": bool((contract_of(_shop(slug)) or {}).get("api_key"))})
