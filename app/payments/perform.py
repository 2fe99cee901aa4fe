"""Call and record: the second and third paragraph of every operation.

The first paragraph (prepare) stands in each verb's file. It has committed the operation as SUBMITTED,
with a lease, before `perform()` is called; whatever happens from here on, the row knows of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog

from app.config import settings
from app.connectors import CONNECTORS
from app.connectors.kinds import Answer, DeclineCode, Outcome
from app.core import http
from app.core.clock import business_now, now
from app.core.db import atomic, of
from app.core.http import NotSent
from app.core.ids import public_id
from app.core.logs import about_payment
from app.merchants import contracts
from app.payments import details, late, renewed
from app.payments.effect import of_answer
from app.payments.queries import OPERATIONS, Held, held_operation
from app.payments.record import record
from app.payments.states import FINAL
from app.payments.worklist import tell_staff_if_old

log = structlog.get_logger()

# Seconds until an operation without a final answer is asked about again, by number of enquiries so far.
PATIENCE = {
    "unknown": (5, 10, 20, 60, 300, 900, 3600),
    "pending": (60, 300, 900, 3600, 6 * 3600),
    "action": (1800, 1800, 3600, 6 * 3600),
}


NOT_SENT = {"message": "The provider could not be reached; nothing was sent.", "code": "not_sent"}


@dataclass(frozen=True, slots=True)
class Done:
    """A payment and the operation that was worked on, as they are now (rows as mappings)."""

    payment: Mapping[str, Any]
    operation: Mapping[str, Any]


def call(contract: Mapping[str, Any], verb: str, ask: Any) -> Answer | None:
    """Asks the provider. None: provably not sent. Never raises: a bug in a connector is silence, not a no."""
    try:
        return getattr(CONNECTORS[contract["provider"]], verb)(contracts.opened(contract), ask)
    except NotSent as error:
        log.warning("not_sent", provider=contract["provider"], verb=verb, why=str(error))
        return None
    except Exception as error:
        # The type only: a message might quote what was sent.
        log.error("connector_raised", provider=contract["provider"], verb=verb, error=type(error).__name__)
        return Answer(Outcome.UNKNOWN, message="The provider's answer could not be read.")


def perform(*, operation: Mapping[str, Any], contract: Mapping[str, Any], verb: str, ask: Any, actor: str) -> Done:
    """Calls and records the answer. `operation`: its row as it was submitted."""
    with about_payment(public_id("pay", operation["payment_id"])):
        return record_answer(
            merchant_id=operation["merchant_id"],
            live=operation["live"],
            operation_id=operation["id"],
            answer=send(operation, contract, verb, ask),
            actor=actor,
            sent_as=operation,
        )


def send(operation: Mapping[str, Any], contract: Mapping[str, Any], verb: str, ask: Any) -> Answer | None:
    """The second paragraph alone. None: provably not sent.

    Is its lease long enough for a call? A process that was frozen meanwhile must not send any more: others may have
    asked the provider, heard "never arrived", and told the merchant so. It may freeze in the call as well, so the
    end of the lease goes with it to where the socket is.
    """
    left = (operation["leased_until"] - now()).total_seconds()
    if left > settings().http_deadline_seconds:
        with http.not_after(left):
            return call(contract, verb, ask)
    log.error("lease_over_before_sending", operation=public_id("op", operation["id"]), left_seconds=round(left))
    return None


def is_still_ours(held: Held, sent_as: Mapping[str, Any]) -> bool:
    """Does the operation stand as its sender wrote it down? Not if the lease is over and somebody asks about it or has
    sent it under the same key: then "we sent nothing" is no news of what the provider did."""
    now_is = held.operation
    return now_is["state"] == "submitted" and now_is["leased_until"] == sent_as["leased_until"]


def record_answer(
    *,
    merchant_id: UUID,
    live: bool,
    operation_id: UUID,
    answer: Answer | None,
    actor: str,
    sent_as: Mapping[str, Any] | None = None,
) -> Done:
    """Writes an answer down. An operation that is final already stays as it is (but a late yes is booked, and what
    a notification of the yes did not say is filled in).

    `sent_as`: the operation as its sender had it, whose "provably not sent" (None) counts only while it is theirs.
    """
    with atomic(of(merchant_id, live)) as connection:
        held = held_operation(connection, operation_id)
        if answer is None and sent_as is not None and not is_still_ours(held, sent_as):
            return Done(held.payment, held.operation)
        return apply_answer(connection, held, answer, actor=actor)


def apply_answer(connection: Any, held: Held, answer: Answer | None, *, actor: str) -> Done:
    """The same inside an open transaction that holds the payment (news uses it)."""
    operation = held.operation
    outcome = answer.outcome if answer else None
    state = operation["state"]
    late_yes = state in ("declined", "failed") and outcome is Outcome.APPROVED
    if answer and (operation["kind"], state, outcome) == ("authorise", "succeeded", Outcome.APPROVED):
        return Done(details.complete(connection, held, answer, actor), operation)
    if state in FINAL and not late_yes:
        return Done(held.payment, operation)
    effect = of_answer(
        operation["kind"],
        state,
        operation["amount"],
        held.authorisation,
        outcome,
        answer.amount if answer else None,
        _released(held, answer),
    )
    if effect.to == state:
        return later_again(connection, held)
    if can_resume(operation) and effect.to == "pending":
        return resume_soon(connection, held)
    values = _values(held, effect.to, answer)
    if answer and operation["kind"] == "authorise" and effect.to == "succeeded":
        values["instrument_id"] = details.keep_instrument(connection, held, answer, actor)
        if details.are_wanted(held, answer):
            values["enquire_at"] = now()
    if operation["kind"] == "authorise" and held.authorisation["replaces_id"] is not None:
        payment = renewed.settle(connection, held, effect, values, actor)
    elif operation["kind"] == "authorise" and effect.to == "succeeded" and late.is_late(connection, held):
        payment = late.reverse(connection, held, effect, values, actor)
    else:
        if operation["kind"] == "cancel" and not held.authorisation["is_open"]:
            effect = replace(effect, stage=None)  # what is given back of an attempt that is over ends no payment
        payment = record(connection, held, effect, actor=actor, values=values)
        if late.is_given_back_later(operation, effect.to):
            late.give_back_later(connection, held, actor)
    changed = {name: value for name, value in values.items() if name in operation}
    return Done(payment, {**operation, **changed, "state": effect.to, "booked_amount": effect.booked})


def _released(held: Held, answer: Answer | None) -> int | None:
    """What a capture let go of its authorisation. None: all of the rest, and its provider does not say how much."""
    untold = held.operation["final"] and CONNECTORS[held.contract["provider"]].CAN.rest != "told"
    if answer is None or (answer.released is None and not untold):
        return 0
    return answer.released


def later_again(connection: Any, held: Held) -> Done:
    """No change: ask again after a longer while, and tell staff when it has been too long."""
    operation = held.operation
    tell_staff_if_old(connection, held)
    connection.execute(
        OPERATIONS.update()
        .where(OPERATIONS.c.id == operation["id"])
        .values(
            enquiries=OPERATIONS.c.enquiries + 1,
            leased_until=None,
            enquire_at=next_enquiry(operation["state"], operation["enquiries"] + 1),
        )
    )
    return Done(held.payment, operation)


def can_resume(operation: Mapping[str, Any]) -> bool:
    """Does it wait for the payer's action, or was the outcome not heard when they came back from it?"""
    return operation["state"] == "action" or (operation["state"] == "unknown" and operation["action"] is not None)


