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
from app.core.errors import Conflict, NotFound, Refusal
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


class KeyEnded(Conflict):
    code = "key_ended"
    message = N_("This key has ended already.")
    advice = N_("Issue a new one.")


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever calls the API: a key, its merchant and mode. `lineage`: the first of the keys rotated into it."""

    key_id: UUID
    lineage: UUID
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
        " limits, lineage"
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
    lineage: UUID | None = None,
) -> tuple[UUID, str]:
    """A new key. Returns its id and the secret, which is shown this once and never again.

    `allowed`: how much it may move; None: as much as there is. `actor`: whoever is shown the secret. `lineage`: of the
    key it follows. Raises UnknownPermission, BadLimit, UnknownCurrency.
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
            issued_by=actor,
            lineage=lineage or key_id,
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
    key_id, merchant_id, live, permissions, expires_at, revoked_at, offset, timezone, allowed, lineage = row
    if revoked_at is not None or has_ended(expires_at):
        return None
    return Caller(key_id, lineage, merchant_id, live, frozenset(permissions), limits.of_json(allowed), offset, timezone)


def rotate(connection: Connection, key_id: UUID, *, overlap: timedelta, actor: str) -> tuple[UUID, str]:
    """A second key with the same rights; the old one ends after `overlap`, or when it would have ended anyway.

    Raises NotFound, KeyEnded.
    """
    row = _live_key(connection, key_id)
    if has_ended(row.expires_at):
        raise KeyEnded()
    ends = now() + overlap if row.expires_at is None else min(row.expires_at, now() + overlap)
    connection.execute(update(ApiKey).where(ApiKey.id == key_id).values(expires_at=ends))
    _told("api_key.rotated", key_id, row.merchant_id, row.live, actor, {"ends_at": ends})
    return issue(
        connection,
        merchant_id=row.merchant_id,
        live=row.live,
        name=row.name,
        permissions=row.permissions,
        allowed=limits.of_json(row.limits),
        actor=actor,
        lineage=row.lineage,
    )


def has_ended(expires_at: datetime | None) -> bool:
    return expires_at is not None and expires_at <= now()


def seen_by(connection: Connection, key_id: UUID) -> frozenset[str]:
    """Actors who were shown the secret of this key, or of one that was rotated into it or out of it."""
    lineage = select(ApiKey.lineage).where(ApiKey.id == key_id).scalar_subquery()
    found = connection.execute(select(ApiKey.issued_by).where(ApiKey.lineage == lineage)).scalars()
    return frozenset(actor for actor in found if actor)


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
