"""What somebody typed into a form before being asked who they are: kept sealed for minutes, never a secret of theirs.

Without Redis it is lost, and so is typed again.
"""

import re
import secrets
from uuid import UUID

import redis
from werkzeug.datastructures import MultiDict

from app.core import vault
from app.core.card_numbers import holds_card_number
from app.core.queue import connection as redis_connection

_SECONDS = 900
_LARGEST = 50_000
_NEVER = re.compile("pass|secret|token|nonce|code|key|pin|credential|cvc|iban", re.IGNORECASE)


def keep(form: MultiDict[str, str], user_id: UUID) -> str | None:
    """Returns the name under which typed() finds it."""
    fields = form.items(multi=True)
    pairs = [(name, value) for name, value in fields if not (_NEVER.search(name) or holds_card_number(value))]
    sealed = vault.seal_json(pairs, _context(user_id))
    if not pairs or len(sealed) > _LARGEST:
        return None
    name = secrets.token_urlsafe(16)
    try:
        redis_connection().set(_key(name), sealed, ex=_SECONDS)
    except redis.RedisError:
        return None
    return name


def typed(name: str, user_id: UUID) -> MultiDict[str, str] | None:
    """Once: it is forgotten with that."""
    try:
        sealed = redis_connection().getdel(_key(name[:40]))
        return MultiDict(vault.unseal_json(sealed, _context(user_id))) if sealed else None  # type: ignore[arg-type]
    except (redis.RedisError, vault.CannotOpen):
        return None


def _key(name: str) -> str:
    return f"zahlwerk:typed:{name}"


def _context(user_id: UUID) -> str:
    return f"typed {user_id}"
