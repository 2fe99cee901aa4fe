"""Secret API keys: shown once, stored as a keyed hash, with permissions and an end."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, insert, select, text, update

from app.core import limits, vault
from app.core.clock import now
from app.core.db import atomic, of, single
from app.core.errors import NotFound, Refusal
from app.core.events import tell
from app.core.fast import Statement
from app.core.ids import public_id, uuid7
from app.core.limits import Limits
from app.core.texts import N_
from app.merchants.models import ApiKey

PERMISSIONS = (
    *("payment.read", "payment.create", "payment.capture", "payment.refund", "payment.cancel"),
    *("checkout.create", "customer.read", "customer.write", "instrument.write"),
    *("dispute.read", "dispute.evidence", "event.read", "webhook.read", "webhook.write"),
)


class UnknownPermission(Refusal):
    code = "unknown_permission"
    message = N_("There is no permission %(permission)s.")


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever calls the API: a key, its merchant and mode."""

    key_id: UUID
    merchant_id: UUID
    live: bool
    permissions: frozenset[str]
    limits: Limits
    clock_offset_seconds: int
    timezone: str


# A function of the database's owner: it answers for this one key and shows nothing else, without a scope.
_AUTHENTICATE = Statement(
    text(
        "SELECT id, merchant_id, live, permissions, expires_at, revoked_at, clock_offset_seconds, timezone,"
        " limits"
        " FROM authenticate_key(:digest)"
    )
)


def issue(
    connection: Connection,
    *,
    merchant_id: UUID,
    live: bool,
    name: str,
    permissions: Sequence[str] = PERMISSIONS,
    allowed: Limits | None = None,
    actor: str,
) -> tuple[UUID, str]:
    """A new key. Returns its id and the secret, which is shown this once and never again.

    `allowed`: how much it may move; None: as much as there is. Raises UnknownPermission, BadLimit, UnknownCurrency.
    """
    for permission in permissions:
        if permission not in PERMISSIONS:
            raise UnknownPermission(permission=permission, param="permissions")
    limits.check(allowed or {})
    stored = limits.to_json(allowed or {})
    secret = f"sk_{'live' if live else 'test'}_{secrets.token_urlsafe(32).replace('-', 'a').replace('_', 'b')}"
    key_id = uuid7()
    connection.execute(
        insert(ApiKey).values(
            id=key_id,
            merchant_id=merchant_id,
            live=live,
            name=name,
            digest=_digest(secret),
            hint=secret[-4:],
            permissions=list(permissions),
            limits=stored,
            created_at=now(),
        )
    )
    _told(
        "api_key.issued",
        key_id,
        merchant_id,
        live,
        actor,
        {"name": name, "permissions": list(permissions), "limits": stored},
    )
    return key_id, secret


def authenticate(secret: str) -> Caller | None:
    """The caller a secret belongs to, or None: unknown, revoked and expired keys all look the same."""
    with single() as connection:
        row = _AUTHENTICATE.row(connection, {"digest": _digest(secret)})
    if row is None:
        return None
    key_id, merchant_id, live, permissions, expires_at, revoked_at, offset, timezone, allowed = row
    if revoked_at is not None or (expires_at is not None and expires_at <= now()):
        return None
    return Caller(key_id, merchant_id, live, frozenset(permissions), limits.of_json(allowed), offset, timezone)


def rotate(merchant_id: UUID, live: bool, key_id: UUID, *, overlap: timedelta, actor: str) -> tuple[UUID, str]:
    """A second key with the same rights; the old one ends after `overlap`. Raises NotFound."""
    with atomic(of(merchant_id, live)) as connection:
        row = _live_key(connection, key_id)
        ends = now() + overlap
        connection.execute(update(ApiKey).where(ApiKey.id == key_id).values(expires_at=ends))
        _told("api_key.rotated", key_id, merchant_id, live, actor, {"ends_at": ends})
        return issue(
            connection,
            merchant_id=merchant_id,
            live=live,
            name=row.name,
            permissions=row.permissions,
            allowed=limits.of_json(row.limits),
            actor=actor,
        )


def revoke(merchant_id: UUID, live: bool, key_id: UUID, *, actor: str) -> datetime:
    """Ends a key at once. Raises NotFound."""
    with atomic(of(merchant_id, live)) as connection:
        _live_key(connection, key_id)
        at = now()
        connection.execute(update(ApiKey).where(ApiKey.id == key_id).values(revoked_at=at))
        _told("api_key.revoked", key_id, merchant_id, live, actor, {})
        return at


def _live_key(connection: Connection, key_id: UUID):  # a Row of api_keys
    row = connection.execute(
        select(ApiKey.__table__).where(ApiKey.id == key_id, ApiKey.revoked_at.is_(None)).with_for_update()
    ).first()
    if row is None:
        raise NotFound()
    return row


def _told(name: str, key_id: UUID, merchant_id: UUID, live: bool, actor: str, data: dict[str, object]) -> None:
    tell(
        name,
        subject=("api_key", key_id),
        merchant_id=merchant_id,
        live=live,
        audience="staff",
        data={"api_key": public_id("key", key_id), **data},
        actor=actor,
    )


def _digest(secret: str) -> bytes:
    return vault.blind_index(secret, "api_key")
