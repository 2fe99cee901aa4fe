"""Disputes: a worklist by deadline, and one of them in detail."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from flask import request
from flask_babel import gettext as _
from sqlalchemy import Select, and_, or_, select

from admin import actors, merchants_known, words
from admin.guard import look_at
from admin.here import connection, here, staff
from admin.listing import Choice, Filters, by_id, pager
from admin.payment_page import turn
from admin.screen import Entry, Screen, page
from app.connectors import CONNECTORS
from app.core.db import table_of
from app.core.errors import NotFound
from app.core.events import EVENTS
from app.core.ids import parse_id
from app.core.texts import N_
from app.documents.models import DOCUMENTS
from app.merchants.models import Merchant
from app.payments.blocked import payer_blocked
from app.payments.evidence import evidence_of
from app.payments.models import Dispute
from app.payments.queries import CONTRACTS, PAYMENTS
from app.payments.search import Page
from app.payments.states import DISPUTE_OPEN

DISPUTES = table_of(Dispute)


class Disputes(Screen):
    address = "disputes"
    entry = Entry("payments", 20, N_("Disputes"), "scales", "disputes")

    @page("/", "dispute.read")
    def index(self) -> str:
        state = Choice(_("State"), ("state",), options={name: _(word.label) for name, word in words.DISPUTE.items()})
        merchant = merchants_known.choice()
        filters = Filters(state, merchant)
        closed = request.args.get("all") == "1" or bool(state.chosen)
        query = _listed(state, merchant)
        found = by_id(query, DISPUTES.c.id, "dsp") if closed else _worklist(query)
        return self.show(
            "disputes",
            title=_("Disputes"),
            rows=found.rows,
            filters=filters,
            closed=closed,
            pager=pager(filters, "dsp", found),
        )

    @page("/<id>", "dispute.read")
    def detail(self, id: str) -> str:
        dispute = read_dispute(parse_id("dsp", id))
        look_at(dispute["live"])
        evidence = connection().execute(evidence_of(dispute["id"]).order_by(DOCUMENTS.c.id)).mappings().all()
        events = connection().execute(_told(dispute["id"])).mappings().all()
        known = actors.names([*(one["actor"] for one in events), *(one["created_by"] for one in evidence)])
        return self.show(
            "dispute",
            title=_("Dispute about %(reference)s", reference=dispute["merchant_reference"]),
            dispute=dispute,
            provider=provider_of(dispute),
            actors=known,
            turns=[turn(dict(one), known, staff()) for one in events],
            is_open=dispute["state"] in DISPUTE_OPEN,
            evidence=evidence,
        )


def _told(dispute_id: UUID) -> Select[Any]:
    """The events of a dispute and of its files, newest first."""
    files = select(DOCUMENTS.c.id).where(DOCUMENTS.c.subject_type == "dispute", DOCUMENTS.c.subject_id == dispute_id)
    of_dispute = and_(EVENTS.c.subject_type == "dispute", EVENTS.c.subject_id == dispute_id)
    of_files = and_(EVENTS.c.subject_type == "document", EVENTS.c.subject_id.in_(files))
    return select(EVENTS).where(or_(of_dispute, of_files)).order_by(EVENTS.c.id.desc()).limit(200)


def _listed(state: Choice, merchant: Choice) -> Select[Any]:
    query: Any = (
        select(
            DISPUTES,
            PAYMENTS.c.merchant_reference,
            PAYMENTS.c.payer_name,
            PAYMENTS.c.method,
            PAYMENTS.c.brand,
            PAYMENTS.c.last4,
            Merchant.name.label("merchant_name"),
            payer_blocked(PAYMENTS.c.id),
        )
        .join(PAYMENTS, PAYMENTS.c.id == DISPUTES.c.payment_id)
        .join(Merchant, Merchant.id == DISPUTES.c.merchant_id)
        .where(DISPUTES.c.live == here().live)
    )
    if state.chosen:
        query = query.where(DISPUTES.c.state.in_(state.chosen))
    if merchant.chosen:
        query = query.where(DISPUTES.c.merchant_id.in_(merchant.ids("mer")))
    return query


def _worklist(query: Select[Any]) -> Page:
    """What is open, the next deadline first."""
    rows = (
        connection()
        .execute(
            query.where(DISPUTES.c.state.in_(DISPUTE_OPEN))
            .order_by(DISPUTES.c.respond_by.asc().nulls_last(), DISPUTES.c.id)
            .limit(500)
        )
        .mappings()
        .all()
    )
    return Page(rows, False, False)


def read_dispute(dispute_id: UUID) -> Any:
    """A dispute with what one wants to know about its payment and contract. Raises NotFound."""
    query = (
        select(
            DISPUTES,
            PAYMENTS.c.merchant_reference,
            PAYMENTS.c.method,
            PAYMENTS.c.brand,
            PAYMENTS.c.last4,
            PAYMENTS.c.amount.label("payment_amount"),
            PAYMENTS.c.payer_name,
            PAYMENTS.c.payer_email,
            CONTRACTS.c.provider,
            CONTRACTS.c.label.label("contract_label"),
            Merchant.name.label("merchant_name"),
            payer_blocked(PAYMENTS.c.id),
        )
        .join(PAYMENTS, PAYMENTS.c.id == DISPUTES.c.payment_id)
        .join(CONTRACTS, CONTRACTS.c.id == DISPUTES.c.contract_id)
        .join(Merchant, Merchant.id == DISPUTES.c.merchant_id)
        .where(DISPUTES.c.id == dispute_id)
    )
    row = connection().execute(query).mappings().first()
    if row is None:
        raise NotFound()
    return row


def provider_of(dispute: Any) -> str:
    """Its name, as people know it."""
    known = CONNECTORS.get(dispute["provider"])
    return known.LABEL if known else dispute["provider"]


SCREEN = Disputes

if TYPE_CHECKING:
    from admin.screen import ScreenModule
    from admin.screens import disputes as _me

    _check: ScreenModule = _me
