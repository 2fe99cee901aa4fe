"""Events: everything that happened, in order, with what was told and by whom; the audit of what staff did and saw."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flask import Response, request
from flask_babel import gettext as _
from sqlalchemy import select

from admin import actors, changes, formats, personal, reads, subjects, words
from admin.event_export import csv_of
from admin.event_search import EVENTS, LOG, MERCHANTS, Search
from admin.guard import look_at
from admin.here import connection, here, staff
from admin.listing import by_id, pager
from admin.office import url
from admin.screen import Entry, Screen, go, page, say_refused
from admin.told import told
from app.core.clock import now
from app.core.db import table_of
from app.core.errors import NotFound, Refusal
from app.core.events import EventDetails
from app.core.ids import parse_id
from app.core.origin import KEYS
from app.core.texts import N_
from app.customers.add import CUSTOMERS
from app.messages.queries import deliveries
from app.payments.blocked import payer_blocked


class Events(Screen):
    address = "events"
    entry = Entry("messages", 10, N_("Events and audit"), "pulse")

    @page("/", "event.read")
    def index(self) -> str:
        search = Search()
        found = by_id(search.query(), EVENTS.c.id, "evt")
        return self.show(
            "events",
            title=_("Events and audit"),
            rows=found.rows,
            filters=search.filters,
            pager=pager(search.filters, "evt", found),
            actors=actors.names(row["actor"] for row in found.rows),
            word=words.event,
            query=request.query_string.decode(),
        )

    @page("/export", "export.events", ("POST",), fresh=True)
    def export(self) -> Any:
        """The list as it was narrowed when the button was pressed."""
        search = Search(request.form.get("query", ""))
        try:
            search.filters.refuse_wrong()
            content, count = csv_of(search)
        except Refusal as refusal:
            say_refused(refusal)
            return go(url("events.index"))
        told("event.exported", rows=count, narrowed=search.said, mode="live" if here().live else "test")
        name = f"events-{now():%Y-%m-%d-%H%M}.csv"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(content.encode(), mimetype="text/csv", headers=headers)

    @page("/<id>", "event.read")
    def detail(self, id: str) -> str:
        event = _one(parse_id("evt", id))
        if event["live"] is not None:
            look_at(event["live"])
        said, details = event["data"], event["details"] or {}
        shown = _seen(event, details)
        return self.show(
            "event",
            title=formats.event_name(event["name"]),
            event=event,
            changes=changes.changes(said, shown),
            data=_json(changes.rest(said)) if changes.rest(said) or not said else None,
            raw=_json(said),
            origin={name: details[name] for name in KEYS if name in details} if _may_see_origin() else {},
            personal=_json(changes.rest(shown)) if changes.rest(shown) else None,
            is_hidden=bool(_of_people(details)) and not shown,
            actor=actors.names([event["actor"]])[event["actor"]],
            deliveries=deliveries(connection(), limit=50, event_id=event["id"]),
            subject=subjects.subject(event),
            word=words.event(event["name"])[0],
        )


def _one(event_id: Any) -> Any:
    details = table_of(EventDetails)
    query = (
        select(
            EVENTS,
            details.c.body.label("details"),
            LOG.c.position,
            LOG.c.seal,
            MERCHANTS.c.name.label("merchant_name"),
            payer_blocked(EVENTS.c.payment_id),
            CUSTOMERS.c.restricted_at,
        )
        .join(details, details.c.event_id == EVENTS.c.id, isouter=True)
        .join(LOG, LOG.c.event_id == EVENTS.c.id, isouter=True)
        .join(MERCHANTS, MERCHANTS.c.id == EVENTS.c.merchant_id, isouter=True)
        .join(CUSTOMERS, (EVENTS.c.subject_type == "customer") & (CUSTOMERS.c.id == EVENTS.c.subject_id), isouter=True)
        .where(EVENTS.c.id == event_id)
    )
    row = connection().execute(query).mappings().first()
    if row is None:
        raise NotFound()
    return row


def _of_people(details: Mapping[str, Any]) -> dict[str, Any]:
    """Details besides where a member of staff was."""
    return {name: value for name, value in details.items() if name not in KEYS}


def _seen(event: Mapping[str, Any], details: Mapping[str, Any]) -> dict[str, Any]:
    """Names and addresses in an event, for whoever may see those of payers, or those of staff; noted as seen."""
    found = _of_people(details)
    if not found:
        return {}
    if event["merchant_id"] is None:
        return found if staff().may("user.read") else {}
    if not personal.visible(event["merchant_id"]):
        return {}
    if event["payment_id"] is not None:
        if not personal.may_see_payer(event):
            return {}
        reads.saw("payment", event["payment_id"], event["merchant_id"], event["live"])
    elif event["subject_type"] == "customer":
        if not personal.may_see_customer(event):
            return {}
        reads.saw("customer", event["subject_id"], event["merchant_id"], event["live"])
    return found


def _may_see_origin() -> bool:
    """Where somebody of the staff sat is theirs too: for those who keep the users, and for auditors."""
    return staff().may("user.read") or staff().may("export.events")


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


SCREEN = Events

if TYPE_CHECKING:
    from admin.screen import ScreenModule
    from admin.screens import events as _me

    _check: ScreenModule = _me
