"""Members of the staff for tests of this room, and what was told and written to them."""

from typing import Any
from uuid import UUID

from passlib.totp import TOTP
from sqlalchemy import select, text

from app.core import vault
from app.core.clock import now
from app.core.db import ALL, atomic, reading
from app.core.ids import uuid7
from app.messages.mail import CONTEXT
from app.staff import authenticator
from app.staff.add import USERS, add_user
from app.staff.grant import Given

PASSWORD = "ein-langes-passwort"


def somebody(role: str | Given = "support", **more: Any) -> UUID:
    with atomic(ALL) as connection:
        email = more.pop("email", f"{uuid7().hex[-12:]}@example.com")
        return add_user(connection, email=email, password=PASSWORD, roles=[role], actor="test", **more)


def row(user_id: UUID) -> Any:
    with reading(ALL) as connection:
        return connection.execute(select(USERS).where(USERS.c.id == user_id)).mappings().one()


def told(user_id: UUID) -> list[str]:
    with reading(ALL) as connection:
        query = text("SELECT name FROM events WHERE subject_id = :id ORDER BY id")
        return list(connection.execute(query, {"id": user_id}).scalars())


def letters(email: str) -> list[tuple[str, dict[str, Any]]]:
    """(letter, its facts) of the mails to an address, the oldest first."""
    with reading(ALL) as connection:
        rows = connection.execute(text("SELECT name, sealed FROM mails WHERE sealed IS NOT NULL ORDER BY id")).all()
    opened = [(one.name, vault.unseal_json(one.sealed, CONTEXT)) for one in rows]
    return [(name, content["facts"]) for name, content in opened if content["to"] == email]


def app_of(user_id: UUID) -> str:
    """Sets up an authenticator app for somebody and returns its secret; its present code is spent."""
    secret = authenticator.new_secret()
    with atomic(ALL) as connection:
        authenticator.set_up(connection, user_id, secret, code(secret))
    return secret


def code(secret: str, steps: int = 0) -> str:
    """What an app shows now, or that many half minutes later."""
    shown = TOTP(key=secret).generate(time=now().timestamp() + 30 * steps)
    return str(shown.token)
