"""Events: everything that happened, in order, with what was told and by whom."""

import json
from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _
from sqlalchemy import or_, select

from admin import actors, formats, merchants_known, words
from admin.guard import look_at
from admin.here import connection, here
from admin.listing import Choice, Filters, Period, Text, by_id, pager
from admin.office import url
from admin.screen import Entry, Screen, page
from app.core.db import table_of
from app.core.errors import NotFound
from app.core.events import Event, EventDetails, EventLog
from app.core.ids import parse_id, public_id
from app.core.texts import N_
from app.merchants.models import Merchant
from app.messages.queries import deliveries
from app.payments.search import first_id_at

EVENTS = table_of(Event)


class Events(Screen):
    address = "events"
    entry = Entry("messages", 10, N_("Events"), "pulse")

    @page("/", "event.read")
    def index(self) -> str:
        name = Text(_("Event"), ("name",), hint=_("For example capture.succeeded, or only capture."))
        audience = Choice(_("Told to"), ("audience",), options={key: _(text) for key, text in words.AUDIENCES.items()})
        period, merchant = Period(_("When")), merchants_known.choice()
        filters = Filters(name, period, merchant, audience)
        found = by_id(_listed(name, audience, period, merchant), EVENTS.c.id, "evt")
        return self.show(
            "events",
            title=_("Events"),
            rows=found.rows,
            filters=filters,
            pager=pager(filters, "evt", found),
            actors=actors.names(row["actor"] for row in found.rows),
            word=words.event,
        )

    @page("/<id>", "event.read")
    def detail(self, id: str) -> str:
        event = _one(parse_id("evt", id))
        if event["live"] is not None:
            look_at(event["live"])
        return self.show(
            "event",
            title=formats.event_name(event["name"]),
            event=event,
            data=_json(event["data"]),
            details=_json(event["details"]) if event["details"] else None,
            actor=actors.names([event["actor"]])[event["actor"]],
            deliveries=deliveries(connection(), limit=50, event_id=event["id"]),
            subject=_subject(event),
            word=words.event(event["name"])[0],
        )


def _listed(name: Text, audience: Choice, period: Period, merchant: Choice) -> Any:
    merchants = table_of(Merchant)
    query = (
        select(
            EVENTS.c.id,
            EVENTS.c.name,
            EVENTS.c.audience,
            EVENTS.c.actor,
            EVENTS.c.data,
            EVENTS.c.happened_at,
            EVENTS.c.payment_id,
            merchants.c.name.label("merchant_name"),
        )
        .join(merchants, merchants.c.id == EVENTS.c.merchant_id, isouter=True)
        .where(or_(EVENTS.c.live == here().live, EVENTS.c.live.is_(None)))
    )
    if name.value:
        wanted = name.value.strip().lower()
        query = query.where(EVENTS.c.name.startswith(wanted, autoescape=True))
    if audience.chosen:
        query = query.where(EVENTS.c.audience.in_(audience.chosen))
    if merchant.chosen:
        query = query.where(EVENTS.c.merchant_id.in_(merchant.ids("mer")))
    if period.starts:
        query = query.where(EVENTS.c.id >= first_id_at(period.starts))
    if period.ends:
        query = query.where(EVENTS.c.id < first_id_at(period.ends))
    return query


def _one(event_id: Any) -> Any:
    details, log, merchants = table_of(EventDetails), table_of(EventLog), table_of(Merchant)
    query = (
        select(
            EVENTS, details.c.body.label("details"), log.c.position, log.c.seal, merchants.c.name.label("merchant_name")
        )
        .join(details, details.c.event_id == EVENTS.c.id, isouter=True)
        .join(log, log.c.event_id == EVENTS.c.id, isouter=True)
        .join(merchants, merchants.c.id == EVENTS.c.merchant_id, isouter=True)
        .where(EVENTS.c.id == event_id)
    )
    row = connection().execute(query).mappings().first()
    if row is None:
        raise NotFound()
    return row


# subject of an event -> prefix of its public id, page about it
_SUBJECTS = {
    "payment": ("pay", "payments.detail"),
    "dispute": ("dsp", "disputes.detail"),
    "merchant": ("mer", "merchants.detail"),
    "shop": ("shp", "shops.detail"),
    "contract": ("ctr", "contracts.detail"),
    "endpoint": ("whe", "endpoints.detail"),
    "staff": ("usr", "users.detail"),
    "operation": ("op", None),
    "checkout": ("chk", None),
    "api_key": ("key", None),
    "instrument": ("ins", None),
    "document": ("doc", None),
}


def _subject(event: Any) -> tuple[str, str | None] | None:
    """(public id, address of its page or None)."""
    known = _SUBJECTS.get(event["subject_type"])
    if known is None:
        return None
    prefix, screen = known
    subject = public_id(prefix, event["subject_id"])
    return subject, url(screen, id=subject) if screen else None


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


SCREEN = Events

if TYPE_CHECKING:
    from admin.screen import ScreenModule
    from admin.screens import events as _me

    _check: ScreenModule = _me
