"""Which mails follow from an event: whom, which letter, and the facts it needs. Nothing is sent here."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Connection, TextClause, text
from sqlalchemy.dialects.postgresql import insert

from app.core import vault
from app.core.clock import now
from app.core.db import table_of
from app.core.events import plain
from app.core.ids import public_id, uuid7
from app.core.reactions import set_aside
from app.messages.events import by_name
from app.messages.models import Mail
from app.staff.holders import holders

log = structlog.get_logger()

MAILS = table_of(Mail)
CONTEXT = "mails.sealed"
REACTION = "mails"
LANGUAGES = ("de", "en")
TOO_OLD = timedelta(hours=72)  # nobody wants to be told now what happened days ago
_GENERIC = "event"

# A payment without a shop belongs to the merchant's only one, if it has but one.
_EVENTS = """
    SELECT v.id, v.name, v.merchant_id, v.live, v.payment_id, v.data, v.happened_at,
           p.amount, p.currency, p.merchant_reference, p.order_number, p.method, p.brand, p.last4,
           p.payer_name, p.payer_email, p.language AS payer_language,
           p.authorised <= p.cancelled + p.cancel_pending AS given_back,
           s.id AS shop_id, s.language AS shop_language, s.notify_email, s.notify_events, s.payer_receipts,
           m.email AS merchant_email, m.language AS merchant_language, m.timezone
    FROM event_log l
    JOIN events v ON v.id = l.event_id
    JOIN merchants m ON m.id = v.merchant_id
    LEFT JOIN payments p ON p.id = v.payment_id
    LEFT JOIN shops s ON s.merchant_id = v.merchant_id AND s.id = coalesce(p.shop_id, (
        SELECT (array_agg(o.id))[1] FROM shops o WHERE o.merchant_id = v.merchant_id HAVING count(*) = 1))
    WHERE {which} AND v.audience = 'public' AND v.happened_at > :since
      AND (s.notify_email IS NOT NULL OR s.payer_receipts OR v.name = ANY (:to_merchants))
    ORDER BY l.position
    """
_NEW = text(_EVENTS.format(which="l.position > :after AND l.position <= :up_to"))
_ONE = text(_EVENTS.format(which="l.event_id = :event_id"))


class NobodyToTell(Exception):
    """A merchant must hear of this, and there is neither an address nor anybody who looks after its endpoints."""


def write(connection: Connection, after: int, up_to: int) -> int:
    """Writes the mails of events with after < position <= up_to. Returns how many.

    A fault with one event must not stop the relay, and with it every webhook: it is set aside, to be repeated.
    """
    mails = []
    for row in _read(connection, _NEW, after=after, up_to=up_to):
        try:
            mails += _of_event(connection, row)
        except Exception as error:
            log.error("mail_not_written", told=row["name"], told_id=str(row["id"]), error=type(error).__name__)
            set_aside(connection, row["id"], REACTION, error)
    return _keep(connection, mails)


def write_one(connection: Connection, event_id: UUID) -> int:
    """The same for one event that was set aside. Raises what is still wrong with it."""
    return _keep(
        connection, [mail for row in _read(connection, _ONE, event_id=event_id) for mail in _of_event(connection, row)]
    )


def _read(connection: Connection, query: TextClause, **which: Any) -> list[dict[str, Any]]:
    to_merchants = [name for name, event in by_name().items() if "merchant" in event.MAIL]
    rows = connection.execute(query, {**which, "since": now() - TOO_OLD, "to_merchants": to_merchants})
    return [dict(row) for row in rows.mappings()]


def _keep(connection: Connection, mails: list[dict[str, Any]]) -> int:
    if mails:
        connection.execute(insert(MAILS).on_conflict_do_nothing(), mails)
    return len(mails)


def _of_event(connection: Connection, row: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [_row(row, *wanted) for wanted in _wanted(connection, row)]


def _wanted(connection: Connection, row: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    """(recipient's role, address, letter, language) for each mail that the event makes. Raises NobodyToTell."""
    event = by_name().get(row["name"])
    letters: Mapping[str, str] = event.MAIL if event else {}
    if row["notify_email"] and (row["name"] in row["notify_events"] if row["notify_events"] else "shop" in letters):
        yield "shop", row["notify_email"], letters.get("shop", _GENERIC), row["shop_language"]
    receipt = letters.get("payer") if row["payer_receipts"] and row["payer_email"] else None
    if receipt and not (row["name"] == "authorisation.succeeded" and row["given_back"]):
        yield "payer", row["payer_email"], receipt, row["payer_language"]
    if "merchant" in letters:
        for role, address, language in _of_merchant(connection, row):
            yield role, address, letters["merchant"], language


def _of_merchant(connection: Connection, row: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """(role, address, language): the merchant's own address, its only shop's, or those who may mend its endpoints."""
    if address := row["merchant_email"] or row["notify_email"]:
        return [("merchant", address, row["merchant_language"])]
    keepers = holders(connection, "endpoint.write", row["merchant_id"])
    if not keepers:
        raise NobodyToTell(row["name"])
    return [("keeper", one.email, one.language) for one in keepers]


def _row(row: Mapping[str, Any], role: str, address: str, letter: str, language: str) -> dict[str, Any]:
    language = language if language in LANGUAGES else "en"
    facts = {
        "event": row["name"],
        "happened_at": row["happened_at"],
        "live": row["live"],
        "timezone": row["timezone"],
        "data": row["data"],
        "payment": _payment(row) if row["payment_id"] else None,
    }
    content = {"to": address, "role": role, "language": language, "shop_id": row["shop_id"], "facts": facts}
    return {
        "id": uuid7(),
        "merchant_id": row["merchant_id"],
        "live": row["live"],
        "event_id": row["id"],
        "payment_id": row["payment_id"],
        "name": letter,
        "recipient_index": vault.blind_index(address.lower(), "mail"),
        "sealed": vault.seal_json(plain(content), CONTEXT),
        "summary": {"to": role, "event": row["name"], "language": language},
        "due_at": now(),
        "created_at": now(),
    }


def _payment(row: Mapping[str, Any]) -> dict[str, Any]:
    names = ("amount", "currency", "merchant_reference", "order_number", "method", "brand", "last4", "payer_name")
    return {"id": public_id("pay", row["payment_id"]), **{name: row[name] for name in names}}
