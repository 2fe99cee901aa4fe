"""Webhook endpoints: where a merchant wants to be told."""

from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

from flask import Response
from pydantic import Field, StringConstraints
from sqlalchemy import Select, select

from app.api._answers import answer, newest_first, read_one
from app.api._approvals import TO_APPROVE, waiting
from app.api._callers import actor, asker, needs, scope, tenant
from app.api._input import NO_CARD, NO_CONTROL, Body, NoFields, Page, Text100, WebAddress
from app.api._once import once
from app.api._pictures import Moment, Picture
from app.api._pictures import Page as PagePicture
from app.api._resource import resource
from app.api.deliveries import Delivery, drawn
from app.approvals.ask import ask
from app.approvals.decide import read as read_request
from app.approvals.decide import take_secret
from app.core.db import atomic, reading
from app.core.errors import Refusal
from app.core.idempotency import Repeated, claim, recall
from app.core.ids import parse_id, uuid7
from app.messages.addresses import refuse_private
from app.messages.endpoints import (
    ENDPOINTS,
    add_endpoint,
    change_endpoint,
    delete_endpoint,
    held,
    rotate_secret,
    send_test,
)
from app.messages.public import endpoint_picture

api = resource("webhook_endpoints", "Where you want to be told what happened. Every delivery is signed.")

Description = Annotated[str, StringConstraints(max_length=255, pattern=NO_CONTROL), NO_CARD]
EventNames = Annotated[list[Text100], Field(max_length=100)]


class NewEndpoint(Body):
    """Where and what to deliver."""

    url: WebAddress
    description: Description = ""
    events: EventNames = []
    """Names of the events you want; none means all."""


class EndpointChange(Body):
    """Only what is sent is changed."""

    url: WebAddress = ""
    description: Description = ""
    events: EventNames = []
    active: bool = True
    """True switches on what was switched off."""


class WebhookEndpoint(Picture):
    """`secret` is shown once: when the endpoint is made or its secret rotated."""

    id: str
    object: str
    live: bool
    url: str
    description: str
    events: list[str]
    active: bool
    disabled_reason: str | None
    failing_since: Moment | None
    last_success_at: Moment | None
    old_secret_valid_until: Moment | None
    created_at: Moment


class EndpointWithSecret(WebhookEndpoint):
    """With the secret, unless this is the repetition of an earlier request: then it was shown before."""

    secret: str | None = None


class Endpoints(PagePicture):
    data: list[WebhookEndpoint]


@api.post("/webhook_endpoints")
@needs("webhook.write")
@api.input(NewEndpoint, example={"url": "https://shop.example/hooks", "events": ["capture.succeeded"]})
@api.output(EndpointWithSecret, 201)
@api.doc(responses=TO_APPROVE)
def create(json_data: NewEndpoint) -> Response:
    """Create a webhook endpoint

    `secret` is in this answer and never again. Signatures follow the Standard Webhooks specification. Where it needs a
    second person's approval, the answer is 202 until then: repeat the request with the same `Idempotency-Key`, and the
    first answer after the approval has the secret.
    """
    endpoint_id, given = uuid7(), json_data.model_dump()
    try:
        _refuse_private(json_data.url)
        with atomic(scope()) as connection:
            recall(connection, once(), **tenant())
            asked = ask(connection, "endpoint", asker(), **tenant(), subject_id=endpoint_id, params=given)
            if asked is not None:
                claim(connection, once(), **tenant(), subject=("approval", asked))
                return waiting(asked)
            claim(connection, once(), **tenant(), subject=("webhook_endpoint", endpoint_id))
            _, secret = add_endpoint(connection, **tenant(), actor=actor(), **given, endpoint_id=endpoint_id)
    except Repeated as repeated:
        return _again(repeated, 201)
    return answer(_read(endpoint_id) | {"secret": secret}, 201)


@api.get("/webhook_endpoints")
@needs("webhook.read")
@api.input(Page, location="query")
@api.output(Endpoints)
def list_(query_data: Page) -> Response:
    """List webhook endpoints

    Newest first.
    """
    with reading(scope()) as connection:
        return newest_first(connection, _living(), ENDPOINTS.c.id, "whe", query_data, endpoint_picture)


@api.get("/webhook_endpoints/<endpoint_id>")
@needs("webhook.read")
@api.output(WebhookEndpoint)
def get(endpoint_id: str) -> Response:
    """Get a webhook endpoint"""
    return answer(_read(parse_id("whe", endpoint_id)))


