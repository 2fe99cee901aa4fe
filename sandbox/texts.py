"""The sandbox's pages speak German first, English with `?lang=en`; the choice is remembered in a cookie.

Keys are English; german.json has the German ones. A text that is missing there fails tests/sandbox/test_texts.py.
"""

import json
from pathlib import Path

from flask import Flask, Response, request

LANGUAGES = ("de", "en")
GERMAN: dict[str, str] = json.loads((Path(__file__).parent / "german.json").read_text())


def install(app: Flask) -> None:
    """Gives templates `_()` and `lang()`."""
    if "sandbox_texts" in app.extensions:
        return
    app.extensions["sandbox_texts"] = True
    app.jinja_env.globals.update(_=text, lang=language)
    app.after_request(_remember)


def language() -> str:
    wanted = request.args.get("lang") or request.cookies.get("sandbox_lang")
    return wanted if wanted in LANGUAGES else "de"


def text(key: str, /, **values: object) -> str:
    """`_("Pay %(amount)s", amount=...)` in the language of the request."""
    found = GERMAN.get(key, key) if language() == "de" else key
    return found % values if values else found


def _remember(response: Response) -> Response:
    if request.args.get("lang") in LANGUAGES:
        response.set_cookie("sandbox_lang", request.args["lang"], samesite="Lax", max_age=30 * 86_400)
    return response
