"""A mail catcher: takes every message by SMTP, sends none on, and shows them under /mail."""

from pathlib import Path

from flask import Blueprint, Flask

from sandbox.mail.box import Mailbox
from sandbox.mail.smtp import Catcher

blueprint = Blueprint("mail", __name__, url_prefix="/mail")

from sandbox.mail import pages  # noqa: E402,F401  adds its routes to the blueprint

TILE = ("Mail", "Every e-mail the product sends lands here, with text, HTML and source.", "/mail/")

__all__ = ["Catcher", "Mailbox", "attach", "blueprint"]


def attach(app: Flask, journal_dir: Path) -> None:
    app.extensions["sandbox_mail"] = Mailbox(journal_dir.parent / "mail")
    app.register_blueprint(blueprint)
