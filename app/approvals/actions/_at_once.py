"""What actions share that are done within the transaction of the yes: nothing is reserved, nothing can fail later."""

from uuid import UUID

from sqlalchemy import Connection

from app.approvals.kinds import Request


def check(connection: Connection, request: Request) -> None:
    """Doing it refuses what cannot be done."""


def gains(connection: Connection, request: Request) -> frozenset[UUID]:
    """Nobody of the staff."""
    return frozenset()


def drop(connection: Connection, request: Request, code: str, actor: str) -> None:
    """Nothing was reserved."""


def outcome(connection: Connection, request: Request) -> str | None:
    return "executed"
