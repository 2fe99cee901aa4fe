"""`/embed.js`: the script a shop includes to show a checkout in its own page."""

from typing import TYPE_CHECKING, Any

from flask import send_from_directory

from hosted_pages.kinds import Page
from hosted_pages.paper import STATIC

PATH = "/embed.js"
VERBS = ("GET",)


def answer() -> Any:
    script = send_from_directory(STATIC, "embed.js", mimetype="text/javascript", max_age=3600)
    script.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return script


if TYPE_CHECKING:
    from hosted_pages.pages import embed as _me

    _: Page = _me
