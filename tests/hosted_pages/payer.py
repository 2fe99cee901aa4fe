"""A payer with a browser without scripts: opens pages, follows redirects, fills in forms, presses buttons."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

from flask.testing import FlaskClient

CARD = {"number": "4242 4242 4242 4242", "expiry": "12/34", "code": "123", "holder": "Erika Mustermann"}


def card(number: str, **more: str) -> dict[str, str]:
    return {**CARD, "number": number, **more}


def stands_in(digits: str, html: str) -> bool:
    """Do these digits stand in a page, by themselves? (Tokens and ids are random and may contain anything.)"""
    return re.search(rf"(?<!\w){digits}(?!\w)", html) is not None


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    text: str = ""


class Document(HTMLParser):
    """The elements of a page in order, each with the text right inside it."""

    _VOID = frozenset({"input", "meta", "link", "img", "br"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self._open: list[Element] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.elements.append(element)
        if tag not in self._VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop().tag != tag:
            pass

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data

    def all(self, tag: str, **attributes: str) -> list[Element]:
        return [
            element
            for element in self.elements
            if element.tag == tag
            and all(
                element.attributes.get(name.rstrip("_").replace("_", "-")) == value
                for name, value in attributes.items()
            )
        ]

    def one(self, tag: str, **attributes: str) -> Element:
        found = self.all(tag, **attributes)
        assert len(found) == 1, (tag, attributes, found)
        return found[0]


@dataclass
class Shown:
    """What a request led to, after all redirects."""

    status: int
    path: str
    query: str
    html: str
    headers: Any
    hops: int
    document: Document = field(init=False)

    def __post_init__(self) -> None:
        self.document = Document(self.html)

    @property
    def title(self) -> str:
        return self.document.one("title").text

    @property
    def heading(self) -> str:
        return self.document.one("h1").text

    @property
    def text(self) -> str:
        return " ".join(self.document.one("main").text.split())

    @property
    def notice(self) -> str:
        return " ".join(" ".join(element.text for element in self.document.all("div", role="alert")).split())

    def hidden(self) -> dict[str, str]:
        """The fields of the form that the payer does not see."""
        return {
            element.attributes["name"]: element.attributes.get("value", "")
            for element in self.document.all("input", type="hidden")
        }

    def error(self, name: str) -> str:
        return " ".join(self.document.one("p", id=f"f-{name}-error").text.split())


class Payer:
    """Stays on our own site: a redirect to somewhere else ends the walk and is what is shown."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def open(self, address: str, **headers: str) -> Shown:
        return self._walk(self.client.get(address, headers=headers or None), address)

    def send(self, address: str, fields: Any, **headers: str) -> Shown:
        return self._walk(self.client.post(address, data=fields, headers=headers or None), address)

    def fill_in(self, shown: Shown, fields: dict[str, str]) -> Shown:
        """Sends the form of that page with these fields."""
        action = shown.document.one("form").attributes["action"]
        return self.send(action, {**shown.hidden(), **fields})

    def press(self, shown: Shown) -> Shown:
        return self.fill_in(shown, {})

    def _walk(self, response: Any, address: str) -> Shown:
        hops = 0
        while response.status_code in (302, 303):
            hops += 1
            assert hops < 6, "a ring of redirects"
            assert "Set-Cookie" not in response.headers
            address = response.headers["Location"]
            if urlsplit(address).netloc:
                break
            response = self.client.get(address)
        parts = urlsplit(address)
        return Shown(
            response.status_code,
            address if parts.netloc else parts.path,
            parts.query,
            response.text,
            response.headers,
            hops,
        )
