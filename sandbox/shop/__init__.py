"""Two small shops that sell through Zahlwerk, on another site than the product: the checkout as an iframe or as a
full page, and what the shop is told about each order."""

from pathlib import Path

from flask import Blueprint, Flask

from sandbox.shop.orders import Orders

blueprint = Blueprint("shop", __name__, url_prefix="/shop")

from sandbox.shop import pages  # noqa: E402,F401  adds its routes to the blueprint

TILE = ("Demo shop", "Buy something: two shops with different looks, one checkout.", "/shop/")


def attach(app: Flask, journal_dir: Path) -> None:
    app.extensions["sandbox_shop"] = Orders(journal_dir / "shop_orders.jsonl")
    app.register_blueprint(blueprint)
