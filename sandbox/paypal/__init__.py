"""A PayPal that stands in for the real one: Orders v2, Payments v2, Payment Method Tokens v3, disputes and signed
webhooks, as far as app/connectors/paypal.py speaks to them. Its address is the sandbox's plus `/paypal`."""

from pathlib import Path

from flask import Blueprint, Flask

from sandbox import texts
from sandbox.paypal.books import Books
from sandbox.paypal.webhooks import Webhooks

blueprint = Blueprint("paypal", __name__, url_prefix="/paypal", template_folder="templates")

from sandbox.paypal import api, control, pages, vault  # noqa: E402,F401  they add their routes to the blueprint

TILE = ("PayPal", "What payers approved, and buttons for complaints and refunds.", "/paypal/")


def attach(app: Flask, journal_dir: Path) -> None:
    """Mounts it; `journal_dir`/paypal.jsonl says what it really charged."""
    texts.install(app)
    books = Books(journal_dir / "paypal.jsonl")
    webhooks = Webhooks(books, journal_dir / "paypal_signing_key.pem")
    app.extensions["sandbox_paypal"] = books, webhooks
    app.register_blueprint(blueprint)
    webhooks.start()
