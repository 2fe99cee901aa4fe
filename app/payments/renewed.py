"""What the answer to a renewal (reauthorise.py) changes: the new authorisation takes the old one's place.

A yes may come when it is not wanted any more: the payment was cancelled meanwhile, it has lapsed, or somebody captured
at the provider. Then the renewal is given back, or reserves only what is left: together they never hold more than was
to be renewed.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from app.connectors.kinds import Outcome
from app.payments import late
from app.payments.effect import Effect, held_by_provider, of_answer
from app.payments.prepare import fact
from app.payments.queries import Held, held_authorisation, left_to_capture
from app.payments.record import record


def settle(connection: Connection, held: Held, effect: Effect, values: dict[str, Any], actor: str) -> Mapping[str, Any]:
    """Records the answer to a renewal; a yes closes the old authorisation in the same transaction."""
    if effect.to != "succeeded":
        return record(connection, held, replace(effect, stage=None), actor=actor, values=values)
    old = held_authorisation(connection, held.authorisation["replaces_id"])
    left = left_to_capture(old.authorisation)
    if not left or not old.authorisation["is_open"] or held.payment["stage"] in ("cancelled", "expired"):
        return late.reverse(connection, held, effect, values, actor)
    _let_go(connection, old, left, actor, is_open=False)
    payment = record(connection, held, effect, actor=actor, values=values)
    new = held_authorisation(connection, held.authorisation["id"])
    too_much = held_by_provider(new.authorisation) - left
    return _let_go(connection, new, too_much, actor) if too_much > 0 else payment


def _let_go(
    connection: Connection, held: Held, amount: int, actor: str, *, is_open: bool | None = None
) -> Mapping[str, Any]:
    """Books what is not to be captured as cancelled. Nobody is called: the provider lets the old authorisation go for
    the new one, and what the new one reserves too much with its last capture."""
    cancelled = fact(connection, held, "cancel", amount, reference=None, actor=actor)
    effect = of_answer("cancel", "declined", amount, held.authorisation, Outcome.APPROVED, amount)
    effect = replace(effect, stage=None, is_open=is_open)
    return record(connection, cancelled, effect, actor=actor, values={"code": "renewed"})
