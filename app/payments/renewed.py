"""What the answer to a renewal (reauthorise.py) changes: the new authorisation takes the old one's place."""

from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from app.connectors.kinds import Outcome
from app.payments.effect import Effect, held_by_provider, of_answer
from app.payments.prepare import fact
from app.payments.queries import Held, held_authorisation
from app.payments.record import record


def settle(connection: Connection, held: Held, effect: Effect, values: dict[str, Any], actor: str) -> dict[str, Any]:
    """Records the answer to a renewal; a yes closes the old authorisation in the same transaction."""
    if effect.to != "succeeded":
        return record(connection, held, replace(effect, stage=None), actor=actor, values=values)
    old = held_authorisation(connection, held.authorisation["replaces_id"])
    left = held_by_provider(old.authorisation)
    if left:
        cancelled = fact(connection, old, "cancel", left, reference=None, actor=actor)
        closed = of_answer("cancel", "declined", left, old.authorisation, Outcome.APPROVED, left)
        closed = replace(closed, stage=None, is_open=False)
        record(connection, cancelled, closed, actor=actor, values={"code": "renewed"})
    return record(connection, held, effect, actor=actor, values=values)
