"""What log-ins leave behind: sessions, second factors, links sent by mail. Passkeys are in models.py (WebAuthn)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from app.core import vault
from app.core.db import Model


class StaffSession(Model):
    """One log-in on one device. It lives while `login` is still the user's fs_uniquifier, `ended_at` is empty and
    somebody clicks now and then. `how`: what was shown at the log-in (password, totp, passkey, recovery)."""

    __tablename__ = "staff_sessions"
    __table_args__ = (
        Index("ix_staff_sessions_user_id", "user_id", "seen_at"),
        Index("ix_staff_sessions_seen_at", "seen_at"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("staff_users.id", ondelete="CASCADE"))
    login: Mapped[str]
    device_id: Mapped[UUID]
    device: Mapped[str]
    ip_address: Mapped[str | None]
    how: Mapped[list[str]] = mapped_column(ARRAY(Text))
    started_at: Mapped[datetime]
    confirmed_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class SecondFactor(Model):
    """An authenticator app and recovery codes. The secret is sealed as `staff_second_factors.totp_sealed`;
    `totp_counter` is the last code used (30-second steps since 1970): no code works twice. Codes are kept as HMACs."""

    __tablename__ = "staff_second_factors"
    user_id: Mapped[UUID] = mapped_column(ForeignKey("staff_users.id", ondelete="CASCADE"), primary_key=True)
    totp_sealed: Mapped[bytes | None] = mapped_column(
        LargeBinary, info=vault.sealed("staff_second_factors.totp_sealed")
    )
    totp_counter: Mapped[int | None]
    totp_since: Mapped[datetime | None]
    recovery_hashes: Mapped[list[bytes]] = mapped_column(ARRAY(LargeBinary), server_default=text("'{}'"))
    recovery_since: Mapped[datetime | None]


class StaffLink(Model):
    """A link sent by mail, which sets a password once. What it says is signed, so nothing secret stands here."""

    __tablename__ = "staff_links"
    __table_args__ = (
        CheckConstraint("purpose IN ('invitation', 'reset')", name="purpose"),
        Index("ix_staff_links_user_id", "user_id", "created_at"),
        Index("ix_staff_links_created_at", "created_at"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("staff_users.id", ondelete="CASCADE"))
    purpose: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
