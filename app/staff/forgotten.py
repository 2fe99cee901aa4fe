"""`ask_reset()`: somebody forgot their password and gives an address. What happens does not show whose it is."""

from datetime import timedelta

from sqlalchemy import func, select

from app.core.clock import now
from app.core.db import ALL, atomic
from app.core.events import EVENTS
from app.staff import links
from app.staff.add import USERS

_MOST_AN_HOUR = 3

# Until somebody has used their invitation, the password is one that nobody knows. (An account that never had a link got
# its password otherwise.)
_INVITED = links.LINKS.c.user_id == USERS.c.id, links.LINKS.c.purpose == "invitation"
_HAS_SET_ONE = (
    ~select(links.LINKS.c.id).where(*_INVITED).exists()
    | (USERS.c.login_count > 0)
    | select(EVENTS.c.id)
    .where(EVENTS.c.subject_type == "staff", EVENTS.c.subject_id == USERS.c.id)
    .where(EVENTS.c.name == "staff.password_changed")
    .exists()
)


def ask_reset(email: str) -> None:
    """Sends a link if the address is that of an active user who has set a password before; else nothing.

    A pending invitation stays as it is: a reset would end it, and anybody can ask for one. A person gets three mails an
    hour at most, whoever asks.
    """
    with atomic(ALL) as connection:
        user = connection.execute(
            select(USERS.c.id, USERS.c.active, _HAS_SET_ONE.label("has_set_one"))
            .where(USERS.c.email == email.strip().lower())
            .with_for_update()
        ).first()
        if user is None or not user.active or not user.has_set_one:
            return
        lately = links.LINKS.c.created_at > now() - timedelta(hours=1)
        sent = select(func.count()).where(links.LINKS.c.user_id == user.id, lately)
        if connection.execute(sent).scalar_one() < _MOST_AN_HOUR:
            links.send(connection, user.id, "reset", actor=None)
