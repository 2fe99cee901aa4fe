"""Notes of staff on payments. What one says is sealed, and can only be erased."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core import vault
from app.core.db import Model, OfMerchant, table_of


class PaymentNote(Model, OfMerchant):
    """The database lets nobody change who wrote it and when; the row outlives its text."""

    __tablename__ = "payment_notes"
    __table_args__ = (
        CheckConstraint("(sealed IS NULL) = (erased_at IS NOT NULL)", name="there_or_erased"),
        ForeignKeyConstraint(
            ["payment_id", "merchant_id", "live"], ["payments.id", "payments.merchant_id", "payments.live"]
        ),
        Index("ix_payment_notes_payment_id", "payment_id", "id"),
        Index("ix_payment_notes_kept", "written_at", postgresql_where=text("erased_at IS NULL")),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    payment_id: Mapped[UUID]
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary, info=vault.sealed("payment_notes.sealed"))
    written_by: Mapped[str]
    written_at: Mapped[datetime]
    erased_at: Mapped[datetime | None]


NOTES = table_of(PaymentNote)
