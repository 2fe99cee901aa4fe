"""Sending again, under its own key, what may never have arrived: what is sent, and where that is safe.

What the provider has had before changes nothing there, as long as it keeps the key. A card or a token is never sent
again: only what the payer must still confirm, a renewal, and what moves along an authorisation.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, select

from app.connectors import CONNECTORS
from app.connectors.kinds import Authorise, Cancel, Capture, Refund, Resolution
from app.core.clock import now
from app.payments import attempt, cancel, capture, reauthorise, refund
from app.payments.queries import AUTHORISATIONS, OPERATIONS, Held

Row = Mapping[str, Any]


def way(operation: Row, authorisation: Row) -> Resolution:
    """How it is found out what became of this operation. `authorisation`: also a row with provider, method,
    instrument_id, store and replaces_id only."""
    can = CONNECTORS[authorisation["provider"]].CAN
    resolution = can.resolve.get(operation["kind"], "by_news")
    if resolution != "by_resend" or _is_safe(operation, authorisation):
        return resolution
    charged_at_once = operation["kind"] == "authorise" and operation["provider_reference"] is None
    return "by_news" if charged_at_once else can.resolve_otherwise


def again(connection: Connection, held: Held) -> Authorise | Capture | Refund | Cancel | None:
    """The request as it was sent, if it may be sent once more."""
    operation, authorisation = held.operation, held.authorisation
    can = CONNECTORS[authorisation["provider"]].CAN
    if can.resolve.get(operation["kind"]) != "by_resend" or not _is_safe(operation, authorisation):
        return None
    if operation["kind"] == "capture":
        return capture.ask(held)
    if operation["kind"] == "cancel":
        return cancel.ask(held)
    if operation["kind"] == "refund":
        return refund.ask(held, _reference(connection, OPERATIONS, operation["capture_id"]))
    if authorisation["replaces_id"] is not None:
        return reauthorise.ask(held, _reference(connection, AUTHORISATIONS, authorisation["replaces_id"]))
    means = attempt.Means(authorisation["method"], store=authorisation["store"])
    return attempt.ask(held.payment, operation, means, None)


def _is_safe(operation: Row, authorisation: Row) -> bool:
    keeps = timedelta(days=CONNECTORS[authorisation["provider"]].CAN.resend_days)
    if operation["provider_reference"] is not None or now() - operation["created_at"] > keeps:
        return False
    if operation["kind"] != "authorise" or authorisation["replaces_id"] is not None:
        return True
    by_card_or_token = authorisation["method"] == "card" or (
        authorisation["instrument_id"] is not None and not authorisation["store"]
    )
    return not by_card_or_token


def _reference(connection: Connection, table: Any, id_: Any) -> str | None:
    return connection.execute(select(table.c.provider_reference).where(table.c.id == id_)).scalar()
