"""`resume()`: the payer came back from an action (3-D Secure, PayPal); the provider is asked how it went."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, update

from app.connectors.kinds import Answer, Outcome, Resume
from app.core.clock import now
from app.core.db import atomic, of
from app.payments.attempt import Means, ask
from app.payments.authorise import capture_if_automatic
from app.payments.perform import Done, can_resume, record_answer, returned, send
from app.payments.prepare import LEASE
from app.payments.queries import OPERATIONS, held_operation
from app.receivables import collect


def resume(*, merchant_id: UUID, live: bool, operation_id: UUID, parameters: Mapping[str, str], actor: str) -> Done:
    """The payer came back from an action: asks the provider how it went. Only the first of several calls asks.

    `parameters`: what the way back carried; the resolver has none and takes those of the last return. A provider
    that cannot be reached now is no "no": the outcome is UNKNOWN, and the resolver goes on in the payer's place.
    """
    with atomic(of(merchant_id, live)) as connection:
        held = held_operation(connection, operation_id)
        parameters = parameters or returned(held.operation)
        action = {**(held.operation["action"] or {}), "returned": dict(parameters)}
        if not can_resume(held.operation):
            _keep_for_details(connection, held.operation, action)
            return Done(held.payment, held.operation)
        leased = {"leased_until": now() + LEASE, "enquire_at": now() + LEASE}
        again = held.operation["state"] == "unknown"
        enquiries = held.operation["enquiries"] + again
        values = {"enquiries": enquiries, "action": action, "updated_at": now(), **leased}
        if not again:
            values["sent_at"] = now()  # until now it waited for the payer, not for the provider
        connection.execute(
            update(OPERATIONS)
            .where(OPERATIONS.c.id == operation_id)
            .values(state="submitted", step=OPERATIONS.c.step + 1, **values)
        )
        if held.payment["receivable_id"] is not None:
            collect.submitted(connection, held.payment["receivable_id"], held.payment["id"])
    reference = held.operation["provider_reference"] or held.authorisation["provider_reference"] or ""
    means = Means(method=held.authorisation["method"], store=held.authorisation["store"])
    asked = ask(held.payment, held.operation, means, None, Resume(provider_reference=reference, parameters=parameters))
    answer = send({**held.operation, **leased}, held.contract, "authorise", asked)
    done = record_answer(
        merchant_id=merchant_id,
        live=live,
        operation_id=operation_id,
        answer=answer or Answer(Outcome.UNKNOWN, message="The provider could not be reached."),
        actor=actor,
    )
    return capture_if_automatic(done, actor)


def _keep_for_details(connection: Connection, operation: Mapping[str, Any], action: Mapping[str, Any]) -> None:
    """A notification was faster than the payer: what they bring may be what the card's token is asked for with."""
    if operation["state"] == "succeeded" and operation["enquire_at"] is not None:
        mine = OPERATIONS.c.id == operation["id"]
        connection.execute(update(OPERATIONS).where(mine).values(action=action, enquire_at=now()))
