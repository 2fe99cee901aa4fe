"""Who works in the back office. Flask-Security's typed mixins carry the columns of log-in and second factors."""

from datetime import datetime
from typing import Any
from uuid import UUID

from flask_security.datastore import AsaList
from flask_security.models import sqla_v2 as fs
from sqlalchemy import ForeignKey, Uuid, func, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.core.clock import now
from app.core.db import Model

fs.FsModels.set_db_info(base_model=Model, user_table_name="staff_users", role_table_name="staff_roles")  # type: ignore[arg-type]
AsaList.cache_ok = True  # it has no state; without this every query of roles is compiled anew
Model.metadata.remove(Model.metadata.tables["roles_users"])  # a grant says more: which merchants, how much


class Role(Model, fs.FsRoleMixin):
    """A bundle of permissions. Shipped roles take theirs from roles.py, not from the column."""

    __tablename__ = "staff_roles"
    users = None  # pyright: ignore[reportAssignmentType]  # the library's own relation; see Grant
    label: Mapped[str | None]  # of roles made in the screen
    second_factor: Mapped[bool | None]  # whether holders need one; None: as shipped (second_factor.py)
    update_datetime: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=now)


class Grant(Model):
    """A role given to a user, for some merchants (None: for all), with limits (core/limits.py)."""

    __tablename__ = "staff_grants"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("staff_users.id", ondelete="CASCADE"), index=True)
    role_id: Mapped[int] = mapped_column(ForeignKey("staff_roles.id"))
    merchants: Mapped[list[UUID] | None] = mapped_column(ARRAY(Uuid()))
    limits: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'"))
    granted_at: Mapped[datetime]
    role: Mapped[Role] = relationship()


class User(Model, fs.FsUserMixin):
    """A staff member. Failed log-ins are counted here (lock-out), beside the limits per address.

    `fs_uniquifier` is what sessions hold: a new value ends every session. `timezone` is an IANA name.
    """

    __tablename__ = "staff_users"
    id: Mapped[UUID] = mapped_column(primary_key=True)  # pyright: ignore[reportIncompatibleVariableOverride]
    name: Mapped[str | None]
    language: Mapped[str] = mapped_column(default="de", server_default="de")
    timezone: Mapped[str] = mapped_column(default="Europe/Berlin", server_default="Europe/Berlin")
    password_set_at: Mapped[datetime | None]  # None: invited, and never come
    failed_logins: Mapped[int] = mapped_column(default=0, server_default="0")
    locked_until: Mapped[datetime | None]
    update_datetime: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=now)

    grants: Mapped[list[Grant]] = relationship()

    @property
    def roles(self) -> list[Role]:  # pyright: ignore[reportIncompatibleVariableOverride]
        return [grant.role for grant in self.grants]

    def track_failed_authn(self, auth_type: str, tfa: bool = False) -> None:
        """Flask-Security would count here; every attempt was counted before it was made (lock.py)."""


class WebAuthn(Model, fs.FsWebAuthnMixin):
    __tablename__ = "staff_webauthn"
    user_id: Mapped[UUID] = mapped_column(  # pyright: ignore[reportIncompatibleVariableOverride]
        ForeignKey("staff_users.id", ondelete="CASCADE")
    )


class FsRefreshTracker(Model, fs.FsRefreshTrackerMixin):
    __tablename__ = "staff_refresh_tracker"
    user_id: Mapped[UUID] = mapped_column(  # pyright: ignore[reportIncompatibleVariableOverride]
        ForeignKey("staff_users.id", ondelete="CASCADE")
    )


from app.staff import login_models  # noqa: E402, F401 - its tables belong to this room too
