"""UNKNOWN is resolved by asking, never by guessing.

A job claims operations whose enquiry is due (also those whose process died after SUBMITTED), asks the
provider in the way its connector declares, and records what it hears. What stays without an answer
for too long goes to the staff's worklist (worklist.py), still reserved.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from flask import Flask
from sqlalchemy import select, update

from app.connectors import CONNECTORS
from app.connectors.kinds import Answer, DeclineCode, Enquire, Outcome, Verb
from app.core.clock import now
from app.core.db import ALL, atomic, of, reading
from app.core.ids import public_id
from app.core.logs import about, about_payment
from app.payments import cancel, capture, refund
from app.payments.again import again
from app.payments.effect import Effect
from app.payments.perform import (
    Done,
    apply_answer,
    call,
    can_resume,
    later_again,
    operation_key,
    perform,
    record_answer,
    returned,
)
from app.payments.prepare import LEASE
from app.payments.queries import OPERATIONS, Held, held_operation, read_operation
from app.payments.record import record
from app.payments.resume import resume

log = structlog.get_logger()

# A request that the provider says it never saw may still be on its way; after this it cannot be.
SURELY_LOST_AFTER = timedelta(seconds=60)
_VERBS: dict[str, Verb] = {"authorise": "authorise", "capture": "capture", "refund": "refund", "cancel": "cancel"}


def due(limit: int) -> Sequence[tuple[UUID, UUID, bool]]:
    """Claims up to `limit` operations to ask about: (id, merchant, live). The claim is a lease of 60 s."""
    claimable = (
        select(OPERATIONS.c.id)
        .where(
            OPERATIONS.c.state.in_(("created", "submitted", "pending", "action", "unknown")),
            OPERATIONS.c.enquire_at <= now(),
        )
        .order_by(OPERATIONS.c.enquire_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    with atomic(ALL) as connection:
        rows = connection.execute(
            update(OPERATIONS)
            .where(OPERATIONS.c.id.in_(claimable))
            .values(leased_until=now() + LEASE, enquire_at=now() + LEASE)
            .returning(OPERATIONS.c.id, OPERATIONS.c.merchant_id, OPERATIONS.c.live)
        ).all()
    return [(row.id, row.merchant_id, row.live) for row in rows]


def resolve_due(app: Flask, limit: int = 100, threads: int = 32) -> int:
    """Asks about everything that is due, many at a time. Returns how many were asked about."""
    claimed = due(limit)

    def one(claim: tuple[UUID, UUID, bool]) -> None:
        with app.app_context():
            about(actor="job:resolve_unknown")  # in this thread
            try:
                resolve(claim[0], merchant_id=claim[1], live=claim[2])
            except Exception as error:
                log.error("resolve_failed", operation=public_id("op", claim[0]), error=repr(error))

    if claimed:
        with ThreadPoolExecutor(min(threads, len(claimed))) as pool:
            list(pool.map(one, claimed))
    return len(claimed)


def resolve(operation_id: UUID, *, merchant_id: UUID, live: bool) -> Done:
    """Finds out what became of one operation and records it. An operation never sent is sent."""
    with reading(of(merchant_id, live)) as connection:
        held = read_operation(connection, operation_id)
        request = again(connection, held)
    with about_payment(public_id("pay", held.payment["id"])):
        return _resolved(held, request)


def _resolved(held: Held, request: Any) -> Done:
    state, kind = held.operation["state"], held.operation["kind"]
    mine = {"merchant_id": held.operation["merchant_id"], "live": held.operation["live"]}
    operation_id = held.operation["id"]
    if state == "created":
        return _send_created(held)
    if kind not in _VERBS or state in ("succeeded", "declined", "failed"):
        return Done(held.payment, held.operation)
    if CONNECTORS[held.contract["provider"]].CAN.resolve[_VERBS[kind]] == "by_news":
        return _wait(held)
    answer = call(held.contract, "enquire", enquiry(held, request))
    if answer is not None and _payer_is_done(held, answer):
        return resume(**mine, operation_id=operation_id, parameters={}, actor="job:resolve")
    if answer is None or _still_unclear(held, answer):
        return _wait(held)
    if answer.code is DeclineCode.NEVER_ARRIVED:
        answer = None  # provably nothing happened
    return record_answer(**mine, operation_id=operation_id, answer=answer, actor="job:resolve")


def _payer_is_done(held: Held, answer: Answer) -> bool:
    """They did what was asked of them, but did not come back to us, or we heard no answer when they did."""
    if not can_resume(held.operation):
        return False
    return answer.outcome is Outcome.PENDING or (answer.outcome is Outcome.ACTION and bool(returned(held.operation)))


def enquiry(held: Held, request: Any) -> Enquire:
    """`request`: what may be sent again (again.py)."""
    operation, authorisation = held.operation, held.authorisation
    return Enquire(
        verb=_VERBS[operation["kind"]],
        operation_key=operation_key(operation["id"]),
        amount=operation["amount"],
        currency=operation["currency"],
        provider_reference=operation["provider_reference"],
        authorisation_reference=authorisation["provider_reference"],
        merchant_reference=held.payment["merchant_reference"],
        again=request,
    )


def _still_unclear(held: Held, answer: Answer) -> bool:
    if answer.outcome is Outcome.UNKNOWN:
        return True
    # Every sending is a transition, so it was sent no later than this; it may have been written down hours before.
    young = now() - held.operation["updated_at"] < SURELY_LOST_AFTER
    return answer.code is DeclineCode.NEVER_ARRIVED and young


def _wait(held: Held) -> Done:
    """Nothing new: SUBMITTED becomes UNKNOWN, anything else is asked about later."""
    operation = held.operation
    with atomic(of(operation["merchant_id"], operation["live"])) as connection:
        held = held_operation(connection, operation["id"])
        if held.operation["state"] == "submitted":
            return apply_answer(connection, held, Answer(Outcome.UNKNOWN), actor="job:resolve")
        return later_again(connection, held)


_ASKS = {"cancel": cancel.ask, "capture": capture.ask}


def _send_created(held: Held) -> Done:
    """An operation that was written down to be sent later (the cancellation of a late yes)."""
    operation = held.operation
    with atomic(of(operation["merchant_id"], operation["live"])) as connection:
        held = held_operation(connection, operation["id"])
        if held.operation["state"] != "created":
            return Done(held.payment, held.operation)
        values = {"leased_until": now() + LEASE, "enquire_at": now() + LEASE}
        record(connection, held, Effect("submitted"), actor=operation["actor"], values=values)
    ask = refund.ask(held, None) if operation["kind"] == "refund" else _ASKS[operation["kind"]](held)
    return perform(
        operation={**operation, **values},
        contract=held.contract,
        verb=operation["kind"],
        ask=ask,
        actor=operation["actor"],
    )