@api.patch("/webhook_endpoints/<endpoint_id>")
@needs("webhook.write")
@api.input(EndpointChange, example={"active": True})
@api.output(WebhookEndpoint)
@api.doc(responses=TO_APPROVE)
def change(endpoint_id: str, json_data: EndpointChange) -> Response:
    """Change a webhook endpoint

    Only what is sent is changed. Another address may need a second person's approval; then the answer is 202, and
    nothing is changed until then.
    """
    found, sent = parse_id("whe", endpoint_id), json_data.model_dump(exclude_unset=True)
    if "url" in sent:
        refuse_private(sent["url"])
    with atomic(scope()) as connection:
        before = held(connection, found)
        if sent.get("url", before["url"]) != before["url"]:
            told = {"before": {name: before[name] for name in sent}, "after": sent}
            asked = ask(connection, "endpoint_change", asker(), **tenant(), subject_id=found, params=told)
            if asked is not None:
                return waiting(asked)
        row = change_endpoint(connection, endpoint_id=found, actor=actor(), **sent)
    return answer(endpoint_picture(row))


@api.delete("/webhook_endpoints/<endpoint_id>")
@needs("webhook.write")
@api.output({}, 204)
def delete(endpoint_id: str) -> Response:
    """Delete a webhook endpoint

    Nothing is sent to it any more. Its deliveries stay as a record.
    """
    with atomic(scope()) as connection:
        delete_endpoint(connection, endpoint_id=parse_id("whe", endpoint_id), actor=actor())
    return Response(status=204)


@api.post("/webhook_endpoints/<endpoint_id>/rotate_secret")
@needs("webhook.write")
@api.input(NoFields)
@api.output(EndpointWithSecret)
@api.doc(responses=TO_APPROVE)
def rotate(endpoint_id: str, json_data: NoFields) -> Response:
    """Rotate the secret of a webhook endpoint

    For 24 hours deliveries are signed with the old secret as well. Where it needs a second person's approval, the
    answer is 202 until then: repeat the request with the same `Idempotency-Key` to get the secret.
    """
    found = parse_id("whe", endpoint_id)
    try:
        with atomic(scope()) as connection:
            recall(connection, once(), **tenant())
            told = {"url": held(connection, found)["url"]}
            asked = ask(connection, "endpoint_secret", asker(), **tenant(), subject_id=found, params=told)
            if asked is not None:
                claim(connection, once(), **tenant(), subject=("approval", asked))
                return waiting(asked)
            claim(connection, once(), **tenant(), subject=("webhook_endpoint", found))
            secret = rotate_secret(connection, endpoint_id=found, actor=actor())
    except Repeated as repeated:
        return _again(repeated, 200)
    return answer(_read(found) | {"secret": secret})


@api.post("/webhook_endpoints/<endpoint_id>/test")
@needs("webhook.write")
@api.input(NoFields)
@api.output(Delivery, 201)
def test(endpoint_id: str, json_data: NoFields) -> Response:
    """Send a test to a webhook endpoint

    An event `endpoint.test` goes to this endpoint alone.
    """
    found, delivery_id = parse_id("whe", endpoint_id), uuid7()
    try:
        with atomic(scope()) as connection:
            claim(connection, once(), **tenant(), subject=("delivery", delivery_id))
            send_test(connection, endpoint_id=found, actor=actor(), delivery_id=delivery_id)
    except Repeated as repeated:
        return answer(drawn(repeated.subject_id), 201, repeated=True)
    return answer(drawn(delivery_id), 201)


def _again(repeated: Repeated, decided: int) -> Response:
    """What became of the first request; its secret is shown once, whenever that is."""
    if repeated.subject_type != "approval":
        return answer(_read(repeated.subject_id), decided, repeated=True)
    with atomic(scope()) as connection:
        request = read_request(connection, repeated.subject_id)
    if request["state"] != "executed":
        return waiting(request["id"], request["state"], repeated=True)
    secret = take_secret(request["id"], actor(), scope=scope())
    return answer(_read(request["subject_id"]) | ({"secret": secret} if secret else {}), decided, repeated=True)


def _refuse_private(url: str) -> None:
    """Raises what refuse_private() does; Repeated instead, if this was answered before the name left the DNS."""
    try:
        refuse_private(url)
    except Refusal:
        with reading(scope()) as connection:
            recall(connection, once(), **tenant())
        raise


def _living() -> Select[Any]:
    return select(ENDPOINTS).where(ENDPOINTS.c.deleted_at.is_(None))


def _read(endpoint_id: UUID) -> dict[str, Any]:
    """Raises NotFound."""
    return endpoint_picture(read_one(_living().where(ENDPOINTS.c.id == endpoint_id)))


if TYPE_CHECKING:
    from app.api import Resource
    from app.api import webhook_endpoints as _me

    _: Resource = _me
