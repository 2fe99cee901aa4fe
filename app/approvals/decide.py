"""`approve()`, `reject()`, `take_back()`, `comment()`: the second person decides, or the first one takes it back."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, insert, select, update

from app.approvals import rules
from app.approvals.actions import ACTIONS
from app.approvals.approvers import involved, may_decide, moved
from app.approvals.ask import REQUESTS
from app.approvals.kinds import Started, asker_of
from app.approvals.makers import still_may
from app.approvals.models import ApprovalComment
from app.approvals.states import APPROVAL
from app.core import vault
from app.core.clock import now
from app.core.db import Scope, atomic, table_of
from app.core.errors import Conflict, NotFound, Refusal
from app.core.events import tell
from app.core.ids import public_id, uuid7
from app.core.states import move
from app.core.texts import N_
from app.staff.access import Staff

COMMENTS = table_of(ApprovalComment)
_SEALED_AS = "approval_requests.sealed"


class MakerIsChecker(Refusal):
    kind = "permission"
    status = 403
    code = "maker_is_checker"
    message = N_("You asked for this yourself; somebody else has to decide.")


class TooInvolved(Refusal):
    kind = "permission"
    status = 403
    code = "too_involved"
    message = N_("The key that asked for this was issued to you, or you would gain by it; somebody else has to decide.")


class CannotDecide(Refusal):
    kind = "permission"
    status = 403
    code = "cannot_decide"
    message = N_("You may not decide about this.")
    advice = N_("It takes the right to approve, the right to do it, and a limit that is high enough.")


class AlreadyDecided(Conflict):
    code = "already_decided"
    message = N_("This request is %(state)s already.")


class NoLongerTrue(Conflict):
    code = "approval_stale"
    message = N_("What was asked about has changed since. The request is closed.")
    advice = N_("Look at it as it is now, and ask again.")


class MakerGone(Conflict):
    code = "maker_gone"
    message = N_("Whoever asked for this may not do it any more. The request is closed.")
    advice = N_("Somebody with the right can ask again.")


class TooLate(Conflict):
    code = "approval_expired"
    message = N_("The time for this request is over. It is closed.")
    advice = N_("Ask again.")


def approve(request_id: UUID, checker: Staff, *, scope: Scope, note: str = "") -> Mapping[str, Any]:
    """Does what was asked for, if nothing that matters has changed. Returns the request's row as it is then.

    Raises NotFound, AlreadyDecided, MakerIsChecker, TooInvolved, CannotDecide, NoLongerTrue, MakerGone, TooLate, and
    what the action's own check raises now. Each of the last four closes the request.
    """
    started = Started()
    with atomic(scope) as connection:
        request = _for_decision(connection, request_id, checker)
        module = ACTIONS[request["action"]]
        closed = _over(connection, request)
        if closed is not None:
            to = "expired" if isinstance(closed, TooLate) else "stale"
            close(connection, request, to, actor="job:approvals")
        else:
            _count(connection, request, checker)
            _move(connection, request, "approved", checker.actor, note)
            started = module.start(connection, request)
            _forget_params(connection, request)
            if started.secret is not None:
                sealed = vault.seal(started.secret.encode(), _SEALED_AS)
                connection.execute(update(REQUESTS).where(REQUESTS.c.id == request_id).values(sealed=sealed))
    if closed is not None:
        raise closed
    if started.finish is not None:
        started.finish()
    return settle(request_id, scope)


def _over(connection: Connection, request: Mapping[str, Any]) -> Refusal | None:
    """Why it cannot be approved any more."""
    return TooLate() if request["expires_at"] <= now() else outdated(connection, request)


def outdated(connection: Connection, request: Mapping[str, Any]) -> Refusal | None:
    """What has changed since it was asked for, under lock; None: all that matters is as it was."""
    module = ACTIONS[request["action"]]
    try:
        if module.facts(connection, request) != request["facts"]:
            return NoLongerTrue()
        module.check(connection, request)
    except NotFound:  # what it was about is gone
        return NoLongerTrue()
    except Refusal as refusal:
        return refusal
    return None if still_may(connection, request) else MakerGone()


def _count(connection: Connection, request: Mapping[str, Any], checker: Staff) -> None:
    """A checker's day has a limit too, and two approvals at the same moment do not pass it together."""
    asker = asker_of(checker)
    for permission, amount in moved(request):
        if rules.over_limit(connection, asker, permission, request, amount, lock=True):
            raise CannotDecide()
        if request["group_id"] is not None:
            rules.use(connection, asker, permission, request, amount, request["group_id"])


