"""A request does not outlive the rights of whoever made it."""

from uuid import UUID

from sqlalchemy import Connection, func, or_, select

from app.approvals.actions import ACTIONS
from app.approvals.approvers import key_of, moved
from app.approvals.kinds import Request
from app.core.clock import now
from app.core.db import table_of
from app.core.errors import NotFound
from app.core.ids import parse_id
from app.merchants.models import ApiKey
from app.staff.snapshot import snapshot

KEYS = table_of(ApiKey)
# What a key is called to hold where staff hold the permission beside it.
_OF_KEYS = {"endpoint.write": "webhook.write"}


def still_may(connection: Connection, request: Request) -> bool:
    """Whether whoever asked is still there and might ask again. Jobs and the command line always might."""
    needed = {ACTIONS[request["action"]].PERMISSION, *(permission for permission, _amount in moved(request))}
    kind, _, public = request["maker"].partition(":")
    if kind == "staff":
        return _staff_may(connection, public, needed, request["merchant_id"])
    key_id = key_of(request["maker"])
    return key_id is None or _key_may(connection, key_id, needed)


def _staff_may(connection: Connection, public: str, needed: set[str], merchant_id: UUID | None) -> bool:
    try:
        maker = snapshot(connection, parse_id("usr", public))
    except NotFound:
        return False
    if maker is None:
        return False
    if merchant_id is None:
        return all(maker.scope(one).merchants is None for one in needed)
    return all(maker.may(one, merchant_id) for one in needed)


def _key_may(connection: Connection, key_id: UUID, needed: set[str]) -> bool:
    """One that it was rotated into speaks for it."""
    lineage = select(KEYS.c.lineage).where(KEYS.c.id == key_id).scalar_subquery()
    wanted = [_OF_KEYS.get(one, one) for one in needed]
    living = select(func.count()).where(
        KEYS.c.lineage == lineage,
        KEYS.c.revoked_at.is_(None),
        or_(KEYS.c.expires_at.is_(None), KEYS.c.expires_at > now()),
        KEYS.c.permissions.contains(wanted),
    )
    return connection.execute(living).scalar_one() > 0
