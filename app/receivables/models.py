"""What is owed: one row per debt, however many things point at it, and who collects it just now."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Model, OfMerchant


class Receivable(Model, OfMerchant):
    """`due` minor units are still owed; credit is what came in too much."""

    __tablename__ = "receivables"
    __table_args__ = (CheckConstraint("amount > 0 AND due >= 0 AND credit >= 0", name="amounts"),)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    reference: Mapped[str]
    amount: Mapped[int]
    due: Mapped[int]
    credit: Mapped[int] = mapped_column(default=0)
    currency: Mapped[str]
    created_at: Mapped[datetime]


class Collector(Model, OfMerchant):
    """The one channel that collects a receivable. OPEN lapses by time, SUBMITTED only by an answer."""

    __tablename__ = "collectors"
    __table_args__ = (
        Index(
            "uq_collectors_one_per_receivable",
            "receivable_id",
            unique=True,
            postgresql_where=text("state IN ('open', 'submitted')"),
        ),
        Index("ix_collectors_receivable", "receivable_id", "payment_id"),
        CheckConstraint("state IN ('open', 'submitted', 'done', 'released')", name="state"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    receivable_id: Mapped[UUID]
    payment_id: Mapped[UUID]
    state: Mapped[str]
    lapses_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
