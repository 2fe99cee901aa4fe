"""One attempt to authorise a payment at one contract: how it is written down, and what the provider is asked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Connection, bindparam, func, select, text

from app.config import settings
from app.connectors.kinds import Authorise, Card, Payer, Resume
from app.core import vault
from app.core.clock import now
from app.core.events import tell
from app.core.fast import Statement, add
from app.core.ids import public_id, uuid7
from app.customers.instruments import Token, card_fingerprint
from app.payments.perform import operation_key
from app.payments.prepare import LEASE
from app.payments.queries import AUTHORISATIONS, OPERATIONS


@dataclass(frozen=True, slots=True)
class Means:
    """How the payer pays: a raw card, a stored instrument, or a method alone (PayPal)."""

    method: str
    card: Card | None = field(repr=False, default=None)
    instrument_id: UUID | None = None
    store: bool = False
    initiator: Literal["payer", "merchant"] = "payer"
    series: Literal["first", "following", "unscheduled"] | None = None
    ip_address: str | None = None
    user_agent: str | None = None


def new_attempt(
    connection: Connection,
    payment: Mapping[str, Any],
    contract: Mapping[str, Any],
    means: Means,
    actor: str,
    *,
    hold: bool = False,
    amount: int | None = None,
    keep: UUID | None = None,
) -> Mapping[str, Any]:
    """Inserts an open authorisation and its SUBMITTED operation. Returns the operation's row.

    `keep`: the expected instrument that gets its token.
    """
    at = now()
    attempt = _next_attempt(connection, payment)
    tenant = {"merchant_id": payment["merchant_id"], "live": payment["live"]}
    authorisation_id, operation_id = uuid7(), uuid7()
    last4 = means.card.last4 if means.card else None
    add(
        AUTHORISATIONS,
        {
            **tenant,
            "id": authorisation_id,
            "payment_id": payment["id"],
            "attempt": attempt,
            "contract_id": contract["id"],
            "provider": contract["provider"],
            "method": means.method,
            "amount": amount or payment["amount"],
            "currency": payment["currency"],
            "instrument_id": keep or means.instrument_id,
            "store": keep is not None,
            "last4": last4,
            "card_fingerprint": card_fingerprint(means.card) if means.card else None,
            "is_open": True,
            "held_for_review": hold,
            "created_at": at,
        },
    )
    operation = {
        **tenant,
        "id": operation_id,
        "group_id": operation_id,
        "payment_id": payment["id"],
        "authorisation_id": authorisation_id,
        "contract_id": contract["id"],
        "kind": "authorise",
        "state": "submitted",
        "step": 1,
        "amount": amount or payment["amount"],
        "currency": payment["currency"],
        "reason": "",
        "actor": actor,
        "leased_until": at + LEASE,
        "enquire_at": at + LEASE,
        "created_at": at,
        "updated_at": at,
    }
    add(OPERATIONS, operation)
    found = _ATTEMPTED.row(connection, {"id": payment["id"], "method": means.method, "last4": last4})
    assert found is not None, "the payment is locked or new, so it is there"
    tell(
        "authorisation.submitted",
        subject=("operation", operation_id),
        step=1,
        **tenant,
        audience="internal",
        payment_id=payment["id"],
        payment_step=found[0],
        data={"operation": public_id("op", operation_id), "provider": contract["provider"], "attempt": attempt},
        actor=actor,
    )
    return {**operation, "code": None, "provider_code": None, "message": None, "action": None, "booked_amount": None}


_ATTEMPTED = Statement(
    text(
        "UPDATE payments SET step = step + 1, stage = 'pending', method = :method, last4 = coalesce(:last4, last4)"
        " WHERE id = :id RETURNING step"
    )
)
_LAST_ATTEMPT = Statement(
    select(func.max(AUTHORISATIONS.c.attempt)).where(AUTHORISATIONS.c.payment_id == bindparam("id"))
)


def _next_attempt(connection: Connection, payment: Mapping[str, Any]) -> int:
    if payment["step"] == 1:  # it was created a moment ago: spare the question
        return 1
    found = _LAST_ATTEMPT.row(connection, {"id": payment["id"]})
    return (found[0] or 0) + 1 if found else 1


def ask(
    payment: Mapping[str, Any],
    operation: Mapping[str, Any],
    means: Means,
    token: Token | None,
    resume: Resume | None = None,
) -> Authorise:
    """`resume`: what the payer's way back carried, for an attempt that waited for them."""
    return Authorise(
        operation_key=operation_key(operation["id"]),
        method=means.method,
        amount=operation["amount"],
        currency=payment["currency"],
        merchant_reference=payment["merchant_reference"],
        card=means.card,
        token=token.token if token else None,
        payer=payer(payment, means),
        return_url=return_url(operation["id"]),
        description=payment["description"],
        store=means.store,
        initiator=means.initiator,
        series=means.series,
        scheme_transaction_id=token.scheme_transaction_id if token else None,
        resume=resume,
    )


def payer(payment: Mapping[str, Any], means: Means) -> Payer:
    return Payer(
        name=payment["payer_name"],
        email=payment["payer_email"],
        country=payment["payer_country"],
        language=payment["language"],
        ip_address=means.ip_address,
        user_agent=means.user_agent,
    )


def return_url(operation_id: UUID) -> str:
    """Where the payer comes back to after an action: signed, so that nobody can resume another's payment."""
    key = operation_key(operation_id)
    return f"{settings().public_url}/return/{key}.{vault.page_signature('return', key)}"
