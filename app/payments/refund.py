"""`refund()`: give captured money back, whole or in parts. Prepare, call, record.

Providers that refund captures (PayPal) may need several calls for one sum; the operations of one
refund share their `group_id`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Connection, RowMapping, func, select, text

from app.connectors import CONNECTORS
from app.connectors.kinds import Refund
from app.core.db import atomic, of
from app.core.errors import Conflict, Refusal
from app.core.fast import Statement
from app.core.idempotency import Once, claim
from app.core.ids import uuid7
from app.core.texts import N_
from app.payments.perform import Done, operation_key, perform
from app.payments.permit import Permit, always
from app.payments.prepare import submit
from app.payments.queries import AUTHORISATIONS, OPERATIONS, Held, held_authorisation, left_to_refund, locked_payment


class NothingToRefund(Conflict):
    code = "nothing_to_refund"
    message = N_("Nothing is left to refund.")
    advice = N_("Only captured money can be refunded. An authorisation is cancelled instead.")


class RefundTooHigh(Refusal):
    code = "amount_too_high"
    message = N_("Only %(left)s minor units are left to refund.")
    advice = N_("Refund that much or less.")


class DisputeOpen(Conflict):
    code = "dispute_open"
    message = N_("The payer's bank has opened a dispute about this payment.")
    advice = N_("Answer the dispute; a refund now could pay the payer twice.")


@dataclass(frozen=True, slots=True)
class Part:
    """One call's share of a refund."""

    capture: RowMapping
    amount: int


def refund(
    *,
    merchant_id: UUID,
    live: bool,
    payment_id: UUID,
    actor: str,
    amount: int | None = None,
    reason: str = "",
    lines: Sequence[Mapping[str, Any]] | None = None,
    once: Once | None = None,
    permit: Permit = always,
) -> Done:
    """Refunds `amount` minor units (None: all that is left).

    Raises NotFound, NothingToRefund, RefundTooHigh, DisputeOpen, and what `permit` raises.
    """
    with atomic(of(merchant_id, live)) as connection:
        group_id = uuid7()
        claim(connection, once, merchant_id, live, ("operation", group_id))
        payment = locked_payment(connection, payment_id)
        asked = check(connection, payment, amount)
        hold = permit(connection, payment, "refund", asked, group_id)
        prepared = []
        for part in plan(connection, payment, asked):
            held = held_authorisation(connection, part.capture["authorisation_id"])
            submitted = submit(
                connection,
                held,
                "refund",
                part.amount,
                operation_id=uuid7() if prepared else group_id,
                group_id=group_id,
                capture_id=part.capture["id"],
                reason=reason,
                lines=lines,
                actor=actor,
                waits=hold is not None,
            )
            prepared.append((submitted, part))
        if hold:
            hold(connection, payment, group_id)
            return Done(prepared[-1][0].payment, prepared[0][0].operation)
    done = [
        perform(
            operation=held.operation,
            contract=held.contract,
            verb="refund",
            ask=ask(held, part.capture["provider_reference"]),
            actor=actor,
        )
        for held, part in prepared
    ]
    return Done(done[-1].payment, done[0].operation)


_DISPUTED = Statement(
    text("SELECT 1 FROM disputes WHERE payment_id = :payment AND state IN ('inquiry', 'charged_back') LIMIT 1")
)


def check(connection: Connection, payment: Mapping[str, Any], amount: int | None) -> int:
    """What is refunded. Raises as refund() does."""
    if _DISPUTED.row(connection, {"payment": payment["id"]}):
        raise DisputeOpen()
    left = left_to_refund(payment)
    if left == 0:
        raise NothingToRefund()
    asked = left if amount is None else amount
    if asked <= 0 or asked > left:
        raise RefundTooHigh(param="amount", left=left)
    return asked


def plan(connection: Connection, payment: Mapping[str, Any], amount: int) -> list[Part]:
    """Spreads a refund over captures, newest first: over as few calls as the provider needs."""
    returned = (
        select(
            OPERATIONS.c.capture_id,
            func.sum(func.coalesce(OPERATIONS.c.booked_amount, OPERATIONS.c.amount)).cast(BigInteger).label("sum"),
        )
        .where(
            OPERATIONS.c.payment_id == payment["id"],
            OPERATIONS.c.kind == "refund",
            OPERATIONS.c.state.not_in(("declined", "failed")),
        )
        .group_by(OPERATIONS.c.capture_id)
        .subquery()
    )
    captures = (
        connection.execute(
            select(
                OPERATIONS.c.id,
                OPERATIONS.c.authorisation_id,
                OPERATIONS.c.provider_reference,
                AUTHORISATIONS.c.provider,
                (OPERATIONS.c.booked_amount - func.coalesce(returned.c.sum, 0)).label("left"),
            )
            .join(AUTHORISATIONS, AUTHORISATIONS.c.id == OPERATIONS.c.authorisation_id)
            .join(returned, returned.c.capture_id == OPERATIONS.c.id, isouter=True)
            .where(
                OPERATIONS.c.payment_id == payment["id"],
                OPERATIONS.c.kind == "capture",
                OPERATIONS.c.state == "succeeded",
            )
            .order_by(OPERATIONS.c.id.desc())
        )
        .mappings()
        .all()
    )
    parts: list[Part] = []
    for group in _callable_groups(captures):
        share = min(sum(row["left"] for row in group), amount)
        if share > 0:
            parts.append(Part(group[0], share))
            amount -= share
        if amount == 0:
            return parts
    raise NothingToRefund()


def _callable_groups(captures: Sequence[RowMapping]) -> list[list[RowMapping]]:
    """Captures that one refund call can cover: each alone, or all of one authorisation."""
    groups: dict[object, list[RowMapping]] = {}
    for row in captures:
        by_capture = CONNECTORS[row["provider"]].CAN.refunds_by == "capture"
        groups.setdefault(row["id"] if by_capture else row["authorisation_id"], []).append(row)
    return list(groups.values())


def ask(held: Held, capture_reference: str | None) -> Refund:
    operation = held.operation
    return Refund(
        operation_key=operation_key(operation["id"]),
        provider_reference=held.authorisation["provider_reference"] or "",
        amount=operation["amount"],
        currency=operation["currency"],
        capture_reference=capture_reference,
        reason=operation["reason"],
        merchant_reference=held.payment["merchant_reference"],
    )
