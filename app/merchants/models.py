"""Whom we work for: merchants, their shops, their contracts with providers, their API keys."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from app.core import vault
from app.core.db import Model, OfMerchant


class Merchant(Model):
    """`clock_offset_seconds` moves the business time of a sandbox merchant forward, never back (move_clock.py)."""

    __tablename__ = "merchants"
    __table_args__ = (  # and a trigger: it never goes back
        CheckConstraint("clock_offset_seconds >= 0", name="clock_forward_only"),
        CheckConstraint("sandbox OR clock_offset_seconds = 0", name="clock_of_sandbox_only"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    country: Mapped[str] = mapped_column(default="DE")
    timezone: Mapped[str] = mapped_column(default="Europe/Berlin")
    language: Mapped[str] = mapped_column(default="de")
    email: Mapped[str | None]
    sandbox: Mapped[bool] = mapped_column(default=True)
    clock_offset_seconds: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]

    def __str__(self) -> str:
        return self.name


class Shop(Model):
    """A shop's look and words on hosted pages. `texts`: {"de": {"thanks": …}, …}; sizes are pixels.

    Mails: `notify_email` gets those of `notify_events` (empty: the usual ones); `payer_receipts`: payers get receipts.
    """

    __tablename__ = "shops"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    merchant_id: Mapped[UUID] = mapped_column(ForeignKey("merchants.id"), index=True)
    name: Mapped[str]
    language: Mapped[str] = mapped_column(default="de")
    accent: Mapped[str] = mapped_column(default="#1f4fd8")
    radius: Mapped[int] = mapped_column(default=10)
    font: Mapped[str] = mapped_column(default="system")
    theme: Mapped[str] = mapped_column(default="light")
    logo: Mapped[bytes | None] = mapped_column(LargeBinary)
    logo_type: Mapped[str | None]
    texts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    allowed_origins: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    terms_url: Mapped[str | None]
    privacy_url: Mapped[str | None]
    imprint_url: Mapped[str | None]
    notify_email: Mapped[str | None]
    notify_events: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list, server_default="{}")
    payer_receipts: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    created_at: Mapped[datetime]

    def __str__(self) -> str:
        return self.name


class ProviderContract(Model, OfMerchant):
    """A merchant's contract with a provider. Lower `priority` is tried first; NULL days mean the connector's own.

    `settings_sealed` is JSON by the connector's SETTINGS, sealed as `contracts.settings`; what came of testing them
    last (connectors.kinds.Reached) stands in `check_result` until they change.
    """

    __tablename__ = "contracts"
    __table_args__ = (
        Index("ix_contracts_route", "merchant_id", "live", "priority"),
        CheckConstraint("authorisation_days > 0 AND honour_days > 0", name="days_positive"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    merchant_id: Mapped[UUID] = mapped_column(ForeignKey("merchants.id"))
    provider: Mapped[str]
    label: Mapped[str]
    methods: Mapped[list[str]] = mapped_column(ARRAY(Text))
    currencies: Mapped[list[str]] = mapped_column(ARRAY(Text))
    priority: Mapped[int] = mapped_column(default=100)
    active: Mapped[bool] = mapped_column(default=True)
    authorisation_days: Mapped[int | None]
    honour_days: Mapped[int | None]
    settings_sealed: Mapped[bytes] = mapped_column(LargeBinary, info=vault.sealed("contracts.settings"))
    checked_at: Mapped[datetime | None]
    check_result: Mapped[str | None]
    created_at: Mapped[datetime]

    def __str__(self) -> str:
        return self.label


class ApiKey(Model, OfMerchant):
    """A secret key, stored as a keyed hash. `hint` is what a person recognises it by (its last four signs).

    `issued_by`: the actor who was shown its secret. `lineage`: the first of the keys that were rotated into one
    another; limits and rules hold for all of them together.
    """

    __tablename__ = "api_keys"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    merchant_id: Mapped[UUID] = mapped_column(ForeignKey("merchants.id"), index=True)
    name: Mapped[str]
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    hint: Mapped[str]
    permissions: Mapped[list[str]] = mapped_column(ARRAY(Text))
    limits: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'"))  # core/limits.py
    issued_by: Mapped[str | None]
    lineage: Mapped[UUID] = mapped_column(index=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
