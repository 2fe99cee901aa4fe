"""Payments, their authorisations and operations; disputes; hosted checkouts.

A payment is what the merchant asked for. Under it stand authorisations (attempts at providers), and
operations (append-only: authorise, capture, cancel, refund, ...) belong to one authorisation. All
amounts are minor units of the payment's currency.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Computed, ForeignKeyConstraint, Index, LargeBinary, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Model, OfMerchant
from app.payments.states import AMOUNTS, DISPUTE, KINDS, OPERATION, STATUS_SQL


class Amounts:
    """The sums that both a payment and each of its authorisations carry."""

    authorised: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    captured: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    capture_pending: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    cancelled: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    cancel_pending: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    refunded: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    refund_pending: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    charged_back: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    over_captured: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    over_returned: Mapped[int] = mapped_column(default=0, server_default=text("0"))


NOT_NEGATIVE = " AND ".join(f"{name} >= 0" for name in AMOUNTS)


def _one_of(column: str, words: list[str] | tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(repr(word) for word in words)})"


class Payment(Model, OfMerchant, Amounts):
    """`stage` says where a payment without an authorised amount stands; `status` is computed from it and the sums."""

    __tablename__ = "payments"
    __table_args__ = (
        CheckConstraint("amount > 0", name="amount_positive"),
        CheckConstraint(NOT_NEGATIVE, name="sums_not_negative"),
        CheckConstraint(_one_of("capture_mode", ("manual", "automatic", "scheduled")), name="capture_mode"),
        UniqueConstraint("id", "merchant_id", "live"),
        # The orders in which the back office and the API read: newest first, within one mode (search.py).
        Index("ix_payments_list", "merchant_id", "live", "id"),
        Index("ix_payments_mode", "live", "id"),
        Index("ix_payments_status", "live", "status", "id"),
        Index("ix_payments_method", "live", "method", "id"),
        Index("ix_payments_amount", "live", "currency", "amount", "id"),
        Index("ix_payments_reference_key", "live", "reference_key", "id"),
        Index("ix_payments_email_key", "live", "email_key", "id"),
        Index("ix_payments_name_key", "live", "name_key", "id"),
        Index("ix_payments_surname_key", "live", "surname_key", "id"),
        Index("ix_payments_last4", "live", "last4", "id"),
        # Most payments carry none of these: what is left out costs nothing to keep.
        Index("ix_payments_customer", "live", "customer_id", "id", postgresql_where=text("customer_id IS NOT NULL")),
        Index("ix_payments_instrument", "instrument_id", "id", postgresql_where=text("instrument_id IS NOT NULL")),
        Index("ix_payments_order_key", "live", "order_key", "id", postgresql_where=text("order_key IS NOT NULL")),
        Index(
            "ix_payments_customer_key", "live", "customer_key", "id", postgresql_where=text("customer_key IS NOT NULL")
        ),
        Index(
            "ix_payments_over",
            "live",
            "id",
            postgresql_where=text("greatest(over_captured, captured - amount) + over_returned > over_seen"),
        ),
        Index("ix_payments_receivable", "receivable_id", postgresql_where=text("receivable_id IS NOT NULL")),
        Index("ix_payments_capture_on", "capture_on", postgresql_where=text("capture_on IS NOT NULL AND captured = 0")),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    shop_id: Mapped[UUID | None]
    customer_id: Mapped[UUID | None]
    receivable_id: Mapped[UUID | None]
    amount: Mapped[int]
    over_seen: Mapped[int] = mapped_column(default=0, server_default=text("0"))  # of what is too much (see_over.py)
    currency: Mapped[str]
    merchant_reference: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    order_number: Mapped[str | None]
    customer_number: Mapped[str | None]
    order_lines: Mapped[list[Any] | None]
    payer_name: Mapped[str | None]
    payer_email: Mapped[str | None]
    payer_country: Mapped[str | None]
    language: Mapped[str] = mapped_column(default="de")
    capture_mode: Mapped[str]
    capture_on: Mapped[date | None]
    return_url: Mapped[str | None]
    source: Mapped[str]
    method: Mapped[str | None]
    brand: Mapped[str | None]
    last4: Mapped[str | None]
    instrument_id: Mapped[UUID | None]  # what it was paid with, if that can be charged again
    stage: Mapped[str] = mapped_column(default="created", server_default="created")
    status: Mapped[str] = mapped_column(Computed(STATUS_SQL, persisted=True))
    step: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    # What the search looks at: lower-cased, compared byte by byte so that a prefix can use the index.
    # (The columns' collation says so too: another database may sort its text by a language's rules.)
    reference_key: Mapped[str] = mapped_column(
        Text(collation="C"), Computed("lower(merchant_reference)", persisted=True)
    )
    order_key: Mapped[str | None] = mapped_column(Text(collation="C"), Computed("lower(order_number)", persisted=True))
    customer_key: Mapped[str | None] = mapped_column(
        Text(collation="C"), Computed("lower(customer_number)", persisted=True)
    )
    email_key: Mapped[str | None] = mapped_column(Text(collation="C"), Computed("lower(payer_email)", persisted=True))
    name_key: Mapped[str | None] = mapped_column(Text(collation="C"), Computed("lower(payer_name)", persisted=True))
    surname_key: Mapped[str | None] = mapped_column(  # the last word of the name
        Text(collation="C"), Computed("lower(regexp_replace(payer_name, '^.*[[:space:]]', ''))", persisted=True)
    )


class Authorisation(Model, OfMerchant, Amounts):
    """One attempt at one contract. At most one per payment is open; commands are capped, facts are booked."""

    __tablename__ = "authorisations"
    __table_args__ = (
        CheckConstraint(NOT_NEGATIVE, name="sums_not_negative"),
        CheckConstraint(
            "captured + capture_pending + cancelled + cancel_pending - over_captured <= authorised",
            name="captures_capped",
        ),
        CheckConstraint("refunded + refund_pending + charged_back - over_returned <= captured", name="refunds_capped"),
        UniqueConstraint("id", "merchant_id", "live"),
        UniqueConstraint("payment_id", "attempt"),
        ForeignKeyConstraint(
            ["payment_id", "merchant_id", "live"], ["payments.id", "payments.merchant_id", "payments.live"]
        ),
        Index("uq_authorisations_one_open", "payment_id", unique=True, postgresql_where=text("is_open")),
        Index("ix_authorisations_provider_reference", "contract_id", "provider_reference"),
        # Captured ones stay open for refunds, and they are nearly all there are: what lapses is kept apart from them.
        Index(
            "ix_authorisations_expires_at",
            "expires_at",
            postgresql_where=text("captured + cancelled < authorised"),
        ),
        Index("ix_authorisations_held", "created_at", postgresql_where=text("is_open AND held_for_review")),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    payment_id: Mapped[UUID]
    attempt: Mapped[int]
    contract_id: Mapped[UUID]
    provider: Mapped[str]
    method: Mapped[str]
    amount: Mapped[int]
    currency: Mapped[str]
    instrument_id: Mapped[UUID | None]
    provider_reference: Mapped[str | None]
    brand: Mapped[str | None]
    last4: Mapped[str | None]
    funding: Mapped[str | None]
    issuer_country: Mapped[str | None]
    scheme_transaction_id: Mapped[str | None]
    card_fingerprint: Mapped[bytes | None] = mapped_column(LargeBinary)  # keyed hash of the number, for block lists
    is_open: Mapped[bool]
    replaces_id: Mapped[UUID | None]  # the fading authorisation that this one renews
    store: Mapped[bool] = mapped_column(default=False, server_default=text("false"))  # keep its token, if it succeeds
    held_for_review: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    expires_at: Mapped[datetime | None]
    honour_until: Mapped[datetime | None]
    created_at: Mapped[datetime]


class Operation(Model, OfMerchant):
    """One thing asked of a provider, or one fact it told. `booked_amount` is what really moved.

    `sent_at`: when it was first sent, where that was later than it was written down. `heard_at`: the provider's own
    time of the newest yes or no that it told in a notification. `needs_staff_at`: when it came onto the worklist.
    """

    __tablename__ = "operations"
    __table_args__ = (
        CheckConstraint("amount > 0", name="amount_positive"),
        CheckConstraint(_one_of("kind", KINDS), name="kind"),
        CheckConstraint(_one_of("state", OPERATION.states), name="state"),
        ForeignKeyConstraint(
            ["authorisation_id", "merchant_id", "live"],
            ["authorisations.id", "authorisations.merchant_id", "authorisations.live"],
        ),
        Index("ix_operations_payment_id", "payment_id", "id"),
        Index("ix_operations_authorisation_id", "authorisation_id"),
        Index("ix_operations_group_id", "group_id"),
        Index("ix_operations_provider_reference", "contract_id", "provider_reference"),
        Index(
            "ix_operations_enquire_at",
            "enquire_at",
            postgresql_where=text("state IN ('created', 'submitted', 'pending', 'action', 'unknown')"),
        ),
        Index(
            "ix_operations_details_wanted",
            "enquire_at",
            postgresql_where=text("state = 'succeeded' AND enquire_at IS NOT NULL"),
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    payment_id: Mapped[UUID]
    authorisation_id: Mapped[UUID]
    contract_id: Mapped[UUID]
    group_id: Mapped[UUID]  # operations that one request needed together (a refund over several captures)
    capture_id: Mapped[UUID | None]  # the capture that a refund gives back
    kind: Mapped[str]
    state: Mapped[str]
    step: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    amount: Mapped[int]
    booked_amount: Mapped[int | None]
    # What it gave back of what was reserved: all of it for a cancellation, the rest that a last capture let go.
    released_amount: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    currency: Mapped[str]
    final: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    reason: Mapped[str] = mapped_column(default="", server_default="")
    lines: Mapped[list[Any] | None]
    code: Mapped[str | None]
    provider_code: Mapped[str | None]
    message: Mapped[str | None]
    provider_reference: Mapped[str | None]
    action: Mapped[dict[str, Any] | None]
    actor: Mapped[str]
    leased_until: Mapped[datetime | None]
    enquire_at: Mapped[datetime | None]
    enquiries: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    sent_at: Mapped[datetime | None]
    heard_at: Mapped[datetime | None]
    needs_staff_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Dispute(Model, OfMerchant):
    """A payer's bank asks for the money back. `respond_by` is the last moment for evidence.

    `fee_currency`: in what the provider takes its fee; NULL while it has named none (and for the dispute's own).
    """

    __tablename__ = "disputes"
    __table_args__ = (
        UniqueConstraint("contract_id", "provider_reference"),
        CheckConstraint("amount > 0 AND fee >= 0", name="amounts"),
        CheckConstraint(_one_of("state", DISPUTE.states), name="state"),
        Index("ix_disputes_payment_id", "payment_id"),
        Index("ix_disputes_respond_by", "respond_by", postgresql_where=text("state IN ('inquiry', 'charged_back')")),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    payment_id: Mapped[UUID]
    authorisation_id: Mapped[UUID]
    contract_id: Mapped[UUID]
    provider_reference: Mapped[str]
    state: Mapped[str]
    step: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    amount: Mapped[int]
    currency: Mapped[str]
    fee: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    fee_currency: Mapped[str | None]
    reason: Mapped[str]
    respond_by: Mapped[datetime | None]
    opened_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Checkout(Model, OfMerchant):
    """A hosted checkout: one payment, paid on our page. Its link is signed, not stored."""

    __tablename__ = "checkouts"
    __table_args__ = (
        CheckConstraint("state IN ('open', 'completed', 'expired', 'cancelled')", name="state"),
        Index("ix_checkouts_payment_id", "payment_id", unique=True),
        Index("ix_checkouts_expires_at", "expires_at", postgresql_where=text("state = 'open'")),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    shop_id: Mapped[UUID]
    payment_id: Mapped[UUID]
    state: Mapped[str]
    step: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    language: Mapped[str]
    places_order: Mapped[bool]
    return_url: Mapped[str | None]
    expires_at: Mapped[datetime]
    created_at: Mapped[datetime]


from app.payments import note_models  # noqa: E402, F401 - its table belongs to this room too
