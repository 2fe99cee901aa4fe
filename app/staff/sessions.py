"""Sessions: one row per log-in, so that each can be seen and ended. The cookie only names it.

A session ends by logging out, by being ended in a list, when the user's fs_uniquifier is renewed (new
password, deactivation), after IDLE_LOG_IN_MINUTES without a click, and `LASTS` after the log-in whatever happens.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Connection, RowMapping, insert, select, update

from app.config import settings
from app.core.clock import now
from app.core.db import ALL, atomic, table_of
from app.core.errors import NotFound
from app.core.ids import uuid7
from app.staff.add import USERS
from app.staff.login_models import StaffSession
from app.staff.telling import tell_of

SESSIONS = table_of(StaffSession)
LASTS = timedelta(hours=12)  # since the log-in
SEEN_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Device:
    """What a log-in comes from. `id` is the browser's own, from a cookie that outlives its sessions."""

    id: UUID
    name: str
    ip_address: str | None


@dataclass(frozen=True, slots=True)
class LogIn:
    """The session of the present request. `needs_second_factor`: one of the user's roles asks for it."""

    session_id: UUID
    confirmed_at: datetime
    seen_at: datetime
    has_second_factor: bool
    needs_second_factor: bool

    @property
    def must_set_up(self) -> bool:
        return self.needs_second_factor and not self.has_second_factor


def begin(user_id: UUID, device: Device, how: Sequence[str]) -> UUID:
    """A complete log-in: forgets the failures before it and opens a session. Returns its id."""
    session_id, at = uuid7(), now()
    with atomic(ALL) as connection:
        login = connection.execute(
            update(USERS)
            .where(USERS.c.id == user_id)
            .values(failed_logins=0, locked_until=None)
            .returning(USERS.c.fs_uniquifier)
        ).scalar_one()
        known = connection.execute(select(SESSIONS.c.device_id).where(SESSIONS.c.user_id == user_id).distinct())
        devices = set(known.scalars())
        connection.execute(
            insert(SESSIONS).values(
                id=session_id,
                user_id=user_id,
                login=login,
                device_id=device.id,
                device=device.name,
                ip_address=device.ip_address,
                how=list(how),
                started_at=at,
                confirmed_at=at,
                seen_at=at,
            )
        )
        # Nobody needs a mail about the very first log-in.
        is_new = bool(devices) and device.id not in devices
        tell_of("staff.logged_in", user_id, data={"how": list(how), "new_device": is_new})
    return session_id


def seen(session_id: UUID, ip_address: str | None) -> None:
    """Somebody clicked; written at most once a minute."""
    with atomic(ALL) as connection:
        connection.execute(
            update(SESSIONS).where(SESSIONS.c.id == session_id).values(seen_at=now(), ip_address=ip_address)
        )


def confirm(user_id: UUID, session_id: UUID, how: str) -> None:
    """The user has shown again who they are; that also forgets failures before it."""
    with atomic(ALL) as connection:
        connection.execute(update(SESSIONS).where(SESSIONS.c.id == session_id).values(confirmed_at=now()))
        connection.execute(update(USERS).where(USERS.c.id == user_id).values(failed_logins=0, locked_until=None))
        tell_of("staff.confirmed", user_id, data={"how": how})


def carry_on(connection: Connection, user_id: UUID, session_id: UUID) -> str:
    """After a new password this one session stays. Returns what its cookie must hold from now on."""
    login = connection.execute(select(USERS.c.fs_uniquifier).where(USERS.c.id == user_id)).scalar_one()
    connection.execute(
        update(SESSIONS).where(SESSIONS.c.id == session_id).values(login=login, confirmed_at=now(), seen_at=now())
    )
    return login


def log_out(user_id: UUID, session_id: UUID) -> None:
    with atomic(ALL) as connection:
        if _end(connection, user_id, SESSIONS.c.id == session_id):
            tell_of("staff.logged_out", user_id)


def end(connection: Connection, user_id: UUID, session_id: UUID, *, actor: str) -> None:
    """Raises NotFound when the user has no such session."""
    if not _end(connection, user_id, SESSIONS.c.id == session_id):
        raise NotFound()
    tell_of("staff.session_ended", user_id, actor=actor, data={"sessions": 1})


def end_others(connection: Connection, user_id: UUID, keep: UUID, *, actor: str) -> int:
    """Returns how many ended."""
    ended = _end(connection, user_id, SESSIONS.c.id != keep)
    if ended:
        tell_of("staff.session_ended", user_id, actor=actor, data={"sessions": ended})
    return ended


def end_all(connection: Connection, user_id: UUID, *, actor: str) -> int:
    """Every session, and every log-in that is half done. Returns how many sessions ended."""
    connection.execute(update(USERS).where(USERS.c.id == user_id).values(fs_uniquifier=uuid4().hex))
    ended = _end(connection, user_id)
    tell_of("staff.session_ended", user_id, actor=actor, data={"sessions": ended})
    return ended


def listed(connection: Connection, user_id: UUID) -> Sequence[RowMapping]:
    """The sessions that live, the last seen first."""
    query = (
        select(SESSIONS)
        .join(USERS, (USERS.c.id == SESSIONS.c.user_id) & (USERS.c.fs_uniquifier == SESSIONS.c.login))
        .where(SESSIONS.c.user_id == user_id, *alive())
        .order_by(SESSIONS.c.seen_at.desc())
        .limit(50)
    )
    return connection.execute(query).mappings().all()


def alive() -> tuple[ColumnElement[bool], ...]:
    """Conditions on a session, beside that its user still has the `login` it began with."""
    at, idle = now(), timedelta(minutes=settings().idle_log_in_minutes) + SEEN_EVERY  # what is seen is written late
    return SESSIONS.c.ended_at.is_(None), SESSIONS.c.seen_at > at - idle, SESSIONS.c.started_at > at - LASTS


def _end(connection: Connection, user_id: UUID, *which: ColumnElement[bool]) -> int:
    query = update(SESSIONS).where(SESSIONS.c.user_id == user_id, *alive(), *which).values(ended_at=now())
    return connection.execute(query).rowcount
