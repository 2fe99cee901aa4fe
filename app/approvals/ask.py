"""`permit()` and `ask()`: a command goes on, is refused, or becomes a request that somebody else decides about."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import IntegrityError

from app.approvals import rules
from app.approvals.actions import ACTIONS
from app.approvals.approvers import REST, approvers
from app.approvals.kinds import PARAMS_SEALED_AS, Asker
from app.approvals.models import ApprovalRequest
from app.core import vault
from app.core.clock import business_now, now
from app.core.db import savepoint, table_of
from app.core.errors import Conflict, Refusal
from app.core.events import tell
from app.core.ids import public_id, uuid7
from app.core.texts import N_
from app.merchants.add import MERCHANTS
from app.payments.permit import Hold, Permit
from app.payments.queries import AUTHORISATIONS

REQUESTS = table_of(ApprovalRequest)
OPEN_FOR = timedelta(hours=72)
BEFORE_EXPIRY = timedelta(hours=1)  # an authorisation must still be good when the command is sent

# What was done of each kind, and what is under way: columns of payments.
_SUMS = {
    "capture": ("captured", "capture_pending"),
    "refund": ("refunded", "refund_pending"),
    "cancel": ("cancelled", "cancel_pending"),
}


class OverLimit(Refusal):
    kind = "permission"
    status = 403
    code = "over_limit"
    message = N_("This is above the limit of %(limit)s minor units.")
    advice = N_("Ask for a smaller amount, or have the limit raised in the back office.")


class NobodyCanApprove(Conflict):
    code = "nobody_can_approve"
    message = N_("This needs a second person's approval, and nobody else may give it.")
    advice = N_("Have somebody granted the right to approve first.")


class NotYours(Refusal):
    kind = "permission"
    status = 403
    code = "permission_missing"
    message = N_("This takes the permission %(permission)s, too.")
    advice = N_("Have it granted, or ask somebody who has it.")


class RestNotYours(Refusal):
    kind = "permission"
    status = 403
    code = "rest_not_yours"
    message = N_("A last capture gives the rest back to the payer, and cancelling is not yours to do.")
    advice = N_("Capture without giving the rest back, or have the right to cancel granted.")


class TooLateToAsk(Conflict):
    code = "too_late_to_ask"
    message = N_("This needs a second person's approval, and the authorisation ends within the hour.")
    advice = N_("Have somebody do it now who may do it alone, or ask the payer for a new payment.")


class AlreadyAsked(Conflict):
    code = "already_asked"
    message = N_("The same waits for approval already.")
    advice = N_("Wait for the decision, or take the request back.")


def permit(asker: Asker, *, reason: str = "") -> Permit:
    """For capture(), refund(), cancel() and release().

    Raises OverLimit, NotYours, RestNotYours, NobodyCanApprove, AlreadyAsked, TooLateToAsk where it is asked.
    """

    def asked(
        connection: Connection, payment: Mapping[str, Any], kind: str, amount: int, group_id: UUID, rest: int = 0
    ) -> Hold | None:
        if not asker.may(f"payment.{kind}", payment["merchant_id"]):
            raise NotYours(permission=f"payment.{kind}")
        if rest and not asker.may(REST, payment["merchant_id"]):
            raise RestNotYours(param="final")
        why = reasons(connection, asker, payment, kind, amount, rest=rest, lock=True)
        if why is None:
            _use(connection, asker, payment, kind, amount, rest, group_id)
            return None
        if asker.strict and "limit" in why:
            raise OverLimit(limit=why["limit"], param="amount")
        wanted = draft(asker, payment, kind, amount, rest)
        if not approvers(connection, wanted):
            raise NobodyCanApprove()
        expires_at = now() + time_left(connection, kind, payment)
        _refuse_second(connection, payment["id"], kind)

        def hold(connection: Connection, payment: Mapping[str, Any], group_id: UUID) -> None:
            _use(connection, asker, payment, kind, amount, rest, group_id)
            more = {"group_id": group_id, "why": why, "reason": reason, "expires_at": expires_at}
            _insert(connection, {**wanted, **more}, asker)

        return hold

    return asked


def promised(asker: Asker) -> Permit:
    """For a payment that will capture itself: within the limits of whoever makes it, and counted towards their day.

    Nobody can approve beforehand what a payer has not paid yet, so it is refused above them. Raises OverLimit.
    """

    def asked(
        connection: Connection, payment: Mapping[str, Any], kind: str, amount: int, group_id: UUID, rest: int = 0
    ) -> None:
        why = rules.over_limit(connection, asker, f"payment.{kind}", payment, amount, lock=True)
        if why is not None:
            raise OverLimit(limit=why["limit"], param="amount")
        _use(connection, asker, payment, kind, amount, rest, group_id)

    return asked


def draft(asker: Asker, payment: Mapping[str, Any], kind: str, amount: int, rest: int = 0) -> dict[str, Any]:
    """What a request about a payment would say, before it is one."""
    return {
        "action": kind,
        "maker": asker.actor,
        "merchant_id": payment["merchant_id"],
        "live": payment["live"],
        "subject_id": payment["id"],
        "payment_id": payment["id"],
        "params": {"merchant_reference": payment["merchant_reference"]} | ({"rest": rest} if rest else {}),
        "amount": amount,
        "currency": payment["currency"],
    }


def reasons(
    connection: Connection,
    asker: Asker,
    payment: Mapping[str, Any],
    kind: str,
    amount: int,
    *,
    rest: int = 0,
    lock: bool = False,
    before: Mapping[UUID, int] | None = None,
) -> dict[str, Any] | None:
    """Why this needs approval: a limit of the asker's, or a rule. None: it may go on.

    `rest`: what a last capture gives back besides; that is a cancellation. `before`: minor units by merchant that will
    count towards the asker's day before this does.
    """
    why = _reasons(connection, asker, payment, kind, amount, lock, before)
    if why is None and rest:
        why = _reasons(connection, asker, payment, "cancel", rest, lock)
    return why


def _reasons(
    connection: Connection,
    asker: Asker,
    payment: Mapping[str, Any],
    kind: str,
    amount: int,
    lock: bool,
    before: Mapping[UUID, int] | None = None,
) -> dict[str, Any] | None:
    """A rule's amount is compared with all that was done of the kind: many small ones are a large one."""
    done, under_way = _SUMS[kind]
    over = rules.over_limit(connection, asker, f"payment.{kind}", payment, amount, lock=lock, before=before)
    return over or rules.matching(
        connection,
        kind,
        asker,
        merchant_id=payment["merchant_id"],
        amount=payment[done] + payment[under_way] + amount,
        currency=payment["currency"],
        method=payment["method"],
    )


