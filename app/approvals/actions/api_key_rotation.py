"""Rotate an API key: the secret of the new one is for whoever asked, once it is approved."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select

from app.approvals.actions._at_once import drop, gains, outcome
from app.approvals.issuer import refuse_more_than_own
from app.approvals.kinds import Action, Request, Started
from app.core.errors import NotFound
from app.core.limits import of_json
from app.core.texts import N_
from app.merchants import keys
from app.merchants.models import ApiKey

LABEL = N_("Rotation of an API key")
PERMISSION = "api_key.write"
RULE = "api_key"

__all__ = ["LABEL", "PERMISSION", "RULE", "check", "drop", "facts", "gains", "outcome", "start"]


def facts(connection: Connection, request: Request) -> dict[str, Any]:
    """Whether it lives, and until when."""
    row = _row(connection, request)
    return {"revoked": row.revoked_at is not None, "expires_at": row.expires_at and row.expires_at.isoformat()}


def check(connection: Connection, request: Request) -> None:
    """Nobody is handed a key that may do more than they."""
    row = _row(connection, request)
    if keys.has_ended(row.expires_at):
        raise keys.KeyEnded()
    whom = (request["maker"], request["merchant_id"])
    refuse_more_than_own(connection, *whom, row.permissions, of_json(row.limits))


def start(connection: Connection, request: Request) -> Started:
    overlap = timedelta(hours=request["params"]["overlap_hours"])
    _, secret = keys.rotate(connection, request["subject_id"], overlap=overlap, actor=request["maker"])
    return Started(secret=secret)


def _row(connection: Connection, request: Request) -> Any:
    row = connection.execute(select(ApiKey.__table__).where(ApiKey.id == request["subject_id"])).first()
    if row is None:
        raise NotFound()
    return row


if TYPE_CHECKING:
    from app.approvals.actions import api_key_rotation as _me

    _: Action = _me
