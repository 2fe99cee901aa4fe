"""Invite a new user: who may invite administrators without a second person could be two persons."""

from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select

from app.approvals.actions._at_once import drop, gains, outcome
from app.approvals.kinds import Action, Request, Started
from app.core.texts import N_
from app.staff.add import USERS, EmailTaken, checked_email
from app.staff.grant import Given
from app.staff.invite import invite

LABEL = N_("New user")
PERMISSION = "user.write"
RULE = "rights"

__all__ = ["LABEL", "PERMISSION", "RULE", "check", "drop", "facts", "gains", "outcome", "start"]


def facts(connection: Connection, request: Request) -> dict[str, Any]:
    """A new user depends on nothing."""
    return {}


def check(connection: Connection, request: Request) -> None:
    """Raises BadEmail, EmailTaken."""
    address = checked_email(request["params"]["email"])
    if connection.execute(select(USERS.c.id).where(USERS.c.email == address)).first():
        raise EmailTaken(param="email")


def start(connection: Connection, request: Request) -> Started:
    asked = request["params"]
    invite(
        connection,
        user_id=request["subject_id"],
        email=asked["email"],
        name=asked["name"],
        language=asked["language"],
        roles=[Given.of(one) for one in asked["after"]],
        actor=request["maker"],
    )
    return Started()


if TYPE_CHECKING:
    from app.approvals.actions import invitation as _me

    _: Action = _me
