"""Whoever could decide about a request for approval gets a mail; whoever asked hears how it ended."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, insert, select

from app.approvals.actions import ACTIONS
from app.approvals.approvers import approvers
from app.approvals.ask import REQUESTS
from app.config import settings
from app.core import vault
from app.core.clock import now
from app.core.errors import NotFound
from app.core.events import plain
from app.core.ids import parse_id, public_id, uuid7
from app.messages.mail import CONTEXT, LANGUAGES, MAILS
from app.staff.add import USERS

ENDED = ("approval.executed", "approval.failed", "approval.rejected", "approval.expired", "approval.stale")


def write(connection: Connection, event: Mapping[str, Any]) -> None:
    """One mail per reader. Nobody's names are in it, only what is asked for and where to look."""
    query = select(REQUESTS).where(REQUESTS.c.id == event["subject_id"])
    request = dict(connection.execute(query).mappings().one())
    rows = [_mail(event, request, reader) for reader in _readers(connection, event, request)]
    if rows:
        connection.execute(insert(MAILS), rows)


def _readers(connection: Connection, event: Mapping[str, Any], request: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Users to write to: email, language and timezone."""
    if event["name"] == "approval.requested":
        found = approvers(connection, request)
        return [{"email": one.email, "language": one.language, "timezone": one.timezone} for one in found]
    kind, _, public = request["maker"].partition(":")
    try:
        maker = parse_id("usr", public) if kind == "staff" else None
    except NotFound:
        return []
    query = select(USERS.c.email, USERS.c.language, USERS.c.timezone).where(USERS.c.id == maker, USERS.c.active)
    return [dict(row) for row in connection.execute(query).mappings()]


def _mail(event: Mapping[str, Any], request: Mapping[str, Any], reader: Mapping[str, Any]) -> dict[str, Any]:
    language = reader["language"] if reader["language"] in LANGUAGES else "en"
    facts = {
        "event": event["name"],
        "happened_at": event["happened_at"],
        "live": request["live"] is not False,
        "timezone": reader["timezone"],
        "data": event["data"],
        "payment": None,
        "action": ACTIONS[request["action"]].LABEL,
        "amount": request["amount"],
        "currency": request["currency"],
        "reference": request["params"].get("merchant_reference"),
        "reason": request["reason"],
        "note": request["note"],
        "ends_at": request["expires_at"],
        "link": f"{settings().public_url}/admin/approvals/{public_id('apr', request['id'])}",
    }
    content = {"to": reader["email"], "role": "staff", "language": language, "shop_id": None, "facts": facts}
    return {
        "id": uuid7(),
        "merchant_id": request["merchant_id"],
        "live": request["live"],
        "event_id": event["id"],
        "name": "approval_requested" if event["name"] == "approval.requested" else "approval_ended",
        "recipient_index": vault.blind_index(reader["email"], "mail"),
        "sealed": vault.seal_json(plain(content), CONTEXT),
        "summary": {"to": "staff", "event": event["name"], "language": language},
        "due_at": now(),
        "created_at": now(),
    }
