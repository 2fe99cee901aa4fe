"""The name `office` in templates: formats, addresses and facts about the request."""

from typing import Any

from flask import request, url_for
from flask_babel import gettext as _

from admin import assets, formats, here
from app.staff.roles import ROLES


def url(screen: str, **values: Any) -> str:
    """`payments.detail` -> the address of that page (endpoints of screens carry the prefix `office_`)."""
    return url_for(f"office_{screen}", **values)


def place() -> str:
    """Where the user is, for forms that come back here. Only addresses that can be asked for again."""
    return request.full_path.rstrip("?") if request.method == "GET" else request.path


def languages() -> list[tuple[str, str]]:
    return list(here.LANGUAGE_NAMES.items())


def language_name(code: str) -> str:
    return here.LANGUAGE_NAMES[code]


def initials(name: str) -> str:
    words = [word for word in name.replace("@", " ").replace(".", " ").split() if word[0].isalnum()]
    return "".join(word[0] for word in words[:2]).upper() or "?"


def role_names(roles: tuple[str, ...]) -> str:
    return ", ".join(_(ROLES[name].label) if name in ROLES else name for name in roles)


class Office:
    """Looks names up in formats, here, assets and this module, once each: a page asks hundreds of times."""

    def __getattr__(self, name: str) -> Any:
        for module in (formats, here, assets):
            if hasattr(module, name):
                found = getattr(module, name)
                break
        else:
            found = globals().get(name)
            if found is None or name.startswith("_"):
                raise AttributeError(name)
        setattr(self, name, found)
        return found


OFFICE = Office()
