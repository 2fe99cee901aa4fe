"""A Stripe that stands in for the real one: PaymentIntents, SetupIntents, refunds, disputes and signed webhooks, as far
as app/connectors/stripe.py speaks to them. Its address is the sandbox's plus `/stripe`."""

from pathlib import Path

from flask import Blueprint, Flask

from sandbox.stripe.book import Book

LABEL = "Stripe"

blueprint = Blueprint("stripe", __name__, url_prefix="/stripe")

from sandbox.stripe import api, control, page  # noqa: E402,F401  they add their routes to the blueprint


def attach(
    app: Flask,
    journal_dir: Path,
    *,
    webhook_url: str | None = None,
    webhook_secret: str | None = None,
    secret_key: str | None = None,
) -> None:
    """Mounts it; `journal_dir`/stripe.jsonl says what it really charged. Keys are never written down: they are
    given here or by `POST /stripe/_control` after every start."""
    book = Book(journal_dir / "stripe.jsonl")
    book.secret_key = secret_key
    book.webhook_secret = webhook_secret or book.webhook_secret
    app.extensions["sandbox_stripe"] = book
    app.register_blueprint(blueprint)
    book.deliveries.change(**({"url": webhook_url} if webhook_url else {}))
