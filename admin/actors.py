"""Who did it, in words: `staff:usr_…`, `key:key_…`, `payer`, `provider:…`, `job:…` -> a name."""

from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import select

from admin.here import connection
from app.connectors import CONNECTORS
from app.core.db import table_of
from app.core.errors import NotFound
from app.core.ids import parse_id
from app.merchants.models import ApiKey
from app.staff.add import USERS


def names(actors: Iterable[str]) -> dict[str, str]:
    """Every actor with a name. At most one query for staff and one for API keys."""
    wanted = set(actors)
    keys = table_of(ApiKey)
    staff = _looked_up(
        wanted, "staff", "usr", lambda ids: select(USERS.c.id, USERS.c.name, USERS.c.email).where(USERS.c.id.in_(ids))
    )
    keyed = _looked_up(wanted, "key", "key", lambda ids: select(keys.c.id, keys.c.name).where(keys.c.id.in_(ids)))
    return {actor: _name(actor, staff, keyed) for actor in wanted}


def _looked_up(actors: set[str], kind: str, prefix: str, query: Callable[[list[UUID]], Any]) -> dict[str, str]:
    ids: dict[UUID, str] = {}
    for actor in actors:
        head, _colon, text = actor.partition(":")
        try:
            if head == kind:
                ids[parse_id(prefix, text)] = actor
        except NotFound:
            continue  # from another time or by hand
    if not ids:
        return {}
    rows = connection().execute(query(list(ids))).mappings().all()
    return {ids[row["id"]]: row["name"] or row.get("email") or "" for row in rows}


def _name(actor: str, staff: dict[str, str], keys: dict[str, str]) -> str:
    kind, _colon, name = actor.partition(":")
    if kind == "staff":
        return staff.get(actor) or (name if "@" in name else _("a former user"))
    if kind == "key":
        return _("API key %(name)s", name=keys[actor]) if actor in keys else _("API key")
    if kind == "payer":
        return _("the payer")
    if kind == "provider":
        return CONNECTORS[name].LABEL if name in CONNECTORS else name
    if kind == "job":
        return _("automatic (%(job)s)", job=name)
    if kind == "cli":
        return _("command line")
    return actor
