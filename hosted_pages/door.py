"""DOOR for payers: checkout pages under /pay, the way back from banks under /return, and embed.js.

No page sets a cookie. What a page must remember stands in its link and in its signed form.
"""

from apiflask import APIFlask
from flask import Blueprint

from app.core.web import bodies_under, errors_under
from hosted_pages import PAGES, paper
from hosted_pages.cli import scripts
from hosted_pages.pace import keep_pace

# A filled-in form has a few hundred; the answer of a bank's 3-D Secure page that comes by POST a few thousand.
LARGEST_FORM_BYTES = 64_000
LARGEST_LOOK = 1_000_000  # a shop's form with a logo


def attach(app: APIFlask) -> None:
    door = Blueprint("hosted", __name__, static_folder="static", static_url_path="/hosted", template_folder="templates")
    for name, page in PAGES.items():
        door.add_url_rule(page.PATH, name, page.answer, methods=page.VERBS)
    door.after_request(paper.finish)
    app.register_blueprint(door)
    app.before_request(keep_pace)  # not the blueprint's: APIFlask takes those for authentication of its own
    for prefix, largest in (
        ("/pay/", LARGEST_FORM_BYTES),
        ("/return/", LARGEST_FORM_BYTES),
        ("/preview/", LARGEST_LOOK),
    ):
        errors_under(app, prefix, paper.of_problem)
        bodies_under(app, prefix, largest)
    app.cli.add_command(scripts)
