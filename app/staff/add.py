"""`add_user()`: a new staff member."""

from collections.abc import Sequence
from uuid import UUID, uuid4

from email_validator import EmailNotValidError, validate_email
from flask_security.utils import hash_password
from sqlalchemy import Connection, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert

from app.core.db import table_of
from app.core.errors import Conflict, Refusal
from app.core.events import tell
from app.core.ids import public_id, uuid7
from app.core.texts import N_
from app.staff.models import Role, User
from app.staff.roles import ROLES

USERS, STAFF_ROLES, ROLES_OF_USERS = table_of(User), table_of(Role), User.metadata.tables["roles_users"]
SHORTEST_PASSWORD = 12


class EmailTaken(Conflict):
    code = "email_taken"
    message = N_("There is a user with this e-mail address already.")


class BadEmail(Refusal):
    code = "bad_email"
    message = N_("This is not an e-mail address.")
    advice = N_("Type it like name@example.com.")


class WeakPassword(Refusal):
    code = "weak_password"
    message = N_("The password must have at least %(shortest)s characters and must not be the e-mail address.")
    advice = N_("Several words in a row are easy to remember and hard to guess.")


class UnknownRole(Refusal):
    code = "unknown_role"
    message = N_("There is no role %(role)s.")


class RoleNeeded(Refusal):
    code = "role_needed"
    message = N_("Choose at least one role.")


def add_user(
    connection: Connection,
    *,
    email: str,
    password: str,
    roles: Sequence[str],
    actor: str,
    name: str | None = None,
    language: str = "de",
    timezone: str = "Europe/Berlin",
) -> UUID:
    """Returns the new user's id. Raises BadEmail, EmailTaken, WeakPassword, UnknownRole, RoleNeeded."""
    address = checked_email(email)
    check_password(password, address)
    if connection.execute(select(USERS.c.id).where(USERS.c.email == address)).first():
        raise EmailTaken(param="email")
    user_id = uuid7()
    connection.execute(
        insert(USERS).values(
            id=user_id,
            email=address,
            name=name,
            password=hash_password(password),
            active=True,
            fs_uniquifier=uuid4().hex,
            fs_webauthn_user_handle=uuid4().hex,
            language=language,
            timezone=timezone,
        )
    )
    give_roles(connection, user_id, roles)
    tell(
        "staff.added",
        subject=("staff", user_id),
        merchant_id=None,
        live=None,
        audience="staff",
        data={"user": public_id("usr", user_id), "roles": sorted(roles)},
        details={"email": address, "name": name},
        actor=actor,
    )
    return user_id


def give_roles(connection: Connection, user_id: UUID, roles: Sequence[str]) -> None:
    """Replaces a user's roles. Shipped roles get their row when first given. Raises UnknownRole, RoleNeeded."""
    if not roles:
        raise RoleNeeded(param="roles")
    connection.execute(ROLES_OF_USERS.delete().where(ROLES_OF_USERS.c.user_id == user_id))
    connection.execute(
        insert(ROLES_OF_USERS), [{"user_id": user_id, "role_id": _role_id(connection, role)} for role in set(roles)]
    )


def _role_id(connection: Connection, name: str) -> int:
    if name in ROLES:
        connection.execute(upsert(STAFF_ROLES).values(name=name).on_conflict_do_nothing())
    found = connection.execute(select(STAFF_ROLES.c.id).where(STAFF_ROLES.c.name == name)).scalar()
    if found is None:
        raise UnknownRole(role=name, param="roles")
    return found


def checked_email(email: str) -> str:
    """Lower case, without surrounding spaces. Raises BadEmail."""
    try:
        found = validate_email(email.strip(), check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        raise BadEmail(param="email") from None
    return found.normalized.lower()


def check_password(password: str, email: str) -> None:
    """Raises WeakPassword."""
    if len(password) < SHORTEST_PASSWORD or password.strip().lower() == email:
        raise WeakPassword(param="password", shortest=SHORTEST_PASSWORD)
