"""Second factors: who needs one, what somebody has, and taking it away when it is lost."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, RowMapping, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from app.config import settings
from app.core.db import table_of
from app.core.errors import Conflict, NotFound
from app.core.events import tell
from app.core.ids import uuid7
from app.core.texts import N_
from app.staff import sessions
from app.staff.add import USERS
from app.staff.login_models import SecondFactor
from app.staff.models import Role, User, WebAuthn
from app.staff.roles import ROLES
from app.staff.telling import tell_of

FACTORS, PASSKEYS, STAFF_ROLES = table_of(SecondFactor), table_of(WebAuthn), table_of(Role)


class LastFactor(Conflict):
    code = "last_second_factor"
    message = N_("Your role asks for a second factor, and this is your only one.")
    advice = N_("Add another one first.")


@dataclass(frozen=True, slots=True)
class Factors:
    """`passkeys`: rows of staff_webauthn, the oldest first. `codes`: recovery codes that are left."""

    totp_since: datetime | None
    passkeys: Sequence[RowMapping]
    codes: int
    codes_since: datetime | None

    @property
    def any(self) -> bool:
        return self.totp_since is not None or bool(self.passkeys)


def needed(user: User) -> bool:
    """Whether one of the user's roles asks for a second factor."""
    return any(role_needs(role.name, role.second_factor) for role in user.roles)


def role_needs(name: str, chosen: bool | None) -> bool:
    """What was chosen for the role; else what it is shipped with, where second factors are on (see Settings)."""
    if chosen is not None:
        return chosen
    return name in ROLES and ROLES[name].second_factor and settings().second_factors


def has_one(user_id: Any) -> Any:
    """An SQL condition: that user has an authenticator app or a passkey."""
    app = select(FACTORS.c.user_id).where(FACTORS.c.user_id == user_id, FACTORS.c.totp_sealed.is_not(None)).exists()
    return app | select(PASSKEYS.c.id).where(PASSKEYS.c.user_id == user_id).exists()


def of(connection: Connection, user_id: UUID) -> Factors:
    row = connection.execute(
        select(
            FACTORS.c.totp_since,
            func.coalesce(func.cardinality(FACTORS.c.recovery_hashes), 0).label("codes"),
            FACTORS.c.recovery_since,
        ).where(FACTORS.c.user_id == user_id)
    ).first()
    query = select(PASSKEYS).where(PASSKEYS.c.user_id == user_id).order_by(PASSKEYS.c.id)
    passkeys = connection.execute(query).mappings().all()
    if row is None:
        return Factors(None, passkeys, 0, None)
    return Factors(row.totp_since, passkeys, row.codes, row.recovery_since)


def locked(connection: Connection, user_id: UUID) -> RowMapping:
    """The row of a user's factors, made if need be and locked: two log-ins cannot use the same code."""
    connection.execute(upsert(FACTORS).values(user_id=user_id).on_conflict_do_nothing())
    return connection.execute(select(FACTORS).where(FACTORS.c.user_id == user_id).with_for_update()).mappings().one()


def keep_one(connection: Connection, user_id: UUID, needs: bool) -> None:
    """Called after one was removed. Raises LastFactor; recovery codes without a factor make no sense and go."""
    if of(connection, user_id).any:
        return
    if needs:
        raise LastFactor()
    connection.execute(
        update(FACTORS).where(FACTORS.c.user_id == user_id).values(recovery_hashes=[], recovery_since=None)
    )


def remove_all(connection: Connection, user_id: UUID, *, actor: str) -> None:
    """Somebody lost theirs: an administrator takes all of them away and every session ends. Raises NotFound."""
    if connection.execute(select(USERS.c.id).where(USERS.c.id == user_id).with_for_update()).first() is None:
        raise NotFound()
    connection.execute(delete(FACTORS).where(FACTORS.c.user_id == user_id))
    connection.execute(delete(PASSKEYS).where(PASSKEYS.c.user_id == user_id))
    sessions.end_all(connection, user_id, actor=actor)
    tell_of("staff.second_factor_removed", user_id, actor=actor)


def ask_of_role(connection: Connection, role: str, needed: bool | None, *, actor: str) -> None:
    """Whether holders of a role need a second factor; None: as it is shipped. Raises NotFound."""
    if role in ROLES:
        connection.execute(upsert(STAFF_ROLES).values(name=role).on_conflict_do_nothing())
    query = select(STAFF_ROLES.c.second_factor).where(STAFF_ROLES.c.name == role).with_for_update()
    row = connection.execute(query).first()
    if row is None:
        raise NotFound()
    if row.second_factor == needed:
        return
    connection.execute(update(STAFF_ROLES).where(STAFF_ROLES.c.name == role).values(second_factor=needed))
    tell(
        "staff_role.second_factor_changed",
        subject=("staff_role", uuid7()),
        merchant_id=None,
        live=None,
        audience="staff",
        data={"role": role, "before": row.second_factor, "after": needed},
        actor=actor,
    )
