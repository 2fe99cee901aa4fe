"""What capture, refund and cancel share: their operations are written down and reserved while they wait."""

from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from app.approvals.kinds import Request, Started
from app.payments import sign_off
from app.payments.queries import OPERATIONS


def facts(connection: Connection, request: Request) -> dict[str, Any]:
    return sign_off.facts(connection, request["payment_id"])


def check(connection: Connection, request: Request) -> None:
    """As if it were asked for now: what it reserved itself stands in nobody's way."""
    sign_off.check(connection, request["payment_id"], request["group_id"])


def gains(connection: Connection, request: Request) -> frozenset[UUID]:
    """Nobody of the staff."""
    return frozenset()


def start(connection: Connection, request: Request) -> Started:
    helds = sign_off.submit_waiting(connection, request["group_id"], actor=request["maker"])
    references = sign_off.capture_references(connection, helds)
    return Started(lambda: sign_off.send(helds, references, actor=request["maker"]))


def drop(connection: Connection, request: Request, code: str, actor: str) -> None:
    sign_off.withdraw(connection, request["group_id"], code=code, actor=actor)


def outcome(connection: Connection, request: Request) -> str | None:
    """Silence is not a failure: it was sent, and what becomes of it stands at the operation."""
    query = select(OPERATIONS.c.state).where(OPERATIONS.c.group_id == request["group_id"])
    states = set(connection.execute(query).scalars())
    if "pending_approval" in states or "submitted" in states:
        return None
    return "failed" if states <= {"declined", "failed"} else "executed"
