"""`authorise()`: reserve the payer's money at a provider. Prepare, call, record.

A card number lives in this one request. Candidates are tried in order, but only as long as nothing was
provably sent; silence never moves on to the next one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from app.connectors import CONNECTORS
from app.core import http
from app.core.db import atomic, of
from app.core.errors import Conflict
from app.core.events import Audience
from app.core.idempotency import Once, claim
from app.core.ids import public_id, uuid7
from app.core.logs import about_payment
from app.core.texts import N_
from app.customers import instruments
from app.customers.instruments import Token
from app.customers.register import keep_tokens, register_at
from app.customers.restrict import refuse_restricted_payer
from app.payments import capture as capturing
from app.payments.attempt import Means, ask, new_attempt, payer
from app.payments.effect import Effect
from app.payments.perform import NOT_SENT, Done, apply_answer, is_still_ours, record_answer, send
from app.payments.permit import Permit, always
from app.payments.queries import AUTHORISATIONS, OPERATIONS, held_operation, locked_payment
from app.payments.record import record
from app.payments.schedule import lasting_candidates
from app.payments.start import Order, start
from app.receivables import collect
from app.risk.assess import Decision, assess, decided
from app.risk.kinds import Subject, Verdict
from app.routing.choose import Candidate, choose
from app.routing.choose import decided as routed


class AttemptUnderWay(Conflict):
    code = "attempt_under_way"
    message = N_("This payment is being processed already.")
    advice = N_("Wait for its outcome before you try again.")


class AlreadyPaid(Conflict):
    code = "already_paid"
    message = N_("This payment is %(state)s already.")
    advice = N_("Nothing more has to be done.")


class StepNeeded(Conflict):
    """The attempt is rolled back; what the checks decided is written down all the same."""

    code = "step_needed"
    message = N_("The payer must take a step first: %(step)s.")
    advice = N_("Send the payer to the hosted checkout.")

    def __init__(self, subject: Subject, decision: Decision) -> None:
        super().__init__(step=decision.step)
        self.subject, self.decision = subject, decision


REGISTERING_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class _Prepared:
    payment: Mapping[str, Any]
    operation: Mapping[str, Any]
    means: Means  # with the instrument's own method
    candidates: Sequence[Candidate]
    tokens: Mapping[UUID, Token]
    refused: bool
    hold: bool
    keep: UUID | None


def authorise(
    *,
    merchant_id: UUID,
    live: bool,
    means: Means,
    actor: str,
    order: Order | None = None,
    payment_id: UUID | None = None,
    once: Once | None = None,
    permit: Permit = always,
) -> Done:
    """Authorises a new payment (`order`) or one that exists (`payment_id`); captures at once if it says so.

    `permit` is asked about the capture of a new payment that will capture itself; it passes or refuses.
    Raises AttemptUnderWay, AlreadyPaid, NoRoute, CaptureDateTooLate, NotFound, StepNeeded, InstrumentInactive,
    CustomerRestricted, BeingCollected, NothingDue, LessDue; Repeated and KeyReused from the idempotency key. A decline
    is not raised: it is in the result.
    """
    try:
        with atomic(of(merchant_id, live)) as connection:
            id_ = payment_id or uuid7()
            claim(connection, once, merchant_id, live, ("payment", id_))
            if order is not None:
                whose = {"merchant_id": merchant_id, "live": live, "actor": actor, "payment_id": id_}
                payment = start(connection, order, **whose, permit=permit)
            else:
                payment = free_payment(connection, id_)
            prepared = _prepare(connection, payment, means, actor)
    except StepNeeded as asked:
        with atomic(of(merchant_id, live)):
            decided(asked.subject, asked.decision)
        raise
    if prepared.refused:
        return Done(prepared.payment, prepared.operation)
    done = _try_candidates(prepared, actor)
    return capture_if_automatic(done, actor)


def free_payment(connection: Connection, payment_id: UUID) -> Mapping[str, Any]:
    """Locks a payment that may be (tried to be) paid now. An abandoned action of the payer is closed for it."""
    payment = locked_payment(connection, payment_id)
    if payment["status"] not in ("created", "failed", "requires_action", "pending"):
        raise AlreadyPaid(state=payment["status"])
    open_ = attempt_under_way(connection, payment_id)
    if open_ is None:
        return payment
    if open_.state != "action":
        raise AttemptUnderWay()
    return give_up_action(connection, open_.id)


def attempt_under_way(connection: Connection, payment_id: UUID) -> Any:
    """`id`, `state` and `created_at` of the operation that (tries to) authorise; None if none is open."""
    return connection.execute(
        select(OPERATIONS.c.id, OPERATIONS.c.state, OPERATIONS.c.created_at)
        .join(AUTHORISATIONS, AUTHORISATIONS.c.id == OPERATIONS.c.authorisation_id)
        .where(AUTHORISATIONS.c.payment_id == payment_id, AUTHORISATIONS.c.is_open, OPERATIONS.c.kind == "authorise")
    ).first()


def give_up_action(connection: Connection, operation_id: UUID, *, actor: str = "payer") -> Mapping[str, Any]:
    """Closes an attempt that waits for its payer; a late yes is given back (late.py). Returns the payment's row."""
    held = held_operation(connection, operation_id)
    effect = Effect("declined", stage="failed", is_open=False)
    return record(connection, held, effect, actor=actor, values={"code": "payer_cancelled"})


