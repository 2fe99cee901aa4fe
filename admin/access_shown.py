"""How somebody gets in, for the page about them: second factors, sessions, an invitation that is out."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from admin.here import connection
from app.staff import sessions
from app.staff.add import USERS
from app.staff.links import LINKS
from app.staff.second_factor import FACTORS, PASSKEYS
from app.staff.sessions import SESSIONS


@dataclass(frozen=True, slots=True)
class Access:
    """`invited_until`: the invitation is out and not yet accepted (also when it has ended)."""

    app: bool
    passkeys: int
    codes: int
    sessions: int
    invited_until: datetime | None

    @property
    def factors(self) -> bool:
        return self.app or self.passkeys > 0


def access_of(user_id: UUID) -> Access:
    app = select(FACTORS.c.totp_sealed.is_not(None)).where(FACTORS.c.user_id == user_id).scalar_subquery()
    codes = select(func.cardinality(FACTORS.c.recovery_hashes)).where(FACTORS.c.user_id == user_id).scalar_subquery()
    keys = select(func.count()).select_from(PASSKEYS).where(PASSKEYS.c.user_id == user_id).scalar_subquery()
    open_ = (
        select(func.count())
        .select_from(SESSIONS)
        .join(USERS, (USERS.c.id == SESSIONS.c.user_id) & (USERS.c.fs_uniquifier == SESSIONS.c.login))
        .where(SESSIONS.c.user_id == user_id, *sessions.alive())
        .scalar_subquery()
    )
    invited = (
        select(func.max(LINKS.c.expires_at))
        .where(LINKS.c.user_id == user_id, LINKS.c.purpose == "invitation", LINKS.c.used_at.is_(None))
        .scalar_subquery()
    )
    found = connection().execute(select(app, keys, codes, open_, invited)).one()
    return Access(bool(found[0]), found[1], found[2] or 0, found[3], found[4])
