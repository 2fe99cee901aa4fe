"""Writing a command down as SUBMITTED before anybody is called: reserve, insert, tell."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb
from sqlalchemy import Connection, text

from app.core.clock import now
from app.core.events import tell
from app.core.fast import Statement, add
from app.core.ids import public_id, uuid7
from app.payments.effect import reserve
from app.payments.queries import OPERATIONS, Held
from app.payments.states import AMOUNTS, NOUN

LEASE = timedelta(seconds=60)  # whoever submitted an operation has this long before others ask about it

_PENDING = [name for name in AMOUNTS if name.endswith("_pending")]
_SUMS = ", ".join(f"{name} = {name} + :{name}" for name in _PENDING)
_INSERTED = (
    "id group_id merchant_id live payment_id authorisation_id contract_id capture_id kind state step amount currency"
    " final reason lines actor leased_until enquire_at created_at updated_at"
).split()

# Reserve on authorisation and payment and write the operation, in one round trip. The CHECKs cap it.
_SUBMIT = Statement(
    text(
        f"""
    WITH authorisation AS (
        UPDATE authorisations SET {_SUMS} WHERE id = :authorisation_id
    ), operation AS (
        INSERT INTO operations ({", ".join(_INSERTED)})
        VALUES ({", ".join(f":{name}" for name in _INSERTED)})
    )
    UPDATE payments SET {_SUMS}, step = step + 1, updated_at = :updated_at WHERE id = :payment_id RETURNING step
    """  # noqa: S608 - column names only
    )
)


def submit(
    connection: Connection,
    held: Held,
    kind: str,
    amount: int,
    *,
    operation_id: UUID,
    actor: str,
    group_id: UUID | None = None,
    capture_id: UUID | None = None,
    final: bool = False,
    reason: str = "",
    lines: Sequence[Mapping[str, Any]] | None = None,
    waits: bool = False,
) -> Held:
    """Reserves `amount` and inserts the operation, leased. Returns `held` with it and with the new sums.

    `waits`: for somebody's approval (sign_off.py); nobody sends it until then.
    """
    at = now()
    leased = None if waits else at + LEASE
    reserved = reserve(kind, amount)
    operation = dict.fromkeys(column.name for column in OPERATIONS.c) | {
        "id": operation_id,
        "group_id": group_id or operation_id,
        "merchant_id": held.payment["merchant_id"],
        "live": held.payment["live"],
        "payment_id": held.payment["id"],
        "authorisation_id": held.authorisation["id"],
        "contract_id": held.authorisation["contract_id"],
        "capture_id": capture_id,
        "kind": kind,
        "state": "pending_approval" if waits else "submitted",
        "step": 1,
        "amount": amount,
        "currency": held.payment["currency"],
        "final": final,
        "reason": reason,
        "lines": list(lines) if lines else None,
        "actor": actor,
        "leased_until": leased,
        "enquire_at": leased,
        "created_at": at,
        "updated_at": at,
        "enquiries": 0,
    }
    found = _SUBMIT.row(
        connection,
        {
            **{name: operation[name] for name in _INSERTED},
            "lines": Jsonb(operation["lines"]) if operation["lines"] else None,
            **{name: reserved.get(name, 0) for name in _PENDING},
        },
    )
    assert found is not None, "the payment is locked, so it is there"
    tell(
        f"{NOUN[kind]}.{'approval_requested' if waits else 'submitted'}",
        subject=("operation", operation_id),
        step=1,
        merchant_id=operation["merchant_id"],
        live=operation["live"],
        audience="staff" if waits else "internal",
        payment_id=operation["payment_id"],
        payment_step=found[0],
        data={
            "operation": public_id("op", operation_id),
            "amount": amount,
            "currency": operation["currency"],
            "reason": reason or None,
        },
        actor=actor,
    )
    authorisation = {
        **held.authorisation,
        **{name: held.authorisation[name] + reserved.get(name, 0) for name in _PENDING},
    }
    return replace(held, operation=operation, authorisation=authorisation)


def fact(
    connection: Connection,
    held: Held,
    kind: str,
    amount: int,
    *,
    reference: str | None,
    actor: str,
    capture_id: UUID | None = None,
    code: str | None = None,
) -> Held:
    """Inserts an operation that nobody here commanded, so that what a provider did has a row to stand on.

    It reserves nothing: it has happened. The caller records its outcome; until then it is a no for the reason `code`.
    `capture_id`: what it takes from, if known.
    """
    at = now()
    operation = dict.fromkeys(column.name for column in OPERATIONS.c) | {
        "id": uuid7(),
        "merchant_id": held.payment["merchant_id"],
        "live": held.payment["live"],
        "payment_id": held.payment["id"],
        "authorisation_id": held.authorisation["id"],
        "contract_id": held.authorisation["contract_id"],
        "capture_id": capture_id,
        "kind": kind,
        "state": "declined",  # the state from which an unexpected yes is booked without having been reserved
        "step": 0,
        "amount": amount,
        "currency": held.payment["currency"],
        "final": False,
        "reason": "",
        "code": code,
        "provider_reference": reference,
        "actor": actor,
        "enquiries": 0,
        "released_amount": 0,
        "created_at": at,
        "updated_at": at,
    }
    operation["group_id"] = operation["id"]
    add(OPERATIONS, operation)
    return replace(held, operation=operation)
