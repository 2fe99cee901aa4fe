"""Figures per hour and day (periods.DAYS_OF) of each merchant, rolled up from operations; and how long queues became.

An operation belongs to the hour in which it was asked for: the time in its id, which never changes. Amounts are minor
units of `currency` and are never added over currencies. Days are the sums of their hours, so that a year is read from
hundreds of rows and not from thousands.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, PrimaryKeyConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Model, OfMerchant


class MoneyFigures(Model, OfMerchant):
    """What moved, by currency. Attempts that a bank declined are counted beside those it approved."""

    __tablename__ = "money_figures"
    __table_args__ = (
        PrimaryKeyConstraint("span", "starts_at", "merchant_id", "live", "currency"),
        CheckConstraint("span IN ('hour', 'day')", name="span"),
        Index("ix_money_figures_merchant_id", "merchant_id", "live", "span", "starts_at"),
    )
    span: Mapped[str]
    starts_at: Mapped[datetime]
    currency: Mapped[str]
    authorised_count: Mapped[int]
    authorised_amount: Mapped[int]
    declined_count: Mapped[int]
    captured_count: Mapped[int]
    captured_amount: Mapped[int]
    refunded_count: Mapped[int]
    refunded_amount: Mapped[int]
    charged_back_count: Mapped[int]
    charged_back_amount: Mapped[int]
    reversed_count: Mapped[int]
    reversed_amount: Mapped[int]


class AttemptFigures(Model, OfMerchant):
    """Attempts to authorise, by where and how. `code`: why they were declined; `country`: the card's, may be empty."""

    __tablename__ = "attempt_figures"
    __table_args__ = (
        PrimaryKeyConstraint(
            *("span", "starts_at", "merchant_id", "live", "contract_id", "method", "country", "outcome", "code")
        ),
        CheckConstraint("span IN ('hour', 'day')", name="span"),
        CheckConstraint("outcome IN ('approved', 'declined', 'not_sent', 'open')", name="outcome"),
        Index("ix_attempt_figures_merchant_id", "merchant_id", "live", "span", "starts_at"),
    )
    span: Mapped[str]
    starts_at: Mapped[datetime]
    contract_id: Mapped[UUID]
    method: Mapped[str]
    country: Mapped[str]
    outcome: Mapped[str]
    code: Mapped[str]
    attempts: Mapped[int]


class QueueDepth(Model):
    """The most that waited in a queue during an hour, as measured once a minute, and the last measure."""

    __tablename__ = "queue_depths"
    hour: Mapped[datetime] = mapped_column(primary_key=True)
    queue: Mapped[str] = mapped_column(primary_key=True)
    deepest: Mapped[int]
    latest: Mapped[int]
    measured_at: Mapped[datetime]
