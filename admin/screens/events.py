"""Events: everything that happened, in order, with what was told and by whom; the audit of what staff did and saw."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flask import Response, request
from flask_babel import gettext as _
from sqlalchemy import select

from admin import actors, changes, event_details, formats, reads, subjects, words
from admin.event_export import csv_of
from admin.event_search import EVENTS, LOG, MERCHANTS, Search
from admin.guard import look_at
from admin.here import connection, here
from admin.listing import by_id, pager
from admin.office import url
from admin.screen import Entry, Screen, go, page, say_refused
from admin.told import told
from app.core.clock import now
from app.core.errors import NotFound, Refusal
from app.core.ids import parse_id
from app.core.texts import N_
from app.messages.queries import deliveries


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
        said, shown = event["data"], _seen(event)
        return self.show(
            "event",
            title=formats.event_name(event["name"]),
            event=event,
            changes=changes.changes(said, shown),
            data=_json(changes.rest(said)) if changes.rest(said) or not said else None,
            raw=_json(said),
            origin=event_details.came_from(event),
            personal=_json(changes.rest(shown)) if changes.rest(shown) else None,
            is_hidden=bool(event_details.of_people(event)) and not shown,
            actor=actors.names([event["actor"]])[event["actor"]],
            deliveries=deliveries(connection(), limit=50, event_id=event["id"]),
            subject=subjects.subject(event),
            word=words.event(event["name"])[0],
        )


def _one(event_id: Any) -> Any:
    query = select(EVENTS, *event_details.needed(), LOG.c.position, LOG.c.seal, MERCHANTS.c.name.label("merchant_name"))
    query = (
        event_details.joined(query)
        .join(LOG, LOG.c.event_id == EVENTS.c.id, isouter=True)
        .join(MERCHANTS, MERCHANTS.c.id == EVENTS.c.merchant_id, isouter=True)
        .where(EVENTS.c.id == event_id)
    )
    row = connection().execute(query).mappings().first()
    if row is None:
        raise NotFound()
    return row


def _seen(event: Mapping[str, Any]) -> dict[str, Any]:
    """What may be seen of people, noted as seen."""
    found = event_details.seen(event)
    if found and event["merchant_id"] is not None:
        if event["payment_id"] is not None:
            reads.saw("payment", event["payment_id"], event["merchant_id"], event["live"])
        elif event["subject_type"] == "customer":
            reads.saw("customer", event["subject_id"], event["merchant_id"], event["live"])
    return found


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


SCREEN = Events

if TYPE_CHECKING:
    from admin.screen import ScreenModule
    from admin.screens import events as _me

    _check: ScreenModule = _me
