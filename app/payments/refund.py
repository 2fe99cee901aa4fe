"""`refund()`: give captured money back, whole or in parts. Prepare, call, record.

Providers that refund captures (PayPal) may need several calls for one sum; the operations of one
refund share their `group_id`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Connection, RowMapping, case, func, select, text

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


class RefundsEnded(Conflict):
    code = "refunds_ended"
    message = N_("An earlier refund of this payment was asked for as the last one.")
    advice = N_("Pay the payer in another way, or ask for the earlier refund's status first.")


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
    final: bool = False,
    reason: str = "",
    lines: Sequence[Mapping[str, Any]] | None = None,
    once: Once | None = None,
    permit: Permit = always,
) -> Done:
    """Refunds `amount` minor units (None: all that is left). `final`: none may follow, unless this one fails.

    The operation of the result stands for all parts, see whole(). Raises NotFound, NothingToRefund, RefundTooHigh,
    RefundsEnded, DisputeOpen, and what `permit` raises.
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
                final=final,
                reason=reason,
                lines=lines,
                actor=actor,
                waits=hold is not None,
            )
            prepared.append((submitted, part))
        if hold:
            hold(connection, payment, group_id)
            return Done(prepared[-1][0].payment, whole([held.operation for held, _ in prepared]))
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
    return Done(done[-1].payment, whole([one.operation for one in done]))


# From the least finished to the most: what is said of a refund in parts is said of its least finished one.
_LEAST_FINISHED = (
    *("pending_approval", "created", "submitted", "unknown", "pending", "failed", "declined", "succeeded"),
)


def whole(parts: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The operations of one refund as one: amounts added up (`booked_amount`: what really went back), the state and
    the reason of the least finished one."""
    least = min(parts, key=lambda part: _LEAST_FINISHED.index(part["state"]))
    booked = [part["booked_amount"] for part in parts if part["booked_amount"] is not None]
    return {
        **parts[0],
        **{name: least[name] for name in ("state", "code", "provider_code", "message")},
        "amount": sum(part["amount"] for part in parts),
        "booked_amount": sum(booked) if booked else None,
        "updated_at": max(part["updated_at"] for part in parts),
    }


_IN_THE_WAY = Statement(
    text(
        "SELECT EXISTS (SELECT 1 FROM disputes WHERE payment_id = :payment AND state IN ('inquiry', 'charged_back')),"
        " EXISTS (SELECT 1 FROM operations WHERE payment_id = :payment AND kind = 'refund' AND final"
        " AND state NOT IN ('declined', 'failed'))"
    )
)


def check(connection: Connection, payment: Mapping[str, Any], amount: int | None, *, own: UUID | None = None) -> int:
    """What is refunded. `own`: the group of a refund that is written down already and does not stand in its own way.
    Raises as refund() does."""
    found = _IN_THE_WAY.row(connection, {"payment": payment["id"], "own": own})
    disputed, ended = found or (False, False)
    if disputed:
        raise DisputeOpen()
    left = left_to_refund(payment)
    if left == 0:
        raise NothingToRefund()
    if ended:
        raise RefundsEnded()
    asked = left if amount is None else amount
    if asked <= 0 or asked > left:
        raise RefundTooHigh(param="amount", left=left)
    return asked


def plan(connection: Connection, payment: Mapping[str, Any], amount: int) -> list[Part]:
    """Spreads a refund over captures, newest first: over as few calls as the provider needs.

    No authorisation gives back more than it has taken, and no capture where refunds name captures.
    """
    captures, returned = _captures(connection, payment["id"]), _returned(connection, payment["id"])
    parts: list[Part] = []
    for authorisation_id, group in groupby(captures, lambda row: row["authorisation_id"]):
        rows = list(group)
        room = min(left_to_refund(dict(rows[0])), amount)
        if CONNECTORS[rows[0]["provider"]].CAN.refunds_by == "authorisation":
            shares = [(rows[0], room)]
        else:
            shares = _by_capture(rows, returned.get(authorisation_id, {}), room)
        parts += [Part(row, share) for row, share in shares if share > 0]
        amount -= sum(share for _, share in shares)
    if amount:
        raise NothingToRefund()
    return parts


_SUMS = ("captured", "refunded", "refund_pending", "charged_back", "over_returned")


def _captures(connection: Connection, payment_id: UUID) -> Sequence[RowMapping]:
    """Of a payment, with the sums of their authorisations; those of the newest authorisation first, newest first."""
    query = (
        select(
            *(OPERATIONS.c[name] for name in ("id", "authorisation_id", "provider_reference", "booked_amount")),
            AUTHORISATIONS.c.provider,
            *(AUTHORISATIONS.c[name] for name in _SUMS),
        )
        .join(AUTHORISATIONS, AUTHORISATIONS.c.id == OPERATIONS.c.authorisation_id)
        .where(OPERATIONS.c.payment_id == payment_id, OPERATIONS.c.kind == "capture", OPERATIONS.c.state == "succeeded")
        .order_by(AUTHORISATIONS.c.attempt.desc(), OPERATIONS.c.id.desc())
    )
    return connection.execute(query).mappings().all()


def _returned(connection: Connection, payment_id: UUID) -> dict[UUID, dict[UUID | None, int]]:
    """By authorisation and capture: what went back, or is about to, or was charged back. None: nobody said of which."""
    amount = func.coalesce(OPERATIONS.c.booked_amount, OPERATIONS.c.amount)
    signed = case((OPERATIONS.c.kind == "reversal", -amount), else_=amount)
    query = (
        select(OPERATIONS.c.authorisation_id, OPERATIONS.c.capture_id, func.sum(signed).cast(BigInteger).label("sum"))
        .where(
            OPERATIONS.c.payment_id == payment_id,
            OPERATIONS.c.kind.in_(("refund", "chargeback", "reversal")),
            OPERATIONS.c.state.not_in(("declined", "failed")),
        )
        .group_by(OPERATIONS.c.authorisation_id, OPERATIONS.c.capture_id)
    )
    found: dict[UUID, dict[UUID | None, int]] = {}
    for row in connection.execute(query):
        found.setdefault(row.authorisation_id, {})[row.capture_id] = row.sum
    return found


def _by_capture(
    rows: Sequence[RowMapping], returned: Mapping[UUID | None, int], amount: int
) -> list[tuple[RowMapping, int]]:
    """`amount` over the captures of one authorisation. What went back of none in particular (in the provider's portal,
    by a bank) or of one more than it had is taken off the newest first, so that an exhausted one is not asked."""
    left = {row["id"]: row["booked_amount"] - returned.get(row["id"], 0) for row in rows}
    homeless = sum(sum_ for capture_id, sum_ in returned.items() if capture_id not in left)
    homeless += sum(-value for value in left.values() if value < 0)
    shares = []
    for row in rows:
        room = max(0, left[row["id"]])
        gone = min(room, max(0, homeless))
        share = min(room - gone, amount)
        homeless, amount = homeless - gone, amount - share
        shares.append((row, share))
    return shares


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
