"""Which provider was chosen, and why."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Model, OfMerchant


class RoutingDecision(Model, OfMerchant):
    """Append-only. `candidates`: [{contract_id, provider, reason}] in the order in which they are tried."""

    __tablename__ = "routing_decisions"
    __table_args__ = (Index("ix_routing_decisions_payment_id", "payment_id"),)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    payment_id: Mapped[UUID]
    candidates: Mapped[list[Any]]
    decided_at: Mapped[datetime]
