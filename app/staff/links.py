"""Links sent by mail that set a password once: an invitation (72 hours) or a reset (30 minutes).

The address is signed and names a row; the row says whether it still works. A newer link ends the older ones.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, insert, select, update

from app.config import settings
from app.core import vault
from app.core.clock import now
from app.core.db import table_of
from app.core.errors import NotFound, Refusal
from app.core.ids import parse_id, public_id, uuid7
from app.core.texts import N_
from app.staff.add import USERS
from app.staff.change import set_password
from app.staff.login_models import StaffLink
from app.staff.telling import tell_of

LINKS = table_of(StaffLink)
LASTS = {"invitation": timedelta(hours=72), "reset": timedelta(minutes=30)}
_PATHS = {"invitation": "invite", "reset": "reset"}
_TOLD = {"invitation": "staff.invited", "reset": "staff.reset_asked"}


class LinkEnded(Refusal):
    status = 410
    code = "link_ended"
    message = N_("This link does not work any more.")
    advice = N_("It works once and for a limited time, and a newer one ends it. Ask for a new one.")


@dataclass(frozen=True, slots=True)
class Link:
    id: UUID
    purpose: str
    user_id: UUID
    email: str
    name: str | None
    language: str
    expires_at: datetime


def send(connection: Connection, user_id: UUID, purpose: str, *, actor: str | None) -> UUID:
    """Makes a link; the mail with it follows from the event. `actor` None: the user themselves asked."""
    at, link_id = now(), uuid7()
    _end_all(connection, user_id)
    connection.execute(
        insert(LINKS).values(
            id=link_id, user_id=user_id, purpose=purpose, created_at=at, expires_at=at + LASTS[purpose]
        )
    )
    tell_of(_TOLD[purpose], user_id, actor=actor, data={"link": public_id("lnk", link_id)})
    return link_id


def address(link: Mapping[str, object]) -> str:
    """Where the mail leads: `https://…/admin/invite/lnk_….<signature>`."""
    assert isinstance(link["id"], UUID)
    path = _PATHS[str(link["purpose"])]
    return f"{settings().public_url}/admin/{path}/{token(link['id'], str(link['purpose']))}"


def token(link_id: UUID, purpose: str) -> str:
    return f"{public_id('lnk', link_id)}.{vault.page_signature('staff link', str(link_id), purpose)}"


def read(connection: Connection, given: str, purpose: str, *, lock: bool = False) -> Link:
    """Raises LinkEnded for whatever does not work (any more)."""
    public, _dot, signature = given.partition(".")
    try:
        link_id = parse_id("lnk", public)
    except NotFound:
        raise LinkEnded() from None
    expected = vault.page_signature("staff link", str(link_id), purpose)
    if not secrets.compare_digest(signature.encode(), expected.encode()):
        raise LinkEnded()
    query = (
        select(LINKS, USERS.c.email, USERS.c.name, USERS.c.language)
        .join(USERS, USERS.c.id == LINKS.c.user_id)
        .where(LINKS.c.id == link_id, LINKS.c.purpose == purpose, LINKS.c.used_at.is_(None), USERS.c.active)
        .where(LINKS.c.expires_at > now())
    )
    row = connection.execute(query.with_for_update(of=LINKS) if lock else query).first()
    if row is None:
        raise LinkEnded()
    return Link(row.id, row.purpose, row.user_id, row.email, row.name, row.language, row.expires_at)


def set_password_by(connection: Connection, given: str, purpose: str, password: str) -> Link:
    """Spends the link: the password is new, every session has ended.

    Raises LinkEnded, WeakPassword, CommonPassword.
    """
    link = read(connection, given, purpose, lock=True)
    set_password(connection, link.user_id, password, actor=f"staff:{public_id('usr', link.user_id)}")
    _end_all(connection, link.user_id)
    if purpose == "invitation":
        tell_of("staff.invitation_accepted", link.user_id)
    return link


def _end_all(connection: Connection, user_id: UUID) -> None:
    connection.execute(update(LINKS).where(LINKS.c.user_id == user_id, LINKS.c.used_at.is_(None)).values(used_at=now()))