def returned(operation: Mapping[str, Any]) -> Mapping[str, str]:
    """What the payer's way back carried, if they came back and their provider did not answer."""
    return (operation["action"] or {}).get("returned") or {}


def resume_soon(connection: Any, held: Held) -> Done:
    """The payer has done their part but did not come back to us: the resolver resumes in their place, now."""
    connection.execute(OPERATIONS.update().where(OPERATIONS.c.id == held.operation["id"]).values(enquire_at=now()))
    return Done(held.payment, held.operation)


def next_enquiry(state: str, enquiries: int):  # datetime or None for a final state
    steps = PATIENCE.get(state)
    return now() + timedelta(seconds=steps[min(enquiries, len(steps) - 1)]) if steps else None


def _values(held: Held, to: str, answer: Answer | None) -> dict[str, Any]:
    """The columns an answer fills."""
    if answer is None:
        return dict(NOT_SENT)
    values: dict[str, Any] = {
        "code": answer.code.value if answer.code else None,
        "provider_code": answer.provider_code,
        "message": answer.message,
        "provider_reference": answer.provider_reference,
        "enquire_at": next_enquiry(to, held.operation["enquiries"] if to == "unknown" else 0),
    }
    if answer.action and to == "action":
        values["action"] = {
            "url": answer.action.url,
            "method": answer.action.method,
            "fields": dict(answer.action.fields),
            "kind": answer.action.kind,
            "framable": answer.action.framable,
        }
    if to == "declined" and not answer.code:
        values["code"] = DeclineCode.PROVIDER_DECLINED.value
    if held.operation["kind"] != "authorise":
        return values
    values |= {
        "authorisation_reference": answer.provider_reference,
        "brand": answer.brand,
        "last4": answer.last4,
        "funding": answer.funding,
        "issuer_country": answer.issuer_country,
        "scheme_transaction_id": answer.scheme_transaction_id,
    }
    if to == "succeeded":
        today = business_now(held.clock_offset_seconds)
        values["expires_at"] = today + (answer.valid_for or timedelta(days=contracts.authorisation_days(held.contract)))
        values["honour_until"] = today + timedelta(days=contracts.honour_days(held.contract))
    return values


def operation_key(operation_id: UUID) -> str:
    """The reference that providers get: the operation's public id, the same on every repetition."""
    return public_id("op", operation_id)
