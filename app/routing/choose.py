"""Which provider: an ordered list of candidates with reasons. Simple now: the contracts' own priority."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, insert, select

from app.core.clock import now
from app.core.db import table_of
from app.core.errors import Refusal
from app.core.ids import uuid7
from app.core.texts import N_
from app.merchants.models import ProviderContract
from app.routing.models import RoutingDecision


class NoRoute(Refusal):
    kind = "provider"
    code = "no_route"
    message = N_("No contract takes %(method)s in %(currency)s.")
    advice = N_("Offer another way to pay, or add a contract in the back office.")


@dataclass(frozen=True, slots=True)
class Candidate:
    """`contract` is the row of `contracts`; `reason` is what the back office shows."""

    contract: Mapping[str, Any]
    reason: str


def choose(
    connection: Connection,
    *,
    merchant_id: UUID,
    live: bool,
    method: str,
    currency: str,
    only: Sequence[UUID] | None = None,
) -> list[Candidate]:
    """Candidates in the order in which to try them. `only`: contracts that hold the token. Raises NoRoute."""
    table = table_of(ProviderContract)
    query = (
        select(table)
        .where(
            table.c.merchant_id == merchant_id,
            table.c.live == live,
            table.c.active,
            table.c.methods.contains([method]),
            table.c.currencies.contains([currency]),
        )
        .order_by(table.c.priority, table.c.id)
    )
    rows = connection.execute(query).mappings().all()
    found = [
        Candidate(contract=dict(row), reason=f"priority {row['priority']}")
        for row in rows
        if only is None or row["id"] in only
    ]
    if not found:
        raise NoRoute(method=method, currency=currency, param="payment_method")
    return found


def decided(
    connection: Connection, *, merchant_id: UUID, live: bool, payment_id: UUID, candidates: Sequence[Candidate]
) -> None:
    """Writes down which candidates there were, and why in this order."""
    connection.execute(
        insert(RoutingDecision).values(
            id=uuid7(),
            merchant_id=merchant_id,
            live=live,
            payment_id=payment_id,
            candidates=[
                {
                    "contract_id": str(one.contract["id"]),
                    "provider": one.contract["provider"],
                    "reason": one.reason,
                }
                for one in candidates
            ],
            decided_at=now(),
        )
    )
