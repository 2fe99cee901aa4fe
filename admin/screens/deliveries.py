"""Webhook deliveries: what was sent where, what came back, and sending it again."""

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from flask import request
from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from admin import endpoints_known, words
from admin.forms import OnceForm, nonce, purpose
from admin.guard import look_at
from admin.here import connection, here
from admin.listing import Choice, Filters, Pager
from admin.office import url
from admin.screen import Entry, Screen, actor, go, page, say, say_refused
from app.core.db import table_of
from app.core.errors import NotFound, Refusal
from app.core.events import Event
from app.core.idempotency import KeyReused, Repeated
from app.core.ids import parse_id, public_id
from app.core.texts import N_
from app.messages import queries
from app.messages.public import event_picture
from app.messages.replay import replay

_LIMIT = 50


class Deliveries(Screen):
    address = "deliveries"
    entry = Entry("messages", 30, N_("Deliveries"), "send")

    @page("/", "delivery.read")
    def index(self) -> str:
        options = {name: _(word.label) for name, word in words.DELIVERY.items()}
        state = Choice(_("State"), ("state",), options=options, many=False)
        endpoint = endpoints_known.choice()
        filters = Filters(state, endpoint)
        after = _cursor()
        rows = queries.deliveries(
            connection(),
            limit=_LIMIT + 1,
            after=after,
            live=here().live,
            endpoint_id=next(iter(endpoint.ids("whe")), None),
            state=state.one,
        )
        return self.show(
            "deliveries",
            title=_("Deliveries"),
            rows=rows[:_LIMIT],
            filters=filters,
            pager=_pager(filters, rows, after is not None),
        )

    @page("/<id>", "delivery.read")
    def detail(self, id: str) -> str:
        delivery = queries.delivery(connection(), parse_id("dlv", id))
        look_at(delivery["live"])
        event = table_of(Event)
        told = connection().execute(select(event).where(event.c.id == delivery["event_id"])).mappings().one()
        form = OnceForm()
        form.nonce.data = nonce(purpose("replay", delivery["id"]))
        return self.show(
            "delivery",
            title=_("Delivery"),
            delivery=delivery,
            body=json.dumps(event_picture(dict(told)), indent=2, ensure_ascii=False, default=str),
            form=form,
        )

    @page("/<id>/replay", "delivery.replay", ("POST",))
    def again(self, id: str) -> AnyResponse:
        delivery = queries.delivery(connection(), parse_id("dlv", id))
        form = OnceForm()
        if not form.validate():
            raise NotFound()
        merchant_id, live, delivery_id = delivery["merchant_id"], delivery["live"], delivery["id"]
        once = form.once(purpose("replay", delivery_id))
        try:
            new = replay(merchant_id=merchant_id, live=live, delivery_id=delivery_id, actor=actor(), once=once)
        except (Repeated, KeyReused):
            say(_("It is being sent again already."), "wait")
        except Refusal as refusal:
            say_refused(refusal)
        else:
            say(_("It is sent again now. This is the new delivery."))
            return go(url("deliveries.detail", id=public_id("dlv", new)))
        return go(url("deliveries.detail", id=id))


def _cursor() -> tuple[datetime, Any] | None:
    """`after` is the moment and id of the last row before. A malformed one starts at the first page."""
    moment, _dot, delivery = request.args.get("after", "").partition("~")
    try:
        return datetime.fromisoformat(moment), parse_id("dlv", delivery)
    except (ValueError, NotFound):
        return None


def _pager(filters: Filters, rows: Any, started: bool) -> Pager:
    first = filters.url() if started else None
    if len(rows) <= _LIMIT:
        return Pager(first, None)
    last = rows[_LIMIT - 1]
    cursor = f"{last['created_at'].isoformat()}~{public_id('dlv', last['id'])}"
    return Pager(first, filters.page_url(after=cursor))


SCREEN = Deliveries

if TYPE_CHECKING:
    from admin.screen import ScreenModule
    from admin.screens import deliveries as _me

    _check: ScreenModule = _me