def _prepare(connection: Connection, payment: Mapping[str, Any], means: Means, actor: str) -> _Prepared:
    """Checks and writes the first attempt as SUBMITTED."""
    refuse_restricted_payer(connection, payment)  # it may have been restricted since the checkout was opened
    if payment["receivable_id"] is not None:
        collect.take(connection, payment["receivable_id"], payment["id"], payment["amount"])
    tokens: dict[UUID, Token] = {}
    fingerprint = instruments.card_fingerprint(means.card) if means.card else None
    if means.instrument_id is not None:
        instrument, tokens = instruments.tokens(connection, means.instrument_id)
        means = replace(means, method=instrument["method"])
        fingerprint = instrument["fingerprint"]
    candidates = choose(
        connection,
        merchant_id=payment["merchant_id"],
        live=payment["live"],
        method=means.method,
        currency=payment["currency"],
        only=list(tokens) if means.instrument_id is not None else None,
    )
    candidates = lasting_candidates(connection, payment, candidates)
    routed(
        merchant_id=payment["merchant_id"],
        live=payment["live"],
        payment_id=payment["id"],
        candidates=candidates,
    )
    subject = _subject(payment, means, fingerprint)
    decision = assess(connection, subject)
    if decision.verdict is Verdict.ASK:
        raise StepNeeded(subject, decision)
    decided(subject, decision)
    hold, denied = decision.verdict is Verdict.REVIEW, decision.verdict is Verdict.DENY
    keep = _expected(connection, payment, means) if means.store and not denied else None
    operation = new_attempt(connection, payment, candidates[0].contract, means, actor, hold=hold, keep=keep)
    if not denied:
        return _Prepared(payment, operation, means, candidates, tokens, False, hold, keep)
    held = held_operation(connection, operation["id"])
    effect = Effect("declined", stage="failed", is_open=False)
    payment = record(connection, held, effect, actor=actor, values={"code": "refused_by_risk_check"})
    refused = {**operation, "state": "declined", "code": "refused_by_risk_check"}
    return _Prepared(payment, refused, means, candidates, tokens, True, hold, None)


def _expected(connection: Connection, payment: Mapping[str, Any], means: Means) -> UUID | None:
    """The instrument that this payment will leave behind if it succeeds; one that is stored already needs none."""
    if means.instrument_id is not None:
        return None
    return instruments.expect(
        connection,
        merchant_id=payment["merchant_id"],
        live=payment["live"],
        method=means.method,
        customer_id=payment["customer_id"],
        card=means.card,
    )


def _subject(payment: Mapping[str, Any], means: Means, card_fingerprint: bytes | None) -> Subject:
    return Subject(
        merchant_id=payment["merchant_id"],
        live=payment["live"],
        payment_id=payment["id"],
        method=means.method,
        amount=payment["amount"],
        currency=payment["currency"],
        email=payment["payer_email"],
        ip_address=means.ip_address,
        card_fingerprint=card_fingerprint,
    )


def _try_candidates(prepared: _Prepared, actor: str) -> Done:
    """Asks the first candidate, and the next one as long as nothing was provably sent."""
    payment, operation = prepared.payment, prepared.operation
    _register_elsewhere(prepared)
    with about_payment(public_id("pay", payment["id"])):
        for candidate, following in zip_longest(prepared.candidates, prepared.candidates[1:]):
            token = prepared.tokens.get(candidate.contract["id"])
            question = ask(payment, operation, prepared.means, token)
            answer = send(operation, candidate.contract, "authorise", question)
            if answer is not None or following is None:
                break
            moved_on = _move_on(prepared, operation, following, actor)
            if isinstance(moved_on, Done):
                return moved_on
            operation = moved_on
        tenant = {"merchant_id": payment["merchant_id"], "live": payment["live"]}
        return record_answer(
            **tenant,
            operation_id=operation["id"],
            answer=answer,  # pyright: ignore[reportPossiblyUnboundVariable]  # choose() never answers an empty list
            actor=actor,
            sent_as=operation,
        )


def _move_on(
    prepared: _Prepared, operation: Mapping[str, Any], following: Candidate, actor: str
) -> Mapping[str, Any] | Done:
    """Closes an attempt that was not sent and opens the next in one transaction, so that nobody is ever told "failed"
    while another contract is being asked. A Done if somebody ended the attempt or the payment meanwhile."""
    payment = prepared.payment
    with atomic(of(payment["merchant_id"], payment["live"])) as connection:
        held = held_operation(connection, operation["id"])
        if not is_still_ours(held, operation):
            return Done(held.payment, held.operation)
        if held.payment["stage"] != "pending" or not held.authorisation["is_open"]:
            return apply_answer(connection, held, None, actor=actor)
        passed_on: tuple[str, Audience] = ("authorisation.passed_on", "staff")
        effect = Effect("failed", is_open=False)
        now_is = record(connection, held, effect, actor=actor, values=NOT_SENT, event=passed_on)
        contract, hold, keep = following.contract, prepared.hold, prepared.keep
        return new_attempt(connection, now_is, contract, prepared.means, actor, hold=hold, keep=keep)


def _register_elsewhere(prepared: _Prepared) -> None:
    """A card to be kept is registered at the other contracts while its number is here.

    The first contract gets its token with the authorisation itself, in which the payer can confirm it. The lease of
    the operation is longer than this takes; should it not be, nothing is sent.
    """
    others = [one.contract for one in prepared.candidates[1:] if CONNECTORS[one.contract["provider"]].CAN.tokens]
    payment, card = prepared.payment, prepared.means.card
    if prepared.keep is None or card is None or not others:
        return
    with http.at_most(REGISTERING_SECONDS):  # the payer waits
        taken, _ = register_at(others, prepared.keep, card, payment["currency"], payer(payment, prepared.means))
    with atomic(of(payment["merchant_id"], payment["live"])) as connection:
        keep_tokens(connection, payment["merchant_id"], payment["live"], prepared.keep, taken)


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
