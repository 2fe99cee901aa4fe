"""What the risk checks decided and payers answered; the block list and the ceilings."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core import vault
from app.core.db import Model, OfMerchant


class RiskDecision(Model, OfMerchant):
    """Append-only: one row per assessment. `answers`: what each check said and why."""

    __tablename__ = "risk_decisions"
    __table_args__ = (Index("ix_risk_decisions_payment_id", "payment_id"),)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    payment_id: Mapped[UUID]
    decision: Mapped[str]
    step: Mapped[str | None]
    answers: Mapped[list[Any]]
    decided_at: Mapped[datetime]


class BlockEntry(Model, OfMerchant):
    """Something nobody may pay with: an e-mail address, a card (by keyed fingerprint), an IP address."""

    __tablename__ = "block_entries"
    __table_args__ = (UniqueConstraint("merchant_id", "live", "kind", "fingerprint"),)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    hint: Mapped[str]
    reason: Mapped[str]
    created_at: Mapped[datetime]


class AmountCeiling(Model, OfMerchant):
    """The most one payment of this merchant may be; above it is refused, above `review_above` it is held, and above
    `details_above` the payer is asked who they are."""

    __tablename__ = "amount_ceilings"
    merchant_id: Mapped[UUID] = mapped_column(primary_key=True)
    live: Mapped[bool] = mapped_column(primary_key=True)
    currency: Mapped[str] = mapped_column(primary_key=True)
    deny_above: Mapped[int | None]
    review_above: Mapped[int | None]
    details_above: Mapped[int | None]


class TakenStep(Model, OfMerchant):
    """What a payer answered to a step that a check asked for; sealed, because it is personal."""

    __tablename__ = "taken_steps"
    payment_id: Mapped[UUID] = mapped_column(primary_key=True)
    step: Mapped[str] = mapped_column(primary_key=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary, info=vault.sealed("taken_steps.sealed"))
    taken_at: Mapped[datetime] = mapped_column(index=True)
