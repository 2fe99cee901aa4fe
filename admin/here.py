"""What a request of the back office carries: who asks, in which language, over test or live data."""

import secrets
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import tzinfo
from zoneinfo import ZoneInfo

from babel import Locale
from flask import g
from sqlalchemy import Connection

from app.core.db import db
from app.staff.access import Staff

# Texts come from the language's catalogue; numbers and dates follow the locale.
LOCALES = {"de": Locale.parse("de_DE"), "en": Locale.parse("en_GB")}
LANGUAGE_NAMES = {"de": "Deutsch", "en": "English"}


@dataclass
class Here:
    """`live` is the mode whose data lists show. `stack` is closed when the request ends."""

    staff: Staff | None = None
    language: str = "de"
    live: bool = False
    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(18))
    stack: ExitStack = field(default_factory=ExitStack)

    @property
    def locale(self) -> Locale:
        return LOCALES[self.language]

    @property
    def zone(self) -> tzinfo:
        return ZoneInfo(self.staff.timezone if self.staff else "Europe/Berlin")


def here() -> Here:
    """The present request's; only inside the back office."""
    return g.office


def staff() -> Staff:
    """Who is logged in. Only behind the guard, which lets nobody else through."""
    found = here().staff
    assert found is not None
    return found


def connection() -> Connection:
    """The request's read transaction. After a write or a call outside it is simply a new one."""
    return db.session().connection()