def reject(request_id: UUID, checker: Staff, *, scope: Scope, note: str) -> None:
    """Raises NotFound, AlreadyDecided, MakerIsChecker, CannotDecide."""
    with atomic(scope) as connection:
        close(connection, _for_decision(connection, request_id, checker), "rejected", actor=checker.actor, note=note)


def take_back(request_id: UUID, maker: Staff, *, scope: Scope) -> None:
    """Raises NotFound, AlreadyDecided, CannotDecide."""
    with atomic(scope) as connection:
        request = _pending(connection, request_id)
        if request["maker"] != maker.actor:
            raise CannotDecide()
        close(connection, request, "withdrawn", actor=maker.actor)


def comment(request_id: UUID, author: str, body: str, *, scope: Scope) -> None:
    """Raises NotFound."""
    with atomic(scope) as connection:
        request = read(connection, request_id)
        whose = {"merchant_id": request["merchant_id"], "live": request["live"]}
        values = {"id": uuid7(), **whose, "request_id": request_id, "author": author, "body": body, "written_at": now()}
        connection.execute(insert(COMMENTS).values(values))
        tell(
            "approval.commented",
            subject=("approval", request_id),
            **whose,
            payment_id=request["payment_id"],
            audience="staff",
            data={"approval": public_id("apr", request_id)},
            actor=author,
        )


def take_secret(request_id: UUID, maker: str, *, scope: Scope) -> str | None:
    """What only the maker (an actor) may see, once: the secret of a key that was approved. None: nothing (any more)."""
    with atomic(scope) as connection:
        request = read(connection, request_id, lock=True)
        if request["maker"] != maker or request["sealed"] is None:
            return None
        connection.execute(update(REQUESTS).where(REQUESTS.c.id == request_id).values(sealed=None))
        return vault.unseal(request["sealed"], _SEALED_AS).decode()


def settle(request_id: UUID, scope: Scope) -> Mapping[str, Any]:
    """An approved request is executed or failed as soon as that can be told. Returns its row as it is then."""
    with atomic(scope) as connection:
        request = read(connection, request_id, lock=True)
        outcome = ACTIONS[request["action"]].outcome(connection, request) if request["state"] == "approved" else None
        if outcome is not None:
            move(connection, APPROVAL, REQUESTS, request, outcome, data=_told(request), actor=request["decided_by"])
        return {**request, "state": outcome or request["state"]}


def close(connection: Connection, request: Mapping[str, Any], to: str, *, actor: str, note: str = "") -> None:
    """Rejected, withdrawn, expired or stale: what was reserved is free again."""
    ACTIONS[request["action"]].drop(connection, request, f"approval_{to}", actor)
    _forget_params(connection, request)
    if request["group_id"] is not None:
        rules.recount(connection, request["group_id"])
    _move(connection, request, to, actor, note)


def read(connection: Connection, request_id: UUID, *, lock: bool = False) -> Mapping[str, Any]:
    """Raises NotFound."""
    query = select(REQUESTS).where(REQUESTS.c.id == request_id)
    row = connection.execute(query.with_for_update() if lock else query).mappings().first()
    if row is None:
        raise NotFound()
    return dict(row)


def _for_decision(connection: Connection, request_id: UUID, checker: Staff) -> Mapping[str, Any]:
    request = _pending(connection, request_id)
    if request["maker"] == checker.actor:
        raise MakerIsChecker()
    if checker.actor in involved(connection, request):
        raise TooInvolved()
    if not may_decide(connection, checker, request):
        raise CannotDecide()
    return request


def _forget_params(connection: Connection, request: Mapping[str, Any]) -> None:
    """Credentials are kept for the decision alone."""
    if request["sealed_params"] is not None:
        connection.execute(update(REQUESTS).where(REQUESTS.c.id == request["id"]).values(sealed_params=None))


def _pending(connection: Connection, request_id: UUID) -> Mapping[str, Any]:
    request = read(connection, request_id, lock=True)
    if request["state"] != "pending":
        raise AlreadyDecided(state=request["state"])
    return request


def _move(connection: Connection, request: Mapping[str, Any], to: str, actor: str, note: str) -> None:
    values = {"decided_by": actor, "decided_at": now(), "note": note or None}
    move(connection, APPROVAL, REQUESTS, request, to, values=values, data=_told(request), actor=actor)


def _told(request: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "approval": public_id("apr", request["id"]),
        "action": request["action"],
        "amount": request["amount"],
        "currency": request["currency"],
    }
