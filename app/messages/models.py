"""What we tell: webhook endpoints, deliveries to them, mails."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, LargeBinary, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from app.core import vault
from app.core.db import Model, OfMerchant

_SECRET = vault.sealed("webhook_endpoints.secret")


class WebhookEndpoint(Model, OfMerchant):
    """Where a merchant listens. `events` empty: all public ones. Two secrets are valid while one is rotated.

    Secrets are sealed as `webhook_endpoints.secret` (32 bytes each; shown as `whsec_` + base64).
    """

    __tablename__ = "webhook_endpoints"
    __table_args__ = (Index("ix_webhook_endpoints_merchant_id", "merchant_id", "live"),)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    url: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    events: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    secret_sealed: Mapped[bytes] = mapped_column(LargeBinary, info=_SECRET)
    old_secret_sealed: Mapped[bytes | None] = mapped_column(LargeBinary, info=_SECRET)
    old_secret_until: Mapped[datetime | None]
    active: Mapped[bool] = mapped_column(default=True)
    disabled_reason: Mapped[str | None]
    last_success_at: Mapped[datetime | None]
    failing_since: Mapped[datetime | None]
    warned_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]


class Delivery(Model, OfMerchant):
    """One event to one endpoint. A lease says who sends it; only the holder may record the result."""

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("event_id", "endpoint_id", "replay"),
        CheckConstraint("state IN ('pending', 'delivered', 'failed')", name="state"),
        Index("ix_deliveries_due", "endpoint_id", "due_at", postgresql_where=text("state = 'pending'")),
        Index("ix_deliveries_line", "payment_id", "endpoint_id", postgresql_where=text("state = 'pending'")),
        Index("ix_deliveries_failed", "endpoint_id", "created_at", postgresql_where=text("state = 'failed'")),
        Index("ix_deliveries_list", "merchant_id", "live", "created_at", "id"),
        Index("ix_deliveries_newest", "created_at", "id"),
        Index("ix_deliveries_payment_id", "payment_id"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
    endpoint_id: Mapped[UUID]
    event_id: Mapped[UUID]
    payment_id: Mapped[UUID | None]
    position: Mapped[int]
    replay: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    state: Mapped[str] = mapped_column(default="pending", server_default="pending")
    attempts: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    due_at: Mapped[datetime]
    leased_until: Mapped[datetime | None]
    lease: Mapped[UUID | None]
    last_status: Mapped[int | None]
    last_error: Mapped[str | None]
    last_duration_ms: Mapped[int | None]
    created_at: Mapped[datetime]
    delivered_at: Mapped[datetime | None]


class Mail(Model, OfMerchant):
    """A mail to be sent: letter `name`, told by `event_id`. What it says is sealed as `mails.sealed` and is cleared
    some time after sending; `summary` is what may be shown of it. Without a merchant: to one of the staff."""

    __tablename__ = "mails"
    merchant_id: Mapped[UUID | None] = mapped_column()  # pyright: ignore[reportIncompatibleVariableOverride]
    live: Mapped[bool | None] = mapped_column()  # pyright: ignore[reportIncompatibleVariableOverride]
    __table_args__ = (
        UniqueConstraint("event_id", "name", "recipient_index"),
        CheckConstraint("state IN ('pending', 'sent', 'failed')", name="state"),
        Index("ix_mails_due", "due_at", postgresql_where=text("state = 'pending'")),
        Index("ix_mails_payment_id", "payment_id"),
        Index("ix_mails_sealed", "created_at", postgresql_where=text("sealed IS NOT NULL")),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    event_id: Mapped[UUID | None]
    payment_id: Mapped[UUID | None]
    name: Mapped[str]
    recipient_index: Mapped[bytes] = mapped_column(LargeBinary)
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary, info=vault.sealed("mails.sealed"))
    summary: Mapped[dict[str, Any] | None]
    state: Mapped[str] = mapped_column(default="pending", server_default="pending")
    attempts: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    due_at: Mapped[datetime]
    leased_until: Mapped[datetime | None]
    lease: Mapped[UUID | None]
    last_error: Mapped[str | None]
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
