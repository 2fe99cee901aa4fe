"""An Adyen that stands in for the real one: Checkout v72 with 3-D Secure by redirect, modifications and notifications,
as far as app/connectors/adyen.py speaks to it. Its address is the sandbox's plus `/adyen/v72`."""

from pathlib import Path

from flask import Blueprint, Flask

from sandbox.adyen.book import Book

LABEL = "Adyen"

blueprint = Blueprint("adyen", __name__, url_prefix="/adyen")

from sandbox.adyen import api, control, page  # noqa: E402,F401  they add their routes to the blueprint


def attach(
    app: Flask,
    journal_dir: Path,
    *,
    webhook_url: str | None = None,
    hmac_key: str | None = None,
    api_key: str | None = None,
    news_login: str | None = None,
) -> None:
    """Mounts it; `journal_dir`/adyen.jsonl says what it really charged. Keys are never written down: they are given
    here or by `POST /adyen/_control` after every start. `news_login` is "user:password"."""
    book = Book(journal_dir / "adyen.jsonl")
    book.api_key, book.news_login = api_key, news_login
    book.hmac_key = hmac_key or book.hmac_key
    app.extensions["sandbox_adyen"] = book
    app.register_blueprint(blueprint)
    book.deliveries.change(**({"url": webhook_url} if webhook_url else {}))
