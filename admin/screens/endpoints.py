"""Webhook endpoints: where merchants listen, with which secret, and whether it works."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from flask import request
from flask_babel import gettext as _
from sqlalchemy import exists, func, select
from werkzeug.wrappers import Response as AnyResponse
from wtforms import StringField
from wtforms.validators import DataRequired, Length

from admin import formats, merchants_known, setup, webhook_test
from admin.fields import Several, options
from admin.forms import REQUIRED, TIDY, OnceForm, nonce, purpose
from admin.four_eyes import ask_or_do, asked_for
from admin.guard import look_at
from admin.here import connection, here
from admin.listing import Filters
from admin.office import url
from admin.screen import Entry, Screen, actor, go, page, say, say_refused
from admin.screens.merchants import read_merchant
from admin.texts import lazy as _l
from app.core.db import atomic, of
from app.core.errors import Refusal
from app.core.idempotency import KeyReused, Repeated, claim
from app.core.ids import parse_id, public_id, uuid7
from app.core.texts import N_
from app.messages import queries
from app.messages.addresses import refuse_private
from app.messages.endpoints import (
    DELIVERIES,
    ENDPOINTS,
    add_endpoint,
    change_endpoint,
    delete_endpoint,
    rotate_secret,
    send_test,
)
from app.messages.events import by_name
from app.messages.replay import replay_failed


class EndpointForm(OnceForm):
    url = StringField(_l("Address"), filters=TIDY, validators=[DataRequired(REQUIRED), Length(max=500)])
    description = StringField(_l("Note"), filters=TIDY, validators=[Length(max=200)])
    events = Several(_l("Only these events"))

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.events.choices = options(sorted(by_name()))


class Endpoints(Screen):
    address = "endpoints"
    entry = Entry("messages", 20, N_("Endpoints"), "hook", "endpoints")

    @page("/", "merchant.read")
    def index(self) -> str:
        merchant = merchants_known.choice()
        filters = Filters(merchant)
        query = select(ENDPOINTS).where(ENDPOINTS.c.live == here().live, ENDPOINTS.c.deleted_at.is_(None))
        if merchant.chosen:
            query = query.where(ENDPOINTS.c.merchant_id.in_(merchant.ids("mer")))
        query = query.order_by(ENDPOINTS.c.failing_since.nulls_last(), ENDPOINTS.c.id.desc()).limit(300)
        rows = connection().execute(query).mappings().all()
        return self.show(
            "endpoints", title=_("Webhook endpoints"), rows=rows, filters=filters, merchants=merchants_known.names()
        )

    @page("/add", "endpoint.write", ("GET", "POST"), fresh=True)
    def add(self) -> Any:
        merchant = read_merchant(parse_id("mer", request.args.get("merchant", "")))
        what, form, live = purpose("add endpoint", merchant["id"]), EndpointForm(), here().live
        if form.validate_on_submit():
            try:
                refuse_private(form.url.data or "")
                with atomic(of(merchant["id"], live)) as work:
                    whose = {"merchant_id": merchant["id"], "live": live}
                    if ask_or_do(work, "endpoint", **whose, subject_id=uuid7(), params=_values(form)):
                        claim(work, form.once(what), merchant["id"], live, ("endpoint", merchant["id"]))
                        return asked_for()
                    endpoint_id = uuid7()
                    claim(work, form.once(what), merchant["id"], live, ("endpoint", endpoint_id))
                    given = {**whose, **_values(form), "endpoint_id": endpoint_id}
                    secret = add_endpoint(work, **given, actor=actor())[1]
            except (Repeated, KeyReused):
                return _shown_already(merchant["id"])
            except Refusal as refusal:
                if not form.refuse(refusal):
                    form.form_errors.append(formats.said(refusal.message, **refusal.values))
            else:
                return self._secret(form.url.data or "", secret, merchant)
        elif request.method == "GET":
            form.nonce.data = nonce(what)
        return self.show(
            "endpoint_form",
            title=_("New webhook endpoint"),
            form=form,
            merchant=merchant,
            endpoint=None,
            setup=setup.strip(merchant),
        )

    @page("/<id>", "merchant.read")
    def detail(self, id: str) -> str:
        endpoint = queries.endpoint(connection(), parse_id("whe", id))
        look_at(endpoint["live"])
        form = OnceForm()
        form.nonce.data = nonce(purpose("rotate secret", endpoint["id"]))
        merchant = read_merchant(endpoint["merchant_id"])
        newest = queries.deliveries(connection(), limit=20, endpoint_id=endpoint["id"], live=endpoint["live"])
        return self.show(
            "endpoint",
            title=_("Webhook endpoint"),
            endpoint=endpoint,
            merchant=merchant,
            test=webhook_test.asked_for(endpoint["id"], newest),
            kept=setup.kept(),
            setup=setup.strip(merchant),
            deliveries=newest,
            waiting=_count(endpoint["id"], "pending"),
            failed=_count(endpoint["id"], "failed"),
            repeatable=_repeatable(endpoint["id"]),
            form=form,
        )

    @page("/<id>/change", "endpoint.write", ("GET", "POST"), fresh=True)
    def change(self, id: str) -> Any:
        endpoint = queries.endpoint(connection(), parse_id("whe", id))
        look_at(endpoint["live"])
        form = EndpointForm(data=dict(endpoint))
        if form.validate_on_submit():
            try:
                refuse_private(form.url.data or "")
                with atomic(of(endpoint["merchant_id"], endpoint["live"])) as work:
                    if _goes_elsewhere(endpoint, _values(form)) and _ask_to_change(work, endpoint, _values(form)):
                        return asked_for()
                    change_endpoint(work, endpoint_id=endpoint["id"], actor=actor(), **_values(form))
            except Refusal as refusal:
                if not form.refuse(refusal):
                    form.form_errors.append(formats.said(refusal.message, **refusal.values))
            else:
                say(_("Saved."))
                return go(url("endpoints.detail", id=id))
        merchant = read_merchant(endpoint["merchant_id"])
        return self.show(
            "endpoint_form", title=_("Change the endpoint"), form=form, merchant=merchant, endpoint=endpoint
        )

    @page("/<id>/test", "endpoint.write", ("POST",))
    def test(self, id: str) -> AnyResponse:
        endpoint = queries.endpoint(connection(), parse_id("whe", id))
        try:
            with atomic(of(endpoint["merchant_id"], endpoint["live"])) as work:
                sent = {"test": public_id("dlv", send_test(work, endpoint_id=endpoint["id"], actor=actor()))}
        except Refusal as refusal:
            say_refused(refusal)
            sent = {}
        return go(url("endpoints.detail", id=id, **sent, **setup.kept()))

    @page("/<id>/switch", "endpoint.write", ("POST",), fresh=True)
    def switch(self, id: str) -> AnyResponse:
        active = request.form.get("active") == "1"
        done = _("Switched on.") if active else _("Switched off. What waited for it has failed; it can be sent again.")
        return _do(id, lambda work, one: change_endpoint(work, endpoint_id=one, active=active, actor=actor()), done)

    @page("/<id>/replay", "delivery.replay", ("POST",))
    def replay(self, id: str) -> AnyResponse:
        endpoint = queries.endpoint(connection(), parse_id("whe", id))
        try:
            count = replay_failed(
                merchant_id=endpoint["merchant_id"], live=endpoint["live"], endpoint_id=endpoint["id"], actor=actor()
            )
        except Refusal as refusal:
            say_refused(refusal)
        else:
            say(_("%(count)s deliveries are sent again.", count=formats.number(count)))
        return go(url("endpoints.detail", id=id))

    @page("/<id>/rotate", "endpoint.write", ("POST",), fresh=True)
    def rotate(self, id: str) -> Any:
        endpoint, form = queries.endpoint(connection(), parse_id("whe", id)), OnceForm()
        merchant_id, live = endpoint["merchant_id"], endpoint["live"]
        try:
            once = form.once(purpose("rotate secret", endpoint["id"]))
            with atomic(of(merchant_id, live)) as work:
                # The form is used up by what it does: a secret that nobody saw was not made either.
                claim(work, once, merchant_id, live, ("endpoint", endpoint["id"]))
                whose = {"merchant_id": merchant_id, "live": live, "subject_id": endpoint["id"]}
                if ask_or_do(work, "endpoint_secret", **whose, params={"url": endpoint["url"]}):
                    return asked_for()
                secret = rotate_secret(work, endpoint_id=endpoint["id"], actor=actor())
        except (Repeated, KeyReused):
            return _shown_already(merchant_id)
        except Refusal as refusal:
            say_refused(refusal)
            return go(url("endpoints.detail", id=id))
        return self._secret(endpoint["url"], secret, read_merchant(merchant_id))

    @page("/<id>/delete", "endpoint.write", ("GET", "POST"), fresh=True)
    def delete(self, id: str) -> Any:
        endpoint = queries.endpoint(connection(), parse_id("whe", id))
        look_at(endpoint["live"])
        form = OnceForm()
        if form.validate_on_submit():
            with atomic(of(endpoint["merchant_id"], endpoint["live"])) as work:
                delete_endpoint(work, endpoint_id=endpoint["id"], actor=actor())
            say(_("The endpoint is deleted."))
            return go(url("merchants.detail", id=public_id("mer", endpoint["merchant_id"])))
        return self.show(
            "endpoint_delete",
            title=_("Delete the endpoint"),
            form=form,
            endpoint=endpoint,
            merchant=read_merchant(endpoint["merchant_id"]),
        )

    def _secret(self, address: str, secret: str, merchant: Any) -> str:
        what = _("This is the only time that the secret is shown. The merchant checks with it that a webhook is ours.")
        return self.show(
            "secret",
            title=_("Secret of %(address)s", address=address),
            secret=secret,
            merchant=merchant,
            what=what,
            setup=setup.strip(merchant),
            step="endpoint",
        )


def _values(form: EndpointForm) -> dict[str, Any]:
    return {"url": form.url.data or "", "description": form.description.data or "", "events": form.events.data or []}


def _goes_elsewhere(endpoint: Any, values: dict[str, Any]) -> bool:
    """Who listens is what a second person looks at; a note or fewer events are nobody else's business."""
    return values["url"] != endpoint["url"]


