"""What every screen shares. To add one, add a file to screens/ whose SCREEN is a subclass of Screen."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, TypeVar

from flask import flash, redirect
from flask_admin import BaseView, expose
from werkzeug.wrappers import Response as AnyResponse

from admin import menu
from admin.here import here, staff
from app.core.errors import Refusal
from app.core.problem import problem_of
from app.staff.permissions import SELF

View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Entry:
    """A screen's place in the sidebar. `counts` names a number of counts.py that is shown beside it."""

    group: str
    order: int
    label: str
    icon: str
    counts: str | None = None


class ScreenModule(Protocol):
    """The shape of a module on the shelf."""

    @property
    def SCREEN(self) -> "type[Screen]": ...


def page(
    url: str, permission: str, methods: Sequence[str] = ("GET",), *, fresh: bool = False
) -> Callable[[View], View]:
    """Decorator: this method answers at `url` below the screen's address, for staff with `permission`.

    `fresh`: whoever logged in a while ago shows once more who they are before (demands.py).
    """

    def mark(view: View) -> View:
        view.permission = permission  # type: ignore[attr-defined]  # guard.py reads it
        view.fresh = fresh  # type: ignore[attr-defined]  # and this
        return expose(url, methods)(view)

    return mark


def takes_file(largest_bytes: int) -> Callable[[View], View]:
    """Decorator below `page()`: what is sent there may be a file of that size; elsewhere MAX_CONTENT_LENGTH holds."""

    def mark(view: View) -> View:
        view.upload_bytes = largest_bytes  # type: ignore[attr-defined]  # guard.py reads it
        return view

    return mark


class Screen(BaseView):
    """`address` is the path below /admin/; `entry` None keeps a screen out of the sidebar."""

    address: ClassVar[str]
    entry: ClassVar[Entry | None] = None

    def __init__(self, *, endpoint: str, url: str) -> None:
        cls = type(self)  # the library wants a view at "/"; a screen without one begins with its first page
        cls._default_view = cls._default_view or cls._urls[0][1]  # type: ignore[attr-defined]
        super().__init__(endpoint=endpoint, url=url)

    def is_accessible(self) -> bool:
        return here().staff is not None  # what they may do was asked by the guard already

    def _run_view(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return fn(self, *args, **kwargs)  # without the library's second try after a TypeError

    @property
    def permission(self) -> str:
        """What the screen's first page takes; without it the sidebar does not show it."""
        return getattr(type(self), self._default_view).permission  # type: ignore[attr-defined]

    @property
    def root(self) -> str:
        """Where it begins, in either mode; the start page where there is nothing, or nothing that one may see."""
        first: str | None = next((name for url, name, *_more in self._urls if url == "/"), None)  # type: ignore[attr-defined]
        needed = getattr(type(self), first).permission if first else None
        may = needed is not None and (needed == SELF or staff().may(needed))
        return f"{self.url.rstrip('/')}/" if may and self.url else "/admin/"

    def show(self, template: str, *, title: str, **values: Any) -> str:
        """Renders `templates/office/<template>.html` inside the frame."""
        return self.render(f"office/{template}.html", title=title, menu=menu.built(self), **values)


def go(url: str) -> AnyResponse:
    """To a page that shows what was done (303: a reload does not send the form again)."""
    return redirect(url, code=303)


def say(text: str, tone: str = "good") -> None:
    """A message on the next page. `tone`: good, wait or bad."""
    flash(text, tone)


def say_refused(refusal: Refusal) -> None:
    say(said(refusal), "bad")


def said(refusal: Refusal) -> str:
    """What was refused and what to do, in words."""
    problem = problem_of(refusal)
    return " ".join(part for part in (problem.said(), problem.advised()) if part)


def actor() -> str:
    return staff().actor
