"""Another order in which a merchant's contracts are tried: the first gets the money."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import Connection, select

from app.approvals.actions._at_once import check, drop, gains, outcome
from app.approvals.kinds import Action, Request, Started
from app.core.texts import N_
from app.merchants.add import CONTRACTS, put_in_order

LABEL = N_("Order of contracts")
PERMISSION = "contract.write"
RULE = "contract"

__all__ = ["LABEL", "PERMISSION", "RULE", "check", "drop", "facts", "gains", "outcome", "start"]


def facts(connection: Connection, request: Request) -> dict[str, Any]:
    """Which there are, and how they stand."""
    query = select(CONTRACTS.c.id, CONTRACTS.c.priority, CONTRACTS.c.active).where(
        CONTRACTS.c.merchant_id == request["merchant_id"], CONTRACTS.c.live == request["live"]
    )
    rows = connection.execute(query.order_by(CONTRACTS.c.id))
    return {"contracts": [[str(row.id), row.priority, row.active] for row in rows]}


def start(connection: Connection, request: Request) -> Started:
    put_in_order(connection, [UUID(one) for one in request["params"]["order"]], actor=request["maker"])
    return Started()


if TYPE_CHECKING:
    from app.approvals.actions import contract_order as _me

    _: Action = _me
