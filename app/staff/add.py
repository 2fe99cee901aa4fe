"""`add_user()`: a new staff member."""

from collections.abc import Sequence
from uuid import UUID, uuid4

from email_validator import EmailNotValidError, validate_email
from flask_security.utils import hash_password
from sqlalchemy import Connection, insert, select

from app.core.clock import now
from app.core.db import table_of
from app.core.errors import Conflict, Refusal
from app.core.events import tell
from app.core.ids import public_id, uuid7
from app.core.texts import N_
from app.staff.common_passwords import refuse_common
from app.staff.grant import Given, give, given
from app.staff.models import User

USERS = table_of(User)
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


def add_user(
    connection: Connection,
    *,
    email: str,
    password: str,
    roles: Sequence[Given | str],
    actor: str,
    name: str | None = None,
    language: str = "de",
    timezone: str = "Europe/Berlin",
    invited: bool = False,
    user_id: UUID | None = None,
) -> UUID:
    """Returns the new user's id. `invited`: nobody knows the password, a link will set one.

    Raises BadEmail, EmailTaken, WeakPassword, UnknownRole, RoleNeeded.
    """
    address = checked_email(email)
    check_password(password, address)
    if connection.execute(select(USERS.c.id).where(USERS.c.email == address)).first():
        raise EmailTaken(param="email")
    user_id = user_id or uuid7()
    connection.execute(
        insert(USERS).values(
            id=user_id,
            email=address,
            name=name,
            password=hash_password(password),
            password_set_at=None if invited else now(),
            active=True,
            fs_uniquifier=uuid4().hex,
            fs_webauthn_user_handle=uuid4().hex,
            language=language,
            timezone=timezone,
        )
    )
    wanted = given(roles)
    give(connection, user_id, wanted)
    tell(
        "staff.added",
        subject=("staff", user_id),
        merchant_id=None,
        live=None,
        audience="staff",
        data={"user": public_id("usr", user_id), "roles": [one.told() for one in wanted]},
        details={"email": address, "name": name},
        actor=actor,
    )
    return user_id


def checked_email(email: str) -> str:
    """Lower case, without surrounding spaces. Raises BadEmail."""
    try:
        found = validate_email(email.strip(), check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        raise BadEmail(param="email") from None
    return found.normalized.lower()


def check_password(password: str, email: str) -> None:
    """Raises WeakPassword, CommonPassword."""
    if len(password) < SHORTEST_PASSWORD or password.strip().lower() == email:
        raise WeakPassword(param="password", shortest=SHORTEST_PASSWORD)
    refuse_common(password, [email])
