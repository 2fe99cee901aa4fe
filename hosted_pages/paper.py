"""Renders a page, and puts on every answer the headers that keep it private and in its frame."""

import hashlib
import secrets
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Response, g, redirect, render_template, request, url_for
from markupsafe import Markup

from app.core.headers import PERMISSIONS
from app.core.problem import Problem
from app.core.scripts import integrity_of
from app.core.texts import N_
from app.methods import METHODS
from hosted_pages import words
from hosted_pages.looks import Look, look_of, neutral, words_of
from hosted_pages.visit import Visit, use_language

STATIC = Path(__file__).parent / "static"
_PERMISSIONS = PERMISSIONS.replace("payment=()", "payment=(self)")

_PROBLEMS = {
    404: (N_("This page does not exist"), N_("The link may be incomplete or out of date. Please go back to the shop.")),
    405: (N_("This page does not exist"), N_("The link may be incomplete or out of date. Please go back to the shop.")),
    413: (N_("That was too much at once"), N_("Please go back and fill in the form again.")),
    429: (N_("That was too fast"), N_("Please wait a moment and try again.")),
    503: (N_("There is a lot going on just now"), N_("Please try again in a moment. You will not pay twice.")),
}
_FAILED = (N_("Something went wrong on our side"), N_("Please open the page again. You will not pay twice."))
_UNREADABLE = (N_("That did not arrive properly"), N_("Please go back and fill in the form again."))


def page(template: str, visit: Visit, status: int = 200, **context: Any) -> Response:
    """A page of a checkout in its shop's look."""
    look = look_of(visit.opened.shop)
    g.framed_by = look.origins if visit.embed else ()
    opened, language = visit.opened, visit.language

    def money(minor: int) -> str:
        return words.amount(minor, opened.payment["currency"], language)

    return _rendered(
        template,
        look,
        status,
        visit=visit,
        payment=opened.payment,
        checkout=opened.checkout,
        shop=opened.shop,
        merchant=opened.merchant,
        live=opened.checkout["live"],
        embed=visit.embed,
        money=money,
        moment=lambda at: words.moment(at, language, opened.merchant["timezone"]),
        said=lambda key: words_of(opened.shop, language, key),
        **context,
    )


def of_problem(problem: Problem) -> Response:
    """What went wrong, in the payer's words. A wrong link looks the same whatever is wrong with it."""
    visit: Visit | None = getattr(g, "visit", None) if problem.status != 404 else None
    if visit is None:
        use_language(request.args.get("lang"))
    title, text = _PROBLEMS.get(problem.status) or (_FAILED if problem.status >= 500 else _UNREADABLE)
    if visit is not None:
        return finish(page("problem.html", visit, problem.status, title=title, text=text))
    return finish(message("problem.html", problem.status, title=title, text=text))


def message(template: str, status: int = 200, *, live: bool = True, **context: Any) -> Response:
    """A page that belongs to no shop. In a frame it may be shown by anybody: there is nothing to press on it."""
    g.framed_by = None if in_a_frame() else ()
    return _rendered(template, neutral(), status, live=live, embed=in_a_frame(), visit=None, **context)


def move_on(address: str) -> Response:
    """See other: the browser gets the next page, and a reload repeats nothing."""
    return finish(redirect(address, 303))  # type: ignore[arg-type]  # werkzeug's Response is Flask's here


def finish(response: Response) -> Response:
    """Headers of every answer of this door. A page may have widened `g.form_targets` before."""
    headers = response.headers
    if request.endpoint == "hosted.static":
        headers["Cache-Control"] = "public, max-age=31536000, immutable" if "v" in request.args else "no-cache"
        return response
    headers.setdefault("Cache-Control", "no-store")
    headers["Referrer-Policy"] = "no-referrer"
    headers["Permissions-Policy"] = _PERMISSIONS
    headers["Integrity-Policy"] = "blocked-destinations=(script)"  # a script whose tag has no integrity does not run
    headers.setdefault("Content-Security-Policy", _policy())
    return response


def _rendered(template: str, look: Look, status: int, **context: Any) -> Response:
    html = render_template(
        f"hosted/{template}",
        look=look,
        look_css=Markup(_css(look)),  # noqa: S704 - every part was checked or chosen from a table
        language=g.language,
        nonce=_nonce(),
        asset=_asset,
        integrity_of=integrity_of,
        methods=METHODS,
        card_of=words.card_of,
        **context,
    )
    return Response(html, status, mimetype="text/html")


def _css(look: Look) -> str:
    light, dark = f":root{{{look.common};{look.light}}}", f"{look.dark}"
    if look.theme == "dark":
        return f"{light}:root{{{dark}}}"
    if look.theme == "auto":
        return f"{light}@media(prefers-color-scheme:dark){{:root{{{dark}}}}}"
    return light


def _policy() -> str:
    nonce, framed_by = _nonce(), getattr(g, "framed_by", ())
    targets = " ".join(("'self'", *getattr(g, "form_targets", ())))
    frames = "*" if framed_by is None else " ".join(framed_by) or "'none'"
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'nonce-{nonce}'",
            f"style-src 'self' 'nonce-{nonce}'",
            "img-src 'self'",
            "connect-src 'self'",
            f"form-action {targets}",
            f"frame-ancestors {frames}",
            "base-uri 'none'",
        )
    )


def _nonce() -> str:
    if not hasattr(g, "nonce"):
        g.nonce = secrets.token_urlsafe(16)
    return g.nonce


def in_a_frame(unsure: bool = False) -> bool:
    """Whether the browser loads this into a frame. `unsure`: the answer for a browser that does not say."""
    loaded_as = request.headers.get("Sec-Fetch-Dest")
    return unsure if loaded_as is None else loaded_as in ("iframe", "frame")


def origin_of(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def _asset(name: str) -> str:
    """Address of a static file, with its fingerprint, so that it can be kept for a year."""
    return url_for("hosted.static", filename=name, v=_fingerprint(name))


@cache
def _fingerprint(name: str) -> str:
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:10]
