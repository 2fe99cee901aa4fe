"""`invite()`: a new user, who gets a link by mail and sets the password with it."""

import secrets
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from app.core.errors import Conflict, NotFound
from app.core.texts import N_
from app.staff import links
from app.staff.add import USERS, add_user


class AccountOff(Conflict):
    code = "account_off"
    message = N_("This account is deactivated.")
    advice = N_("Activate it first.")


def invite(connection: Connection, *, email: str, roles: Sequence[Any], actor: str, **more: Any) -> UUID:
    """As add_user(), with a password that nobody knows. Returns the user's id."""
    nobody_knows = secrets.token_urlsafe(30)
    user_id = add_user(connection, email=email, password=nobody_knows, roles=roles, actor=actor, invited=True, **more)
    links.send(connection, user_id, "invitation", actor=actor)
    return user_id


def send_again(connection: Connection, user_id: UUID, purpose: str, *, actor: str) -> None:
    """A new invitation or a link for a new password, by an administrator. Raises NotFound, AccountOff."""
    user = connection.execute(select(USERS.c.active).where(USERS.c.id == user_id).with_for_update()).first()
    if user is None:
        raise NotFound()
    if not user.active:
        raise AccountOff()
    links.send(connection, user_id, purpose, actor=actor)
