"""A webhook catcher: takes what the product tells a shop, checks the signature as a shop should, and shows it."""

from pathlib import Path

from flask import Blueprint, Flask

from sandbox.webhooks.store import Caught

blueprint = Blueprint("webhooks", __name__, url_prefix="/webhooks")

from sandbox.webhooks import pages  # noqa: E402,F401  adds its routes to the blueprint

TILE = ("Webhooks", "What the shops are told, with checked signatures.", "/webhooks/")


def attach(app: Flask, journal_dir: Path) -> None:
    app.extensions["sandbox_webhooks"] = Caught(journal_dir / "webhooks_caught.jsonl")
    app.register_blueprint(blueprint)
