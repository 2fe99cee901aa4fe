"""What actions share that are done within the transaction of the yes: nothing is reserved, nothing can fail later."""

from sqlalchemy import Connection

from app.approvals.kinds import Request


def drop(connection: Connection, request: Request, code: str, actor: str) -> None:
    """Nothing was reserved."""


def outcome(connection: Connection, request: Request) -> str | None:
    return "executed"
