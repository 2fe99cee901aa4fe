"""`authorise()`: reserve the payer's money at a provider. Prepare, call, record.

A card number lives in this one request. Candidates are tried in order, but only as long as nothing was
provably sent; silence never moves on to the next one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Connection, bindparam, func, select, text, update

from app.config import settings
from app.connectors.kinds import Authorise, Card, Payer, Resume
from app.core import vault
from app.core.clock import now
from app.core.db import atomic, of
from app.core.errors import Conflict
from app.core.events import tell
from app.core.fast import Statement, add
from app.core.idempotency import Once, claim
from app.core.ids import public_id, uuid7
from app.core.texts import N_
from app.customers import instruments
from app.customers.instruments import Token
from app.payments import capture as capturing
from app.payments.effect import Effect
from app.payments.perform import Done, Keep, operation_key, perform
from app.payments.prepare import LEASE
from app.payments.queries import AUTHORISATIONS, OPERATIONS, held_operation, locked_payment
from app.payments.record import record
from app.payments.start import Order, start
from app.risk.assess import Decision, assess
from app.risk.kinds import Subject, Verdict
from app.routing.choose import Candidate, choose, decided


class AttemptUnderWay(Conflict):
    code = "attempt_under_way"
    message = N_("This payment is being processed already.")
    advice = N_("Wait for its outcome before you try again.")


class AlreadyPaid(Conflict):
    code = "already_paid"
    message = N_("This payment is %(state)s already.")
    advice = N_("Nothing more has to be done.")


class NotForReview(Conflict):
    code = "step_needed"
    message = N_("The payer must take a step first: %(step)s.")
    advice = N_("Send the payer to the hosted checkout.")


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


@dataclass(frozen=True, slots=True)
class _Prepared:
    payment: Mapping[str, Any]
    operation: Mapping[str, Any]
    candidates: Sequence[Candidate]
    tokens: Mapping[UUID, Token]
    refused: bool
    hold: bool


def authorise(
    *,
    merchant_id: UUID,
    live: bool,
    means: Means,
    actor: str,
    order: Order | None = None,
    payment_id: UUID | None = None,
    once: Once | None = None,
) -> Done:
    """Authorises a new payment (`order`) or one that exists (`payment_id`); captures at once if it says so.

    Raises AttemptUnderWay, AlreadyPaid, NoRoute, NotFound, NotForReview, InstrumentInactive; Repeated and
    KeyReused from the idempotency key. A decline is not raised: it is in the result.
    """
    with atomic(of(merchant_id, live)) as connection:
        payment_id_ = payment_id or uuid7()
        claim(connection, once, merchant_id, live, ("payment", payment_id_))
        if order is not None:
            payment = start(connection, order, merchant_id=merchant_id, live=live, actor=actor, payment_id=payment_id_)
        else:
            payment = free_payment(connection, payment_id_)
        prepared = _prepare(connection, payment, means, actor)
    if prepared.refused:
        return Done(prepared.payment, prepared.operation)
    done = _try_candidates(prepared, means, actor)
    return capture_if_automatic(done, actor)


def free_payment(connection: Connection, payment_id: UUID) -> Mapping[str, Any]:
    """Locks a payment that may be (tried to be) paid now. An abandoned action of the payer is closed for it."""
    payment = locked_payment(connection, payment_id)
    if payment["status"] not in ("created", "failed", "requires_action", "pending"):
        raise AlreadyPaid(state=payment["status"])
    open_ = connection.execute(
        select(OPERATIONS.c.id, OPERATIONS.c.state)
        .join(AUTHORISATIONS, AUTHORISATIONS.c.id == OPERATIONS.c.authorisation_id)
        .where(AUTHORISATIONS.c.payment_id == payment_id, AUTHORISATIONS.c.is_open, OPERATIONS.c.kind == "authorise")
    ).first()
    if open_ is None:
        return payment
    if open_.state != "action":
        raise AttemptUnderWay()
    held = held_operation(connection, open_.id)
    effect = Effect("declined", stage="failed", is_open=False)
    return record(connection, held, effect, actor="payer", values={"code": "payer_cancelled"})


def _prepare(connection: Connection, payment: Mapping[str, Any], means: Means, actor: str) -> _Prepared:
    """Checks and writes the first attempt as SUBMITTED."""
    tokens: dict[UUID, Token] = {}
    if means.instrument_id is not None:
        instrument, tokens = instruments.tokens(connection, means.instrument_id)
        means = replace(means, method=instrument["method"])
    candidates = choose(
        connection,
        merchant_id=payment["merchant_id"],
        live=payment["live"],
        method=means.method,
        currency=payment["currency"],
        only=list(tokens) if means.instrument_id is not None else None,
    )
    decided(
        merchant_id=payment["merchant_id"],
        live=payment["live"],
        payment_id=payment["id"],
        candidates=candidates,
    )
    decision = _assess(connection, payment, means)
    if decision.verdict is Verdict.ASK:
        raise NotForReview(step=decision.step)
    hold = decision.verdict is Verdict.REVIEW
    operation = new_attempt(connection, payment, candidates[0].contract, means, actor, hold=hold)
    if decision.verdict is not Verdict.DENY:
        return _Prepared(payment, operation, candidates, tokens, False, hold)
    held = held_operation(connection, operation["id"])
    effect = Effect("declined", stage="failed", is_open=False)
    payment = record(connection, held, effect, actor=actor, values={"code": "refused_by_risk_check"})
    refused = {**operation, "state": "declined", "code": "refused_by_risk_check"}
    return _Prepared(payment, refused, candidates, tokens, True, hold)


def _assess(connection: Connection, payment: Mapping[str, Any], means: Means) -> Decision:
    return assess(
        connection,
        Subject(
            merchant_id=payment["merchant_id"],
            live=payment["live"],
            payment_id=payment["id"],
            method=means.method,
            amount=payment["amount"],
            currency=payment["currency"],
            email=payment["payer_email"],
            ip_address=means.ip_address,
            card_fingerprint=instruments.card_fingerprint(means.card) if means.card else None,
        ),
    )


def new_attempt(
    connection: Connection,
    payment: Mapping[str, Any],
    contract: Mapping[str, Any],
    means: Means,
    actor: str,
    *,
    hold: bool = False,
    amount: int | None = None,
) -> Mapping[str, Any]:
    """Inserts an open authorisation and its SUBMITTED operation. Returns the operation's row."""
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
            "instrument_id": means.instrument_id,
            "last4": last4,
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


