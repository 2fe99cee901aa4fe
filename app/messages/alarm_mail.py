"""Alarms as mails: what the nightly looks at the checkout and at the books have found.

To the auditor, and to the staff who may look into it: run the proofs themselves, run failed jobs again.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, insert

from app.config import settings
from app.core import vault
from app.core.clock import now
from app.core.events import plain
from app.core.ids import public_id, uuid7
from app.messages.mail import CONTEXT, LANGUAGES, MAILS
from app.staff.holders import active

# event -> what whoever looks into it may do
ALARMS = {"scripts.changed": "job.retry", "books.unproved": "ledger.prove"}
_LETTER = "alarm"
_MOST_LINES = 20


def write(connection: Connection, event: Mapping[str, Any]) -> None:
    rows = [_mail(event, *reader) for reader in dict.fromkeys(_readers(connection, ALARMS[event["name"]]))]
    if rows:
        connection.execute(insert(MAILS), rows)


def _readers(connection: Connection, permission: str) -> Iterator[tuple[str, str, str]]:
    """(address, language, timezone)."""
    auditor = settings().auditor_email
    if auditor:
        yield auditor, "de", "Europe/Berlin"
    for one in active(connection):
        if one.may(permission) and one.email != auditor:
            yield one.email, one.language if one.language in LANGUAGES else "en", one.timezone


def _found(event: Mapping[str, Any]) -> Sequence[str]:
    """Differences in words, or the names of proofs: nothing about a person."""
    found = event["data"].get("found") or sorted(event["data"].get("proofs", ()))
    return [str(one)[:300] for one in found[:_MOST_LINES]]


def _mail(event: Mapping[str, Any], address: str, language: str, timezone: str) -> dict[str, Any]:
    facts = {
        "event": event["name"],
        "happened_at": event["happened_at"],
        "live": True,
        "timezone": timezone,
        "data": {},
        "payment": None,
        "found": _found(event),
        "link": f"{settings().public_url}/admin/events/{public_id('evt', event['id'])}",
    }
    content = {"to": address, "role": "staff", "language": language, "shop_id": None, "facts": facts}
    return {
        "id": uuid7(),
        "event_id": event["id"],
        "name": _LETTER,
        "recipient_index": vault.blind_index(address, "mail"),
        "sealed": vault.seal_json(plain(content), CONTEXT),
        "summary": {"to": "staff", "event": event["name"], "language": language},
        "due_at": now(),
        "created_at": now(),
    }
