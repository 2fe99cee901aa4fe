"""`permit()` and `ask()`: a command goes on, is refused, or becomes a request that somebody else decides about."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import IntegrityError

from app.approvals import rules
from app.approvals.actions import ACTIONS
from app.approvals.approvers import approvers
from app.approvals.kinds import Asker
from app.approvals.models import ApprovalRequest
from app.core.clock import now
from app.core.db import savepoint, table_of
from app.core.errors import Conflict, Refusal
from app.core.events import tell
from app.core.ids import public_id, uuid7
from app.core.texts import N_
from app.payments.permit import Hold, Permit
from app.payments.queries import AUTHORISATIONS

REQUESTS = table_of(ApprovalRequest)
OPEN_FOR = timedelta(hours=72)
BEFORE_EXPIRY = timedelta(hours=1)  # an authorisation must still be good when the command is sent


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


class AlreadyAsked(Conflict):
    code = "already_asked"
    message = N_("The same waits for approval already.")
    advice = N_("Wait for the decision, or take the request back.")


def permit(asker: Asker, *, reason: str = "") -> Permit:
    """For capture(), refund() and cancel(). Raises OverLimit, NobodyCanApprove, AlreadyAsked where it is asked."""

    def asked(
        connection: Connection, payment: Mapping[str, Any], kind: str, amount: int, group_id: UUID
    ) -> Hold | None:
        why = reasons(connection, asker, payment, kind, amount, lock=True)
        if why is None:
            rules.use(connection, asker, f"payment.{kind}", payment, amount, group_id)
            return None
        if asker.strict and "limit" in why:
            raise OverLimit(limit=why["limit"], param="amount")
        if not approvers(connection, kind, asker.actor, payment["merchant_id"], amount, payment["currency"]):
            raise NobodyCanApprove()
        _refuse_second(connection, payment["id"], kind)

        def hold(connection: Connection, payment: Mapping[str, Any], group_id: UUID) -> None:
            rules.use(connection, asker, f"payment.{kind}", payment, amount, group_id)
            expires_at = now() + OPEN_FOR
            if kind != "refund":
                expires_at = min(expires_at, _authorisation_ends(connection, payment["id"]) or expires_at)
            _insert(
                connection,
                action=kind,
                merchant_id=payment["merchant_id"],
                live=payment["live"],
                subject_id=payment["id"],
                payment_id=payment["id"],
                group_id=group_id,
                params={"merchant_reference": payment["merchant_reference"]},
                amount=amount,
                currency=payment["currency"],
                why=why,
                asker=asker,
                reason=reason,
                expires_at=expires_at,
            )

        return hold

    return asked


def reasons(
    connection: Connection, asker: Asker, payment: Mapping[str, Any], kind: str, amount: int, *, lock: bool = False
) -> dict[str, Any] | None:
    """Why this needs approval: a limit of the asker's, or a rule. None: it may go on."""
    return rules.over_limit(connection, asker, f"payment.{kind}", payment, amount, lock=lock) or rules.matching(
        connection,
        kind,
        asker,
        merchant_id=payment["merchant_id"],
        amount=amount,
        currency=payment["currency"],
        method=payment["method"],
    )


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
) -> UUID | None:
    """For actions that move no money. None: no rule calls for approval, do it yourself in this transaction.

    `always`: whatever the rules say. Raises NobodyCanApprove, AlreadyAsked.
    """
    why = {"always": True} if always else rules.matching(connection, action, asker, merchant_id=merchant_id)
    if why is None:
        return None
    if not approvers(connection, action, asker.actor, merchant_id):
        raise NobodyCanApprove()
    _refuse_second(connection, subject_id, action)
    return _insert(
        connection,
        action=action,
        merchant_id=merchant_id,
        live=live,
        subject_id=subject_id,
        payment_id=params.get("payment_id") and UUID(params["payment_id"]),
        group_id=None,
        params=dict(params),
        amount=params.get("amount"),
        currency=params.get("currency"),
        why=why,
        asker=asker,
        reason=reason,
        expires_at=now() + OPEN_FOR,
    )


def _refuse_second(connection: Connection, subject_id: UUID, action: str) -> None:
    same = select(REQUESTS.c.id).where(
        REQUESTS.c.subject_id == subject_id, REQUESTS.c.action == action, REQUESTS.c.state == "pending"
    )
    if connection.execute(same).first():
        raise AlreadyAsked()


def _insert(connection: Connection, *, asker: Asker, **columns: Any) -> UUID:
    request_id = uuid7()
    row = {
        "id": request_id,
        "state": "pending",
        "step": 1,
        "maker": asker.actor,
        "requested_at": now(),
        "facts": {},
        **columns,
    }
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


def _authorisation_ends(connection: Connection, payment_id: UUID) -> datetime | None:
    query = select(AUTHORISATIONS.c.expires_at).where(
        AUTHORISATIONS.c.payment_id == payment_id, AUTHORISATIONS.c.is_open
    )
    ends = connection.execute(query).scalar()
    return max(ends - BEFORE_EXPIRY, now()) if ends else None
