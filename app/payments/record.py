"""Writes what became of an operation: its state, all sums, the books and the events, in one transaction.

The only place where a payment's sums change. The statement below moves operation, authorisation and
payment together; the payment is locked by the caller (queries.held_...).
"""

from collections.abc import Mapping
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import Connection, text

from app.core.clock import business_today, now
from app.core.events import Audience, tell
from app.core.fast import Statement
from app.core.ids import public_id
from app.core.states import IllegalMove
from app.ledger.post import Reason, post
from app.payments.effect import Effect
from app.payments.queries import PAYMENTS, Held
from app.payments.see_over import taken_too_much
from app.payments.states import AMOUNTS, NOUN, OPERATION

_SUMS = ", ".join(f"{name} = {{0}}.{name} + :{name}" for name in AMOUNTS)

_COLUMNS = tuple(column.name for column in PAYMENTS.c)

_RECORD = Statement(
    text(
        f"""
    WITH operation AS (
        UPDATE operations SET state = :to, step = step + 1, updated_at = :now,
            code = CAST(:code AS text), provider_code = CAST(:provider_code AS text),
            message = CAST(:message AS text), action = coalesce(CAST(:action AS jsonb), action),
            provider_reference = coalesce(:provider_reference, provider_reference),
            booked_amount = coalesce(CAST(:booked AS bigint), booked_amount),
            released_amount = released_amount + :cancelled,
            leased_until = :leased_until, enquire_at = :enquire_at,
            sent_at = CASE WHEN :to = 'submitted' THEN :now ELSE sent_at END
        WHERE id = :operation_id AND state = :from RETURNING step
    ), authorisation AS (
        UPDATE authorisations a SET {_SUMS.format("a")},
            is_open = coalesce(CAST(:is_open AS boolean), is_open),
            provider_reference = coalesce(:authorisation_reference, provider_reference),
            brand = coalesce(:brand, brand), last4 = coalesce(:last4, last4), funding = coalesce(:funding, funding),
            issuer_country = coalesce(:issuer_country, issuer_country),
            scheme_transaction_id = coalesce(:scheme_transaction_id, scheme_transaction_id),
            expires_at = coalesce(CAST(:expires_at AS timestamptz), expires_at),
            honour_until = coalesce(CAST(:honour_until AS timestamptz), honour_until)
        WHERE id = :authorisation_id
    ), payment AS (
        UPDATE payments p SET {_SUMS.format("p")}, step = step + 1, updated_at = :now,
            stage = coalesce(:stage, stage), brand = coalesce(:brand, brand), last4 = coalesce(:last4, last4),
            instrument_id = coalesce(CAST(:instrument_id AS uuid), instrument_id)
        WHERE id = :payment_id
        RETURNING {", ".join(f"p.{name}" for name in _COLUMNS)}
    )
    SELECT operation.step AS operation_step, payment.* FROM operation, payment
    """  # noqa: S608 - column names only
    )
)

_OPTIONAL = (
    *("code", "provider_code", "message", "action", "provider_reference", "leased_until", "enquire_at"),
    *("authorisation_reference", "brand", "last4", "funding", "issuer_country", "scheme_transaction_id"),
    *("instrument_id", "expires_at", "honour_until"),
)


def record(
    connection: Connection,
    held: Held,
    effect: Effect,
    *,
    actor: str,
    values: Mapping[str, Any] | None = None,
    data: Mapping[str, Any] | None = None,
    details: Mapping[str, Any] | None = None,
    event: tuple[str, Audience] | None = None,
) -> dict[str, Any]:
    """Applies `effect` to the held operation. Returns the payment's row as it is now (and `operation_step`).

    `values`: further columns of operation and authorisation (names in _OPTIONAL). `event`: what is told instead of
    the edge's own. Raises IllegalMove.
    """
    operation, payment = held.operation, held.payment
    OPERATION.check(operation["state"], effect.to)
    edge = event or OPERATION.edges[(operation["state"], effect.to)]
    at = now()
    given = dict.fromkeys(_OPTIONAL) | dict(values or {})
    assert len(given) == len(_OPTIONAL), values
    deltas = {name: effect.deltas.get(name, 0) for name in AMOUNTS}
    found = _RECORD.row(
        connection,
        {
            **given,
            **deltas,
            "action": Jsonb(given["action"]) if given["action"] else None,
            "to": effect.to,
            "from": operation["state"],
            "now": at,
            "booked": effect.booked,
            "stage": effect.stage,
            "is_open": effect.is_open,
            "operation_id": operation["id"],
            "authorisation_id": held.authorisation["id"],
            "payment_id": payment["id"],
        },
    )
    if found is None:
        raise IllegalMove(subject="operation", state=operation["state"])
    row = dict(zip(("operation_step", *_COLUMNS), found, strict=True))
    for number, posting in enumerate(effect.postings):
        post(
            connection,
            posting,
            Reason(
                key=f"{public_id('op', operation['id'])}/{row['operation_step']}/{number}",
                merchant_id=payment["merchant_id"],
                live=payment["live"],
                currency=payment["currency"],
                contract_id=operation["contract_id"],
                payment_id=payment["id"],
                operation_id=operation["id"],
                merchant_reference=payment["merchant_reference"],
                booking_date=business_today(held.clock_offset_seconds, held.timezone),
                fact=True,
            ),
        )
    _tell_too_much(held, row, actor)
    if edge is not None:
        name, audience = edge
        tell(
            name.format(noun=NOUN[operation["kind"]]),
            subject=("operation", operation["id"]),
            step=row["operation_step"],
            merchant_id=payment["merchant_id"],
            live=payment["live"],
            audience=audience,
            payment_id=payment["id"],
            payment_step=row["step"],
            data=told(held, effect, given, row) | dict(data or {}),
            details=details,
            actor=actor,
            about=row,
        )
    return row


def _tell_too_much(held: Held, row: Mapping[str, Any], actor: str) -> None:
    """Staff hear when a fact took or gave back more than was asked for. (Before the fact itself, which explains it.)"""
    payment = held.payment
    risen = {
        "payment.over_captured": taken_too_much(row) - max(0, taken_too_much(payment)),
        "payment.over_returned": row["over_returned"] - payment["over_returned"],
    }
    for name, amount in risen.items():
        if amount > 0:
            tell(
                name,
                subject=("operation", held.operation["id"]),
                merchant_id=payment["merchant_id"],
                live=payment["live"],
                audience="staff",
                payment_id=payment["id"],
                data={
                    "payment": {"id": public_id("pay", payment["id"])},
                    "operation": public_id("op", held.operation["id"]),
                    "amount": amount,
                    "currency": payment["currency"],
                },
                actor=actor,
            )


def told(held: Held, effect: Effect, given: Mapping[str, Any], row: Mapping[str, Any]) -> dict[str, Any]:
    """What an operation's event carries: ids, amounts and codes, and the payment's sums after it."""
    operation, payment = held.operation, held.payment
    return {
        "operation": public_id("op", operation["id"]),
        "kind": operation["kind"],
        "state": effect.to,
        "amount": operation["amount"] if effect.booked is None else effect.booked,
        "currency": payment["currency"],
        "code": given["code"],
        "reason": operation["reason"] or None,
        "provider": held.contract["provider"],
        "payment": {
            "id": public_id("pay", payment["id"]),
            "merchant_reference": payment["merchant_reference"],
            "status": row["status"],
            "amount": payment["amount"],
            "currency": payment["currency"],
            "authorised": row["authorised"],
            "captured": row["captured"],
            "cancelled": row["cancelled"],
            "refunded": row["refunded"],
            "charged_back": row["charged_back"],
        },
    }