def _ask_to_change(work: Any, endpoint: Any, values: dict[str, Any]) -> bool:
    before = {name: endpoint[name] for name in values}
    whose = {"merchant_id": endpoint["merchant_id"], "live": endpoint["live"], "subject_id": endpoint["id"]}
    return ask_or_do(work, "endpoint_change", **whose, params={"before": before, "after": values})


def _count(endpoint_id: UUID, state: str) -> int:
    query = select(func.count()).where(DELIVERIES.c.endpoint_id == endpoint_id, DELIVERIES.c.state == state)
    return connection().execute(query).scalar_one()


def _repeatable(endpoint_id: UUID) -> int:
    """Failed deliveries that were not sent again yet."""
    later = DELIVERIES.alias()
    sent_again = exists().where(
        later.c.event_id == DELIVERIES.c.event_id,
        later.c.endpoint_id == endpoint_id,
        later.c.replay > DELIVERIES.c.replay,
    )
    query = select(func.count()).where(
        DELIVERIES.c.endpoint_id == endpoint_id, DELIVERIES.c.state == "failed", ~sent_again
    )
    return connection().execute(query).scalar_one()


def _do(id: str, what: Any, done: str) -> AnyResponse:
    endpoint = queries.endpoint(connection(), parse_id("whe", id))
    try:
        with atomic(of(endpoint["merchant_id"], endpoint["live"])) as work:
            what(work, endpoint["id"])
    except Refusal as refusal:
        say_refused(refusal)
    else:
        say(done)
    return go(url("endpoints.detail", id=id))


def _shown_already(merchant_id: UUID) -> AnyResponse:
    say(
        _("This form was sent before. The secret was shown then and cannot be shown again; rotate it if it is lost."),
        "wait",
    )
    return go(url("merchants.detail", id=public_id("mer", merchant_id)))


SCREEN = Endpoints

if TYPE_CHECKING:
    from admin.screen import ScreenModule
    from admin.screens import endpoints as _me

    _check: ScreenModule = _me
