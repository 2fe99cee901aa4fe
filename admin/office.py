"""The name `office` in templates: formats, addresses and facts about the request."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from flask import request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from admin import assets, formats, here, limit_fields, personal, roles_known
from app.core import limits


def url(screen: str, **values: Any) -> str:
    """`payments.detail` -> the address of that page (endpoints of screens carry the prefix `office_`)."""
    return url_for(f"office_{screen}", **values)


def place() -> str:
    """Where the user is, for forms that come back here. Only addresses that can be asked for again."""
    return request.full_path.rstrip("?") if request.method == "GET" else request.path


def second_factors(access: Any) -> str:
    """What somebody has, in words (access_shown.Access)."""
    found = [_("Authenticator app")] if access.app else []
    if access.passkeys:
        found.append(ngettext("%(num)s passkey", "%(num)s passkeys", access.passkeys))
    return ", ".join(found) or _("not set up")


def languages() -> list[tuple[str, str]]:
    return list(here.LANGUAGE_NAMES.items())


def language_name(code: str) -> str:
    return here.LANGUAGE_NAMES[code]


def initials(name: str) -> str:
    words = [word for word in name.replace("@", " ").replace(".", " ").split() if word[0].isalnum()]
    return "".join(word[0] for word in words[:2]).upper() or "?"


def role_name(role: str) -> str:
    return roles_known.name_of(role)


def role_names(roles: tuple[str, ...]) -> str:
    return ", ".join(role_name(name) for name in roles)


def limit_sentences(stored: Mapping[str, Any]) -> list[str]:
    """Of limits as they are stored."""
    return limit_fields.sentences(limits.of_json(stored))


def listed(ids: Iterable[UUID], names: Mapping[UUID, str]) -> str:
    """Names in the order of the alphabet; what has no name (any more) shows its id."""
    return ", ".join(sorted(names.get(one, str(one)) for one in ids))


class Office:
    """Looks names up in formats, here, assets and this module, once each: a page asks hundreds of times."""

    def __getattr__(self, name: str) -> Any:
        for module in (formats, here, assets, personal):
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
