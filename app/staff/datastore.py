"""Flask-Security's datastore inside the house's rules.

Users are handed out detached from the session, so that no change of theirs is ever flushed by accident;
`commit()` writes what Flask-Security changed, in `atomic()`, and tells what matters.
"""

from typing import Any
from uuid import UUID

from flask import g
from flask_security.datastore import SQLAlchemyUserDatastore
from sqlalchemy import func, inspect, select, update
from sqlalchemy.orm import joinedload

from app.core.db import ALL, atomic, db
from app.core.events import tell
from app.core.ids import public_id
from app.staff.add import USERS
from app.staff.models import Grant, Role, User
from app.staff.second_factor import has_one, needed
from app.staff.sessions import SESSIONS, LogIn, alive

# What Flask-Security may write by itself; everything else goes through add.py and change.py.
_WRITTEN = frozenset(
    "password fs_uniquifier last_login_at current_login_at last_login_ip current_login_ip login_count".split()
)


_WITH_ROLES = joinedload(User.grants).joinedload(Grant.role)


class StaffDatastore(SQLAlchemyUserDatastore):
    def __init__(self) -> None:
        super().__init__(db, User, Role)  # type: ignore[arg-type]

    def find_user(self, case_insensitive: bool = False, **kwargs: Any) -> User | None:
        """One user with their roles, by one column."""
        ((name, value),) = kwargs.items()
        column = getattr(User, name)
        same = func.lower(column) == str(value).lower() if case_insensitive else column == value
        query = select(User).options(_WITH_ROLES).where(same)
        user = db.session().execute(query).unique().scalar_one_or_none()
        return None if user is None else _detached(user)

    def find_logged_in(self, login: str, session_id: UUID) -> tuple[User, LogIn] | None:
        """Whose session that is, if it still lives: the user with their roles and what is known of the log-in."""
        query = (
            select(User, SESSIONS.c.confirmed_at, SESSIONS.c.seen_at, has_one(User.id))
            .join(SESSIONS, (SESSIONS.c.user_id == User.id) & (SESSIONS.c.login == User.fs_uniquifier))
            .options(_WITH_ROLES)
            .where(User.fs_uniquifier == login, User.active, SESSIONS.c.id == session_id, *alive())
        )
        row = db.session().execute(query).unique().one_or_none()
        if row is None:
            return None
        user, confirmed_at, seen_at, has = row
        return _detached(user), LogIn(session_id, confirmed_at, seen_at, has, needed(user))

    def put(self, model: Any) -> Any:
        """Remembers a changed user until commit()."""
        changed = g.setdefault("changed_staff", [])
        if model not in changed:
            changed.append(model)
        return model

    def commit(self) -> None:
        self.write_changes()

    def write_changes(self) -> None:
        for user in g.pop("changed_staff", []):
            _write(user)


def _detached(user: User) -> User:
    session = db.session()
    for grant in user.grants:
        if grant.role in session:
            session.expunge(grant.role)
        session.expunge(grant)
    session.expunge(user)
    return user


def _write(user: User) -> None:
    attributes = inspect(user).attrs
    values = {name: getattr(user, name) for name in _WRITTEN if attributes[name].history.has_changes()}
    if not values:
        return
    user_id: UUID = user.id
    with atomic(ALL) as connection:
        connection.execute(update(USERS).where(USERS.c.id == user_id).values(values))
        if "password" in values:
            public = public_id("usr", user_id)
            tell(
                "staff.password_changed",
                subject=("staff", user_id),
                merchant_id=None,
                live=None,
                audience="staff",
                data={"user": public},
                actor=f"staff:{public}",
            )
