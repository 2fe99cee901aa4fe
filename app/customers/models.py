"""Who pays: customers and the instruments they pay with. A card number is never among the columns."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Computed, Index, LargeBinary, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core import vault
from app.core.db import Model, OfMerchant

SEARCHED = ("number_key", "email_key", "name_key", "surname_key")


class Customer(Model, OfMerchant):
    __tablename__ = "customers"
    __table_args__ = (
        UniqueConstraint("merchant_id", "live", "number"),
        Index("ix_customers_merchant_id_live_id", "merchant_id", "live", "id"),
        Index("ix_customers_restricted", "live", postgresql_where=text("restricted_at IS NOT NULL")),
        *(Index(f"ix_customers_{name}", "live", name, "id") for name in SEARCHED),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[str | None]  # the merchant's own customer number
    name: Mapped[str | None]
    email: Mapped[str | None]
    phone: Mapped[str | None]
    address: Mapped[dict[str, Any] | None]
    language: Mapped[str] = mapped_column(default="de")
    created_at: Mapped[datetime]
    erased_at: Mapped[datetime | None]
    restricted_at: Mapped[datetime | None]  # Art. 18 GDPR: kept, but not used (restrict.py)
    # What a search looks at, compared byte by byte so that a prefix can use the index (as with payments).
    number_key: Mapped[str | None] = mapped_column(Text(collation="C"), Computed("lower(number)", persisted=True))
    email_key: Mapped[str | None] = mapped_column(Text(collation="C"), Computed("lower(email)", persisted=True))
    name_key: Mapped[str | None] = mapped_column(Text(collation="C"), Computed("lower(name)", persisted=True))
    surname_key: Mapped[str | None] = mapped_column(  # the last word of the name
        Text(collation="C"), Computed("lower(regexp_replace(name, '^.*[[:space:]]', ''))", persisted=True)
    )


class Instrument(Model, OfMerchant):
    """Something a customer can be charged with again. `fingerprint` recognises a card (keyed hash of its number).

    `pending`: to be kept if the payment succeeds in which it was given; not there yet for anybody else.
    """

    __tablename__ = "instruments"
    __table_args__ = (
        Index("ix_instruments_customer_id", "customer_id"),
        Index("ix_instruments_pending", "created_at", postgresql_where=text("pending")),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    customer_id: Mapped[UUID | None]
    method: Mapped[str]
    brand: Mapped[str | None]
    last4: Mapped[str | None]
    expiry_month: Mapped[int | None]
    expiry_year: Mapped[int | None]
    holder: Mapped[str | None]
    fingerprint: Mapped[bytes | None] = mapped_column(LargeBinary)
    active: Mapped[bool] = mapped_column(default=True)
    pending: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    created_at: Mapped[datetime]


class InstrumentToken(Model, OfMerchant):
    """An instrument's token at one contract, sealed as `instrument_tokens.token`."""

    __tablename__ = "instrument_tokens"
    instrument_id: Mapped[UUID] = mapped_column(primary_key=True)
    contract_id: Mapped[UUID] = mapped_column(primary_key=True)
    token_sealed: Mapped[bytes] = mapped_column(LargeBinary, info=vault.sealed("instrument_tokens.token"))
    scheme_transaction_id: Mapped[str | None]
    created_at: Mapped[datetime]
