"""Requests for approval, what was said about them, the rules that call for them, and what was used of daily limits."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.approvals.states import APPROVAL
from app.core import vault
from app.core.db import Model

_STATES = ", ".join(repr(state) for state in APPROVAL.states)


class ApprovalRequest(Model):
    """`action`: a name on the shelf `actions/`. `facts`: what matters to it, as it was when it was asked for.

    `group_id`: the operations that wait for it. `sealed`: what only the maker may see once it is done (a secret).
    `sealed_params`: parameters that nobody may read (a provider's credentials), until it is decided.
    Requests that concern no merchant (users' rights) have none.
    """

    __tablename__ = "approval_requests"
    __table_args__ = (
        CheckConstraint(f"state IN ({_STATES})", name="state"),
        CheckConstraint("(merchant_id IS NULL) = (live IS NULL)", name="merchant_and_mode"),
        Index(
            "uq_approval_requests_one_pending",
            "subject_id",
            "action",
            unique=True,
            postgresql_where=text("state = 'pending'"),
        ),
        Index("ix_approval_requests_open", "expires_at", postgresql_where=text("state IN ('pending', 'approved')")),
        Index("ix_approval_requests_payment_id", "payment_id"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    merchant_id: Mapped[UUID | None]
    live: Mapped[bool | None]
    action: Mapped[str]
    subject_id: Mapped[UUID]
    payment_id: Mapped[UUID | None]
    group_id: Mapped[UUID | None]
    params: Mapped[dict[str, Any]]
    amount: Mapped[int | None]
    currency: Mapped[str | None]
    facts: Mapped[dict[str, Any]]
    why: Mapped[dict[str, Any]]
    state: Mapped[str]
    step: Mapped[int]
    maker: Mapped[str]
    reason: Mapped[str]
    decided_by: Mapped[str | None]
    note: Mapped[str | None]
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary, info=vault.sealed("approval_requests.sealed"))
    sealed_params: Mapped[bytes | None] = mapped_column(
        LargeBinary, info=vault.sealed("approval_requests.sealed_params")
    )
    requested_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]


class ApprovalComment(Model):
    __tablename__ = "approval_comments"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    merchant_id: Mapped[UUID | None]
    live: Mapped[bool | None]
    request_id: Mapped[UUID] = mapped_column(index=True)
    author: Mapped[str]
    body: Mapped[str]
    written_at: Mapped[datetime]


class ApprovalRule(Model):
    """What is left empty matches everything. `above`: minor units of `currency`."""

    __tablename__ = "approval_rules"
    __table_args__ = (CheckConstraint("(above IS NULL) = (currency IS NULL)", name="amount_and_currency"),)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    merchant_id: Mapped[UUID | None]
    action: Mapped[str]
    currency: Mapped[str | None]
    above: Mapped[int | None]
    method: Mapped[str | None]
    user_id: Mapped[UUID | None]
    role: Mapped[str | None]
    api_key_id: Mapped[UUID | None]
    created_by: Mapped[str]
    created_at: Mapped[datetime]


class LimitUse(Model):
    """What somebody with a daily limit did, or approved, on a day. `actor`: of a key the first of its lineage.

    `asked` is what it was to be, `amount` what is left of it after what came to nothing. `at_merchant` is no tenant
    column: a grant may span merchants, and its day is added up over them whoever's transaction asks.
    """

    __tablename__ = "limit_uses"
    __table_args__ = (
        UniqueConstraint("group_id", "actor", "permission"),
        Index("ix_limit_uses_of_a_day", "actor", "permission", "currency", "live", "day"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    actor: Mapped[str]
    permission: Mapped[str]
    currency: Mapped[str]
    live: Mapped[bool]
    day: Mapped[date]
    at_merchant: Mapped[UUID]
    asked: Mapped[int]
    amount: Mapped[int]
    group_id: Mapped[UUID]
