"""What lapses by time: authorisations nobody captured, checkouts and payments nobody paid, actions nobody took."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import ColumnElement, exists, func, select

from app.connectors.kinds import Answer, Outcome
from app.core.clock import now
from app.core.db import ALL, atomic, of, reading
from app.merchants.models import Merchant
from app.payments import checkout as checkouts
from app.payments.close import close
from app.payments.effect import of_answer
from app.payments.perform import apply_answer
from app.payments.prepare import fact
from app.payments.queries import (
    AUTHORISATIONS,
    OPERATIONS,
    PAYMENTS,
    held_authorisation,
    held_operation,
    left_to_capture,
    locked_payment,
)
from app.payments.record import record

log = structlog.get_logger()

_ACTOR = "job:expire"
ACTION_LIFE = timedelta(hours=24)
UNPAID_LIFE = timedelta(days=30)


def expire_authorisations(limit: int) -> int:
    """Books the uncaptured rest of authorisations past their time as cancelled. Returns how many.

    Time is the merchant's business time; what is being captured just now is left alone. Attempts that are closed have
    a rest too, where a late yes could not be given back.
    """
    business_now = func.now() + func.make_interval(0, 0, 0, 0, 0, 0, Merchant.clock_offset_seconds)
    with reading(ALL) as connection:
        rows = connection.execute(
            select(AUTHORISATIONS.c.id, AUTHORISATIONS.c.merchant_id, AUTHORISATIONS.c.live)
            .join(Merchant, Merchant.id == AUTHORISATIONS.c.merchant_id)
            .where(
                AUTHORISATIONS.c.expires_at < business_now,
                AUTHORISATIONS.c.captured + AUTHORISATIONS.c.cancelled < AUTHORISATIONS.c.authorised,
                AUTHORISATIONS.c.capture_pending + AUTHORISATIONS.c.cancel_pending == 0,
            )
            .order_by(AUTHORISATIONS.c.expires_at)
            .limit(limit)
        ).all()
    return _each(rows, _expire_authorisation)


def _each(rows: Iterable[Any], lapse: Callable[[Any], None]) -> int:
    """One that fails is logged, tried again by the next run, and stops no other. Returns how many did not fail."""
    done = 0
    for row in rows:
        try:
            lapse(row)
            done += 1
        except Exception as error:
            log.error("not_expired", what=lapse.__name__, id=str(row.id), error=type(error).__name__)
    return done


def _expire_authorisation(row: Any) -> None:
    with atomic(of(row.merchant_id, row.live)) as connection:
        held = held_authorisation(connection, row.id)
        left = left_to_capture(held.authorisation)
        if not left or held.authorisation["capture_pending"]:
            return
        held = fact(connection, held, "cancel", left, reference=None, actor=_ACTOR)
        effect = of_answer("cancel", "declined", left, held.authorisation, Outcome.APPROVED, left)
        if effect.stage == "cancelled":  # an attempt that is over ends no payment
            effect = replace(effect, stage="expired" if held.authorisation["is_open"] else None)
        record(connection, held, effect, actor=_ACTOR, values={"code": "expired"})


def expire_unpaid(limit: int) -> int:
    """Closes payments that nobody tried to make for thirty days of the merchant's business time. Returns how many."""
    business_now = func.now() + func.make_interval(0, 0, 0, 0, 0, 0, Merchant.clock_offset_seconds)
    with reading(ALL) as connection:
        rows = connection.execute(
            select(PAYMENTS.c.id, PAYMENTS.c.merchant_id, PAYMENTS.c.live)
            .join(Merchant, Merchant.id == PAYMENTS.c.merchant_id)
            .where(
                PAYMENTS.c.live.in_((True, False)),  # by the index over mode and status
                PAYMENTS.c.status == "created",
                PAYMENTS.c.created_at < business_now - UNPAID_LIFE,
            )
            .limit(limit)
        ).all()
    return _each(rows, _expire_unpaid)


def _expire_unpaid(row: Any) -> None:
    with atomic(of(row.merchant_id, row.live)) as connection:
        payment = locked_payment(connection, row.id)
        if payment["status"] == "created":
            close(connection, payment, "expired", actor=_ACTOR)


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
    return _each(rows, _expire_checkout)


def _expire_checkout(row: Any) -> None:
    table = checkouts.CHECKOUTS
    with atomic(of(row.merchant_id, row.live)) as connection:
        locked_payment(connection, row.payment_id)  # first, as everybody does: no two can wait for each other
        fresh = connection.execute(select(table).where(table.c.id == row.id).with_for_update()).mappings().one()
        if fresh["state"] == "open":
            checkouts.expire(connection, dict(fresh), actor=_ACTOR)


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
            .order_by(OPERATIONS.c.created_at)
            .limit(limit)
        ).all()
    return _each(rows, _expire_action)


def _expire_action(row: Any) -> None:
    with atomic(of(row.merchant_id, row.live)) as connection:
        held = held_operation(connection, row.id)
        if held.operation["state"] == "action":
            apply_answer(connection, held, Answer(Outcome.DECLINED), actor=_ACTOR)
