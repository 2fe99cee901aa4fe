"""What lapses by time: authorisations nobody captured, checkouts nobody paid, actions nobody took."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, exists, func, select

from app.connectors.kinds import Answer, Outcome
from app.core.clock import now
from app.core.db import ALL, atomic, of, reading
from app.merchants.models import Merchant
from app.payments import checkout as checkouts
from app.payments.effect import of_answer
from app.payments.perform import apply_answer
from app.payments.prepare import fact
from app.payments.queries import (
    AUTHORISATIONS,
    OPERATIONS,
    held_authorisation,
    held_operation,
    left_to_capture,
    locked_payment,
)
from app.payments.record import record

_ACTOR = "job:expire"
ACTION_LIFE = timedelta(hours=24)


def expire_authorisations(limit: int) -> int:
    """Books the uncaptured rest of authorisations past their time as cancelled. Returns how many.

    Time is the merchant's business time; what is being captured just now is left alone.
    """
    business_now = func.now() + func.make_interval(0, 0, 0, 0, 0, 0, Merchant.clock_offset_seconds)
    with reading(ALL) as connection:
        rows = connection.execute(
            select(AUTHORISATIONS.c.id, AUTHORISATIONS.c.merchant_id, AUTHORISATIONS.c.live)
            .join(Merchant, Merchant.id == AUTHORISATIONS.c.merchant_id)
            .where(
                AUTHORISATIONS.c.is_open,
                AUTHORISATIONS.c.expires_at < business_now,
                AUTHORISATIONS.c.captured + AUTHORISATIONS.c.cancelled < AUTHORISATIONS.c.authorised,
                AUTHORISATIONS.c.capture_pending + AUTHORISATIONS.c.cancel_pending == 0,
            )
            .limit(limit)
        ).all()
    for row in rows:
        expire_authorisation(row.id, merchant_id=row.merchant_id, live=row.live)
    return len(rows)


def expire_authorisation(authorisation_id: UUID, *, merchant_id: UUID, live: bool) -> None:
    with atomic(of(merchant_id, live)) as connection:
        held = held_authorisation(connection, authorisation_id)
        left = left_to_capture(held.authorisation)
        if not left or not held.authorisation["is_open"] or held.authorisation["capture_pending"]:
            return
        held = fact(connection, held, "cancel", left, reference=None, actor=_ACTOR)
        effect = of_answer("cancel", "declined", left, held.authorisation, Outcome.APPROVED, left)
        if effect.stage == "cancelled":
            effect = replace(effect, stage="expired")
        record(connection, held, effect, actor=_ACTOR, values={"code": "expired"})


def expire_checkouts(limit: int) -> int:
    """Closes open checkouts past their time, unless an attempt is under way. Returns how many."""
    table = checkouts.CHECKOUTS
    with reading(ALL) as connection:
        rows = connection.execute(
            select(table.c.id, table.c.payment_id, table.c.merchant_id, table.c.live)
            .where(table.c.state == "open", table.c.expires_at < now(), ~_under_way(table.c.payment_id))
            .order_by(table.c.expires_at)
            .limit(limit)
        ).all()
    closed = 0
    for row in rows:
        with atomic(of(row.merchant_id, row.live)) as connection:
            locked_payment(connection, row.payment_id)  # first, as everybody does
            fresh = connection.execute(select(table).where(table.c.id == row.id).with_for_update()).mappings().one()
            if fresh["state"] == "open" and checkouts.expire(connection, dict(fresh), actor=_ACTOR):
                closed += 1
    return closed


def _under_way(payment_id: ColumnElement[UUID]) -> ColumnElement[bool]:
    """The same as checkouts.expire() asks under lock, for many."""
    waits = (OPERATIONS.c.state == "action") & (OPERATIONS.c.created_at <= now() - checkouts.ACTION_FOR)
    return exists().where(
        AUTHORISATIONS.c.payment_id == payment_id,
        AUTHORISATIONS.c.is_open,
        OPERATIONS.c.authorisation_id == AUTHORISATIONS.c.id,
        OPERATIONS.c.kind == "authorise",
        ~waits,
    )


def expire_actions(limit: int) -> int:
    """Closes attempts whose payer never came back from the bank's page. A late yes is given back by itself."""
    before = now() - ACTION_LIFE
    with reading(ALL) as connection:
        rows = connection.execute(
            select(OPERATIONS.c.id, OPERATIONS.c.merchant_id, OPERATIONS.c.live)
            .where(OPERATIONS.c.state == "action", OPERATIONS.c.created_at < before)
            .limit(limit)
        ).all()
    for row in rows:
        with atomic(of(row.merchant_id, row.live)) as connection:
            held = held_operation(connection, row.id)
            if held.operation["state"] == "action":
                apply_answer(connection, held, Answer(Outcome.DECLINED), actor=_ACTOR)
    return len(rows)
