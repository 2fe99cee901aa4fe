"""What a request of the back office carries: who asks, in which language, over test or live data."""

import secrets
from contextlib import ExitStack
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import date, tzinfo
from functools import cached_property
from zoneinfo import ZoneInfo

from babel import Locale
from sqlalchemy import Connection

from app.core.clock import now
from app.core.db import ALL, Scope, db
from app.staff.access import Staff

# Texts come from the language's catalogue; numbers and dates follow the locale.
LOCALES = {"de": Locale.parse("de_DE"), "en": Locale.parse("en_GB")}
LANGUAGE_NAMES = {"de": "Deutsch", "en": "English"}


@dataclass
class Here:
    """`live` is the mode whose data lists show, `scope` the merchants that whoever asks may do this for.

    `stack` is closed when the request ends.
    """

    staff: Staff | None = None
    language: str = "de"
    live: bool = False
    scope: Scope = ALL
    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(18))
    stack: ExitStack = field(default_factory=ExitStack)

    @property
    def locale(self) -> Locale:
        return LOCALES[self.language]

    @cached_property
    def zone(self) -> tzinfo:
        return ZoneInfo(self.staff.timezone if self.staff else "Europe/Berlin")

    @cached_property
    def today(self) -> date:
        return now().astimezone(self.zone).date()


_here: ContextVar[Here | None] = ContextVar("here", default=None)


def here() -> Here:
    """The present request's; only inside the back office."""
    found = _here.get()
    assert found is not None, "outside the back office"
    return found


def arrive() -> Here:
    """A request begins."""
    found = Here()
    _here.set(found)
    return found


def is_here() -> bool:
    """Whether this request is one of the back office."""
    return _here.get() is not None


def leave() -> None:
    """The request ends: its read transaction does, too."""
    found = _here.get()
    if found is not None:
        _here.set(None)
        found.stack.close()


def staff() -> Staff:
    """Who is logged in. Only behind the guard, which lets nobody else through."""
    found = here().staff
    assert found is not None
    return found


def scope() -> Scope:
    """For writes: whatever a form names, row-level security lets only this through."""
    return here().scope


def connection() -> Connection:
    """The request's read transaction. After a write or a call outside it is simply a new one."""
    return db.session().connection()