def _try_candidates(prepared: _Prepared, means: Means, actor: str) -> Done:
    payment, operation = prepared.payment, prepared.operation
    keep = Keep(payment["customer_id"], means.card) if means.store else None
    for number, candidate in enumerate(prepared.candidates):
        if number:
            with atomic(of(payment["merchant_id"], payment["live"])) as connection:
                payment = free_payment(connection, payment["id"])  # another tab may have been quicker
                operation = new_attempt(connection, payment, candidate.contract, means, actor, hold=prepared.hold)
        done = perform(
            merchant_id=payment["merchant_id"],
            live=payment["live"],
            operation_id=operation["id"],
            contract=candidate.contract,
            verb="authorise",
            ask=_ask(payment, operation, means, prepared.tokens.get(candidate.contract["id"])),
            actor=actor,
            keep=keep,
        )
        if done.operation["state"] != "failed":
            break
    return done  # pyright: ignore[reportPossiblyUnboundVariable]  # choose() never answers an empty list


def _ask(
    payment: Mapping[str, Any],
    operation: Mapping[str, Any],
    means: Means,
    token: Token | None,
    resume: Resume | None = None,
) -> Authorise:
    return Authorise(
        operation_key=operation_key(operation["id"]),
        method=means.method,
        amount=operation["amount"],
        currency=payment["currency"],
        merchant_reference=payment["merchant_reference"],
        card=means.card,
        token=token.token if token else None,
        payer=Payer(
            name=payment["payer_name"],
            email=payment["payer_email"],
            country=payment["payer_country"],
            language=payment["language"],
            ip_address=means.ip_address,
            user_agent=means.user_agent,
        ),
        return_url=return_url(operation["id"]),
        description=payment["description"],
        store=means.store,
        initiator=means.initiator,
        series=means.series,
        scheme_transaction_id=token.scheme_transaction_id if token else None,
        resume=resume,
    )


def return_url(operation_id: UUID) -> str:
    """Where the payer comes back to after an action: signed, so that nobody can resume another's payment."""
    key = operation_key(operation_id)
    return f"{settings().public_url}/return/{key}.{vault.page_signature('return', key)}"


def resume(*, merchant_id: UUID, live: bool, operation_id: UUID, parameters: Mapping[str, str], actor: str) -> Done:
    """The payer came back from an action: asks the provider how it went. Only the first of several calls asks."""
    with atomic(of(merchant_id, live)) as connection:
        held = held_operation(connection, operation_id)
        if held.operation["state"] != "action":
            return Done(held.payment, held.operation)
        connection.execute(
            update(OPERATIONS)
            .where(OPERATIONS.c.id == operation_id)
            .values(state="submitted", step=OPERATIONS.c.step + 1, leased_until=now() + LEASE, enquire_at=now() + LEASE)
        )
    reference = held.operation["provider_reference"] or held.authorisation["provider_reference"] or ""
    done = perform(
        merchant_id=merchant_id,
        live=live,
        operation_id=operation_id,
        contract=held.contract,
        verb="authorise",
        ask=_ask(
            held.payment,
            held.operation,
            Means(method=held.authorisation["method"]),
            None,
            Resume(provider_reference=reference, parameters=parameters),
        ),
        actor=actor,
    )
    return capture_if_automatic(done, actor)


def capture_if_automatic(done: Done, actor: str) -> Done:
    """Captures at once when the payment asks for it. A crash before this is made good by the capture job."""
    payment = done.payment
    if done.operation["state"] != "succeeded" or payment["capture_mode"] != "automatic":
        return done
    if payment["status"] != "authorised":
        return done
    try:
        captured = capturing.capture(
            merchant_id=payment["merchant_id"], live=payment["live"], payment_id=payment["id"], actor=actor, final=True
        )
    except capturing.HeldForReview:
        return done
    return Done(captured.payment, done.operation)
