"""Who did it, in words: `staff:usr_…`, `key:key_…`, `payer`, `provider:…`, `job:…` -> a name."""

from collections.abc import Iterable
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import text

from admin.here import connection
from app.connectors import CONNECTORS
from app.core.errors import NotFound
from app.core.fast import Statement
from app.core.ids import parse_id
from app.staff.lock import NOBODY


def names(actors: Iterable[str]) -> dict[str, str]:
    """Every actor with a name. At most one query for staff and one for API keys."""
    wanted = set(actors)
    staff = _looked_up(wanted, "staff", "usr", _STAFF)
    keyed = _looked_up(wanted, "key", "key", _KEYS)
    return {actor: _name(actor, staff, keyed) for actor in wanted}


_STAFF = Statement(text("SELECT id, coalesce(nullif(name, ''), email) FROM staff_users WHERE id = ANY (:ids)"))
_KEYS = Statement(text("SELECT id, name FROM api_keys WHERE id = ANY (:ids)"))


def _looked_up(actors: set[str], kind: str, prefix: str, query: Statement) -> dict[str, str]:
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
    return {ids[id]: name for id, name in query.rows(connection(), {"ids": list(ids)})}


def _name(actor: str, staff: dict[str, str], keys: dict[str, str]) -> str:
    kind, _colon, name = actor.partition(":")
    if actor == NOBODY:
        return _("somebody unknown")
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
