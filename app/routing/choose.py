"""Which provider: an ordered list of candidates with reasons. Simple now: the contracts' own priority."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, bindparam, select

from app.core.clock import now
from app.core.db import table_of
from app.core.errors import Refusal
from app.core.fast import Statement, add
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


_TABLE = table_of(ProviderContract)
_NAMES = tuple(column.name for column in _TABLE.c)
_CONTRACTS = Statement(
    select(_TABLE)
    .where(
        _TABLE.c.merchant_id == bindparam("merchant_id"),
        _TABLE.c.live == bindparam("live"),
        _TABLE.c.active,
        _TABLE.c.methods.contains(bindparam("methods")),
        _TABLE.c.currencies.contains(bindparam("currencies")),
    )
    .order_by(_TABLE.c.priority, _TABLE.c.id)
)


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
    rows = _CONTRACTS.rows(
        connection, {"merchant_id": merchant_id, "live": live, "methods": [method], "currencies": [currency]}
    )
    found = [
        Candidate(contract=row, reason=f"priority {row['priority']}")
        for row in (dict(zip(_NAMES, values, strict=True)) for values in rows)
        if only is None or row["id"] in only
    ]
    if not found:
        raise NoRoute(method=method, currency=currency, param="payment_method")
    return found


def decided(*, merchant_id: UUID, live: bool, payment_id: UUID, candidates: Sequence[Candidate]) -> None:
    """Writes down which candidates there were, and why in this order."""
    add(
        table_of(RoutingDecision),
        {
            "id": uuid7(),
            "merchant_id": merchant_id,
            "live": live,
            "payment_id": payment_id,
            "candidates": [
                {
                    "contract_id": str(one.contract["id"]),
                    "provider": one.contract["provider"],
                    "reason": one.reason,
                }
                for one in candidates
            ],
            "decided_at": now(),
        },
    )
