"""Batches and their rows, one per payment."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Model, OfMerchant, table_of


class Batch(Model):
    """`nonce`: of the form that started it, which starts one only. `merchants`: whose payments its rows are about."""

    __tablename__ = "batches"
    __table_args__ = (
        CheckConstraint("verb IN ('capture', 'cancel')", name="verb"),
        UniqueConstraint("nonce"),
        Index("ix_batches_under_way", "id", postgresql_where=text("finished_at IS NULL")),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    verb: Mapped[str]
    reason: Mapped[str]
    live: Mapped[bool]
    merchants: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid()))
    started_by: Mapped[UUID]
    actor: Mapped[str]
    nonce: Mapped[str]
    started_at: Mapped[datetime]
    stopped_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class BatchRow(Model, OfMerchant):
    """`amount`: what the person saw and wants, minor units. `state`: waiting, done, refused or stopped.

    What became of a done one is its operation's to say. `why`: the refusal in words (message, values).
    """

    __tablename__ = "batch_rows"
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'done', 'refused', 'stopped')", name="state"),
        CheckConstraint("(state = 'done') = (operation_id IS NOT NULL)", name="done_is_an_operation"),
        CheckConstraint("(state = 'refused') = (why IS NOT NULL)", name="refused_says_why"),
        UniqueConstraint("batch_id", "payment_id"),
        Index("ix_batch_rows_waiting", "batch_id", "number", postgresql_where=text("state = 'waiting'")),
    )
    batch_id: Mapped[UUID] = mapped_column(ForeignKey("batches.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    payment_id: Mapped[UUID]
    amount: Mapped[int]
    currency: Mapped[str]
    state: Mapped[str]
    operation_id: Mapped[UUID | None]
    why: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    attempts: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    leased_until: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


BATCHES, ROWS = table_of(Batch), table_of(BatchRow)
