"""The books: accounts, entries, lines. Rows are only ever added; the database itself refuses the rest.

The ledger mirrors money on other people's accounts (a provider's balance, a payer's debt); every amount
is a signed integer of minor units, debit positive, credit negative.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Model, OfMerchant


class Account(Model, OfMerchant):
    """One account of a merchant's books: code (accounts.py), currency and, where it is a provider's, contract."""

    __tablename__ = "ledger_accounts"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str]
    currency: Mapped[str]
    contract_id: Mapped[UUID | None]
    __table_args__ = (UniqueConstraint("id", "merchant_id", "live"),)


class Entry(Model, OfMerchant):
    """A booking. `key` is its business reference: the same money cannot be booked twice."""

    __tablename__ = "ledger_entries"
    __table_args__ = (
        UniqueConstraint("merchant_id", "live", "key"),
        UniqueConstraint("id", "merchant_id", "live"),
        Index("ix_ledger_entries_payment_id", "payment_id"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[str]
    recipe: Mapped[str]
    payment_id: Mapped[UUID | None]
    operation_id: Mapped[UUID | None]
    contract_id: Mapped[UUID | None]
    merchant_reference: Mapped[str]
    booking_date: Mapped[date]
    value_date: Mapped[date]
    created_at: Mapped[datetime]


class Line(Model, OfMerchant):
    __tablename__ = "ledger_lines"
    __table_args__ = (
        CheckConstraint("amount <> 0", name="amount_not_zero"),
        ForeignKeyConstraint(
            ["entry_id", "merchant_id", "live"],
            ["ledger_entries.id", "ledger_entries.merchant_id", "ledger_entries.live"],
        ),
        ForeignKeyConstraint(
            ["account_id", "merchant_id", "live"],
            ["ledger_accounts.id", "ledger_accounts.merchant_id", "ledger_accounts.live"],
        ),
        Index("ix_ledger_lines_entry_id", "entry_id"),
        Index("ix_ledger_lines_account_id_id", "account_id", "id"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    entry_id: Mapped[UUID]
    account_id: Mapped[UUID]
    amount: Mapped[int]
    currency: Mapped[str]


class Snapshot(Model, OfMerchant):
    """Balance of an account up to and including a line; a balance is the last snapshot plus the lines since."""

    __tablename__ = "ledger_snapshots"
    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    line_id: Mapped[int] = mapped_column(primary_key=True)
    balance: Mapped[int]
    created_at: Mapped[datetime]


class ClosedPeriod(Model, OfMerchant):
    """No entry may carry a booking date up to and including `last_day`."""

    __tablename__ = "ledger_closed_periods"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    last_day: Mapped[date]
    closed_at: Mapped[datetime]
    details: Mapped[dict[str, Any] | None]
