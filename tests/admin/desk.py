"""A member of staff at their desk: opens pages of the back office, reads them, fills in forms and sends them."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from app.core.db import ALL, atomic
from app.staff.add import add_user

PASSWORD = "ein-langes-passwort"


@dataclass
class Form:
    """One form of a page: `fields` are what a browser would send without a change, buttons aside."""

    action: str
    method: str
    fields: dict[str, Any] = field(default_factory=dict)
    button: str = ""


@dataclass
class Page:
    """An answer, read as a person would."""

    status: int
    path: str
    html: str
    headers: Any
    forms: list[Form]
    notes: list[str]
    errors: list[str]
    text: str
    title: str

    def form(self, *names: str) -> Form:
        """The first form that has all these fields."""
        for one in self.forms:
            if set(names) <= set(one.fields):
                return one
        raise AssertionError(f"no form with {names} at {self.path}: {[sorted(one.fields) for one in self.forms]}")

    @property
    def own_form(self) -> Form:
        """The form that is sent to the page's own address."""
        return next(one for one in self.forms if one.action == "" and one.method == "POST")

    def form_to(self, end: str) -> Form:
        """The first form whose action ends like this."""
        for one in self.forms:
            if one.action.endswith(end):
                return one
        raise AssertionError(f"no form to {end} at {self.path}: {[one.action for one in self.forms]}")


class Desk:
    """`language` is that of the user, so what is read can be compared with texts."""

    def __init__(self, client: Any) -> None:
        self.client = client

    def open(self, path: str) -> Page:
        """GET, following redirects."""
        return _read(self.client.get(path, follow_redirects=True))

    def ask(self, path: str, method: str = "GET", **more: Any) -> Any:
        """The bare answer, without following redirects."""
        return self.client.open(path, method=method, **more)

    def send(self, page: Page, form: Form, **changes: Any) -> Page:
        """Sends a form with some fields changed (None: left out), following redirects."""
        fields = {**form.fields, **changes}
        data = {name: value for name, value in fields.items() if value is not None}
        action = form.action or page.path
        uploads = any(isinstance(value, tuple) for value in data.values())
        answer = self.client.open(
            action,
            method=form.method,
            data=data,
            follow_redirects=True,
            content_type="multipart/form-data" if uploads else None,
        )
        return _read(answer)

    def log_in(self, email: str, password: str = PASSWORD, **more: Any) -> Page:
        page = self.open("/admin/login")
        return self.send(page, page.form("email", "password"), email=email, password=password, **more)


def user(role: str, *, email: str | None = None, name: str = "", language: str = "en") -> str:
    """Adds a user with that role and returns their address. Needs an application context."""
    address = email or f"{role}@example.com"
    with atomic(ALL) as connection:
        add_user(
            connection,
            email=address,
            password=PASSWORD,
            roles=[role],
            name=name or role.title(),
            language=language,
            actor="test",
        )
    return address


def _read(answer: Any) -> Page:
    html = answer.get_data(as_text=True)
    reader = _Reader()
    reader.feed(html)
    return Page(
        status=answer.status_code,
        path=answer.request.path + (f"?{answer.request.query_string.decode()}" if answer.request.query_string else ""),
        html=html,
        headers=answer.headers,
        forms=reader.forms,
        notes=reader.parts["note"],
        errors=reader.parts["error"],
        text=re.sub(r"\s+", " ", " ".join(reader.words)).replace("\xa0", " "),
        title=reader.title,
    )


class _Reader(HTMLParser):
    """Collects forms, messages and the visible text."""

    VOID = frozenset({"input", "br", "img", "meta", "link", "use", "rect"})

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.words: list[str] = []
        self.title = ""
        self.parts: dict[str, list[str]] = {"note": [], "error": []}
        self._open: list[tuple[str, str | None]] = []  # tags, and which part they began
        self._select: tuple[str, bool] | None = None
        self._area = ""
        self._in_form = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        classes = given.get("class", "").split()
        part = next((name for name in self.parts if name in classes and tag in ("div", "p")), None)
        if part:
            self.parts[part].append("")
        if tag not in self.VOID:
            self._open.append((tag, part))
        if tag == "form":
            self.forms.append(Form(given.get("action", ""), given.get("method", "get").upper()))
            self._in_form = True
        elif self._in_form:
            self._field(tag, given)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.handle_endtag(tag)

    def _field(self, tag: str, given: dict[str, str]) -> None:
        form, name = self.forms[-1], given.get("name", "")
        if tag == "input" and name:
            if given.get("type") in ("checkbox", "radio"):
                if "checked" in given:
                    form.fields.setdefault(name, []).append(given.get("value", "y"))
            elif given.get("type") != "file":
                form.fields[name] = given.get("value", "")
        elif tag == "select":
            form.fields[name] = ""
            self._select = (name, False)
        elif tag == "option" and self._select is not None:
            select, chosen = self._select
            if "selected" in given or (not chosen and not form.fields[select]):
                form.fields[select] = given.get("value", "")
                self._select = (select, "selected" in given)
        elif tag == "textarea":
            form.fields[name] = ""
            self._area = name
        elif tag == "button" and name:
            form.button = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._in_form = False
        if tag == "select":
            self._select = None
        if tag == "textarea":
            self._area = ""
        while self._open:
            opened, _part = self._open.pop()
            if opened == tag:
                break

    def handle_data(self, data: str) -> None:
        tags = [tag for tag, _part in self._open]
        if "script" in tags or "style" in tags:
            return
        if "title" in tags and "svg" not in tags:
            self.title += data.strip()
            return
        if self._area:
            self.forms[-1].fields[self._area] += data.lstrip("\r\n")
            return
        self.words.append(data)
        for _tag, part in self._open:
            if part:
                self.parts[part][-1] = (
                    re.sub(r"\s+", " ", f"{self.parts[part][-1]} {data}").replace("\xa0", " ").strip()
                )
