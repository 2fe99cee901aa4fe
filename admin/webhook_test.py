"""What became of a test sent to a webhook endpoint: shown on the endpoint's page, live while it is on its way."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import request
from flask_babel import gettext as _
from sqlalchemy import select

from admin import formats
from admin.here import connection
from app.core.clock import now
from app.core.db import table_of
from app.core.errors import NotFound
from app.core.events import Event
from app.core.ids import parse_id
from app.messages import queries
from app.messages.public import event_picture

LOOKED_AT_FOR = timedelta(minutes=1)
_EVENTS = table_of(Event)


@dataclass(frozen=True, slots=True)
class Outcome:
    """`again`: it may still change within seconds. `tone`: good, wait or bad. `body`: what is sent, as JSON."""

    delivery: Any
    sentence: str
    tone: str
    again: bool
    body: str


def asked_for(endpoint_id: UUID, newest: Sequence[Any]) -> Outcome | None:
    """The test that the address names, if it was one of this endpoint. `newest`: its deliveries as read already."""
    try:
        wanted = parse_id("dlv", request.args["test"]) if "test" in request.args else None
        known = next((one for one in newest if one["id"] == wanted), None)
        delivery = known or (queries.delivery(connection(), wanted) if wanted else None)
    except NotFound:
        return None
    if delivery is None or delivery["endpoint_id"] != endpoint_id:
        return None
    told = connection().execute(select(_EVENTS).where(_EVENTS.c.id == delivery["event_id"])).mappings().one()
    body = json.dumps(event_picture(dict(told)), indent=2, ensure_ascii=False, default=str)
    sentence, tone, again = _said(delivery)
    return Outcome(delivery, sentence, tone, again, body)


def _said(delivery: Any) -> tuple[str, str, bool]:
    if delivery["state"] == "delivered":
        answer = formats.answer(delivery)
        return _("The test has arrived: the endpoint answered %(answer)s.", answer=answer), "good", False
    if delivery["state"] == "failed":
        return _("The test did not arrive: %(why)s.", why=_why(delivery)), "bad", False
    if delivery["attempts"]:
        again = _("It is repeated by itself; send another test once the fault is mended.")
        return _("The first attempt failed: %(why)s.", why=_why(delivery)) + " " + again, "bad", False
    if now() - delivery["created_at"] > LOOKED_AT_FOR:
        return _("The test still waits to be sent. Load this page again in a while."), "wait", False
    return _("The test is on its way …"), "wait", True


def _why(delivery: Any) -> str:
    if delivery["last_status"] is not None:
        return _("the endpoint answered %(status)s, and only 2xx counts", status=delivery["last_status"])
    return delivery["last_error"] or "–"
