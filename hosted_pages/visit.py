"""One request of a payer: the checkout behind the link, the language, the window it is shown in."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit
from zoneinfo import ZoneInfo

from flask import g, request
from flask_babel import refresh

from app.core.clock import now
from app.core.ids import public_id
from app.core.logs import about
from app.core.web import LANGUAGES
from app.payments import checkout
from app.payments.checkout import Opened
from hosted_pages import glance
from hosted_pages.standing import PLACE, Standing, standing


@dataclass(frozen=True)
class Visit:
    """`attempt`: the newest attempt to pay, if any. `embed`: shown in a frame. `lang`: asked for in the link."""

    token: str
    opened: Opened
    attempt: Mapping[str, Any] | None
    embed: bool
    lang: str | None

    @cached_property
    def standing(self) -> Standing:
        return standing(self.opened, self.attempt, now())

    @property
    def language(self) -> str:
        return g.language

    @property
    def today(self) -> date:
        return now().astimezone(ZoneInfo(self.opened.merchant["timezone"])).date()

    @property
    def next_attempt(self) -> int:
        return (self.attempt["attempt"] if self.attempt else 0) + 1

    def to(self, step: str = "", **parameters: str) -> str:
        """The address of a page of this checkout, in the same language and kind of window."""
        kept = {"embed": "1"} if self.embed else {}
        if self.lang:
            kept["lang"] = self.lang
        query = urlencode({**kept, **parameters})
        return f"/pay/{self.token}{step}" + (f"?{query}" if query else "")

    def here(self) -> str:
        """The page that shows how things stand."""
        return self.to(PLACE[self.standing])

    def switched(self, language: str) -> str:
        """This page in the other language."""
        kept = {name: value for name, value in request.args.items() if name != "notice"}
        return f"{request.path}?{urlencode({**kept, 'lang': language})}"

    @property
    def checkout_id(self) -> str:
        return public_id("chk", self.opened.checkout["id"])

    @property
    def payment_id(self) -> str:
        return public_id("pay", self.opened.payment["id"])

    def way_out(self) -> str | None:
        """The shop's return address, with what became of the payment."""
        address = self.opened.checkout["return_url"]
        told = {
            "checkout": self.checkout_id,
            "payment": self.payment_id,
            "status": str(self.standing),
        }
        return with_parameters(address, told) if address else None


def arrive(token: str, *, shared: bool = False, embed: bool | None = None) -> Visit:
    """The visit of this request. `shared`: a reading that others made up to 300 ms ago will do.
    `embed`: in a frame; None: as the link says.

    Raises NotFound for a wrong, changed or unknown link.
    """
    if shared:
        opened, attempt = glance.at(token)
    else:
        opened = checkout.find(token)
        attempt = checkout.latest_attempt(opened)
    asked = request.args.get("lang", "")
    lang = asked if asked in LANGUAGES else None
    use_language(lang, opened.checkout["language"], opened.shop["language"])
    framed = request.args.get("embed") == "1" if embed is None else embed
    g.visit = Visit(token, opened, attempt, framed, lang)
    about(actor="payer", payment=g.visit.payment_id)
    return g.visit


def use_language(*wanted: str | None) -> None:
    """The first of these that we speak, else what the browser asks for, else German."""
    browser = request.accept_languages.best_match(LANGUAGES)
    g.language = next((name for name in (*wanted, browser, "de") if name in LANGUAGES), "de")
    refresh()


def with_parameters(address: str, parameters: Mapping[str, str]) -> str | None:
    """The address with further query parameters; None if it is not an http(s) address."""
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        return None
    query = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] not in parameters]
    return urlunsplit(parts._replace(query=urlencode([*query, *parameters.items()])))
