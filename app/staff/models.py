"""Who works in the back office. Flask-Security's typed mixins carry the columns of log-in and second factors."""

from datetime import datetime

from flask_security.models import sqla_v2 as fs
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Model

fs.FsModels.set_db_info(base_model=Model, user_table_name="staff_users", role_table_name="staff_roles")  # type: ignore[arg-type]


class Role(Model, fs.FsRoleMixin):
    __tablename__ = "staff_roles"


class User(Model, fs.FsUserMixin):
    """A staff member. Failed log-ins are counted here (lock-out), beside the limits per address."""

    __tablename__ = "staff_users"
    name: Mapped[str | None]
    language: Mapped[str] = mapped_column(default="de", server_default="de")
    failed_logins: Mapped[int] = mapped_column(default=0, server_default="0")
    locked_until: Mapped[datetime | None]


class WebAuthn(Model, fs.FsWebAuthnMixin):
    __tablename__ = "staff_webauthn"


class FsRefreshTracker(Model, fs.FsRefreshTrackerMixin):
    __tablename__ = "staff_refresh_tracker"
