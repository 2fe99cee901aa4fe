"""`ask_reset()`: somebody forgot their password and gives an address. What happens does not show whose it is."""

from datetime import timedelta

from sqlalchemy import func, select

from app.core.clock import now
from app.core.db import ALL, atomic
from app.staff import links
from app.staff.add import USERS

_MOST_AN_HOUR = 3


def ask_reset(email: str) -> None:
    """Sends a link if the address is that of an active user who has set a password before; else nothing.

    A person gets three mails an hour at most, whoever asks.
    """
    with atomic(ALL) as connection:
        user = connection.execute(
            select(USERS.c.id, USERS.c.active).where(USERS.c.email == email.strip().lower()).with_for_update()
        ).first()
        if user is None or not user.active:
            return
        lately = links.LINKS.c.created_at > now() - timedelta(hours=1)
        sent = select(func.count()).where(links.LINKS.c.user_id == user.id, lately)
        if connection.execute(sent).scalar_one() < _MOST_AN_HOUR:
            links.send(connection, user.id, "reset", actor=None)