def _use(
    connection: Connection,
    asker: Asker,
    payment: Mapping[str, Any],
    kind: str,
    amount: int,
    rest: int,
    group_id: UUID,
) -> None:
    rules.use(connection, asker, f"payment.{kind}", payment, amount, group_id)
    if rest:
        rules.use(connection, asker, REST, payment, rest, group_id)


def ask(
    connection: Connection,
    action: str,
    asker: Asker,
    *,
    merchant_id: UUID | None,
    live: bool | None,
    subject_id: UUID,
    params: Mapping[str, Any],
    reason: str = "",
    always: bool = False,
    secrets: Mapping[str, Any] | None = None,
) -> UUID | None:
    """For actions that move no money. None: no rule calls for approval, do it yourself in this transaction.

    `always`: whatever the rules say. `secrets`: parameters that nobody may read, kept sealed until it is decided.
    Raises NobodyCanApprove, AlreadyAsked.
    """
    rule = ACTIONS[action].RULE
    why = {"always": True} if always else rules.matching(connection, rule, asker, merchant_id=merchant_id)
    if why is None:
        return None
    wanted = {
        "action": action,
        "maker": asker.actor,
        "merchant_id": merchant_id,
        "live": live,
        "subject_id": subject_id,
        "payment_id": params.get("payment_id") and UUID(params["payment_id"]),
        "params": dict(params),
        "amount": params.get("amount"),
        "currency": params.get("currency"),
    }
    if not approvers(connection, wanted):
        raise NobodyCanApprove()
    _refuse_second(connection, subject_id, action)
    sealed = vault.seal_json(dict(secrets), PARAMS_SEALED_AS) if secrets else None
    more = {"group_id": None, "why": why, "reason": reason, "expires_at": now() + OPEN_FOR, "sealed_params": sealed}
    return _insert(connection, {**wanted, **more}, asker)


def time_left(connection: Connection, kind: str, payment: Mapping[str, Any]) -> timedelta:
    """How long a request about a payment stays open: what is captured or cancelled must still be good when it is sent.

    Raises TooLateToAsk. An authorisation ends in the merchant's business time.
    """
    if kind == "refund":
        return OPEN_FOR
    query = (
        select(AUTHORISATIONS.c.expires_at, MERCHANTS.c.clock_offset_seconds)
        .join(MERCHANTS, MERCHANTS.c.id == AUTHORISATIONS.c.merchant_id)
        .where(AUTHORISATIONS.c.payment_id == payment["id"], AUTHORISATIONS.c.is_open)
    )
    row = connection.execute(query).first()
    if row is None or row.expires_at is None:
        return OPEN_FOR
    left = row.expires_at - BEFORE_EXPIRY - business_now(row.clock_offset_seconds)
    if left <= timedelta():
        raise TooLateToAsk()
    return min(OPEN_FOR, left)


def _refuse_second(connection: Connection, subject_id: UUID, action: str) -> None:
    same = select(REQUESTS.c.id).where(
        REQUESTS.c.subject_id == subject_id, REQUESTS.c.action == action, REQUESTS.c.state == "pending"
    )
    if connection.execute(same).first():
        raise AlreadyAsked()


def _insert(connection: Connection, wanted: Mapping[str, Any], asker: Asker) -> UUID:
    request_id = uuid7()
    row = {"id": request_id, "state": "pending", "step": 1, "requested_at": now(), "facts": {}, **wanted}
    row["facts"] = ACTIONS[row["action"]].facts(connection, row)
    try:
        with savepoint():
            connection.execute(insert(REQUESTS).values(row))
    except IntegrityError:
        raise AlreadyAsked() from None
    tell(
        "approval.requested",
        subject=("approval", request_id),
        step=1,
        merchant_id=row["merchant_id"],
        live=row["live"],
        payment_id=row["payment_id"],
        audience="staff",
        data={
            "approval": public_id("apr", request_id),
            "action": row["action"],
            "amount": row["amount"],
            "currency": row["currency"],
            "why": row["why"],
        },
        actor=asker.actor,
    )
    return request_id
