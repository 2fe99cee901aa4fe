"""Mails to the staff: invitations, links for a new password, and news about their own log-in.

Written in the transaction that tells the event. The link is made here from the event's id of it, so that neither the
event nor the database holds it in clear; the mail is sealed until it is sent and forgotten after.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, insert, select

from app.core import vault
from app.core.clock import now
from app.core.events import plain
from app.core.ids import parse_id, public_id, uuid7
from app.messages.mail import CONTEXT, LANGUAGES, MAILS
from app.staff import links
from app.staff.add import USERS
from app.staff.lock import FREE_ATTEMPTS

# event -> letter; those without a link say what happened to the user's own log-in.
LETTERS = {
    "staff.invited": "staff_invitation",
    "staff.reset_asked": "staff_reset",
    "staff.logged_in": "staff_new_device",
    "staff.password_changed": "staff_safety",
    "staff.totp_added": "staff_safety",
    "staff.totp_removed": "staff_safety",
    "staff.passkey_added": "staff_safety",
    "staff.passkey_removed": "staff_safety",
    "staff.recovery_code_used": "staff_safety",
    "staff.second_factor_removed": "staff_safety",
    "staff.recovery_codes_made": "staff_safety",
    "staff.roles_changed": "staff_safety",
    "staff.locked_out": "staff_safety",
}


def is_news(event: Mapping[str, Any]) -> bool:
    """A log-in is, from a device that was never seen; of lock-outs the first in a row."""
    if event["name"] == "staff.locked_out":
        return event["data"].get("failures") == FREE_ATTEMPTS
    return event["name"] != "staff.logged_in" or bool(event["data"].get("new_device"))


def write(connection: Connection, event: Mapping[str, Any]) -> None:
    user = connection.execute(select(USERS).where(USERS.c.id == event["subject_id"])).mappings().one()
    if event["name"] == "staff.password_changed" and not user["login_count"]:
        return  # the first one, set with the invitation
    language = user["language"] if user["language"] in LANGUAGES else "en"
    facts = {
        "event": event["name"],
        "happened_at": event["happened_at"],
        "live": True,
        "timezone": user["timezone"],
        "data": event["data"],
        "payment": None,
        "name": user["name"] or user["email"],
        "email": user["email"],
        "origin": _origin(event, user["id"]),
        "link": _link(connection, event["data"].get("link")),
    }
    content = {"to": user["email"], "role": "staff", "language": language, "shop_id": None, "facts": facts}
    connection.execute(
        insert(MAILS).values(
            id=uuid7(),
            event_id=event["id"],
            name=LETTERS[event["name"]],
            recipient_index=vault.blind_index(user["email"], "mail"),
            sealed=vault.seal_json(plain(content), CONTEXT),
            summary={"to": "staff", "event": event["name"], "language": language},
            due_at=now(),
            created_at=now(),
        )
    )


def _origin(event: Mapping[str, Any], user_id: UUID) -> Mapping[str, Any]:
    """Where it came from, if it was the user; where an administrator sits is not theirs to know."""
    theirs = event["actor"] == f"staff:{public_id('usr', user_id)}"
    return (event.get("details") or {}) if theirs else {}


def _link(connection: Connection, public: str | None) -> str | None:
    if public is None:
        return None
    query = select(links.LINKS.c.id, links.LINKS.c.purpose).where(links.LINKS.c.id == parse_id("lnk", public))
    return links.address(dict(connection.execute(query).mappings().one()))
