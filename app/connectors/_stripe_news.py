"""Stripe's webhooks in our words.

A fact's id derives from the thing and its state, not from the event: two events that tell of one capture give one id.
Disputes are the exception: they go from state to state and back, and their fee and deadline change in between, so
that each event is a fact of its own (payments/dispute.py knows a turn that it has booked).

Sources: docs.stripe.com/api/events/types, /api/refunds/object, /api/disputes/object.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import structlog

from app.connectors._reading import masked, part, several, text, unix_time, whole
from app.connectors._stripe_events import Event, open_event
from app.connectors._stripe_words import DECLINES, DISPUTE_STATES, REFUND_FAILURES, REFUND_STATES, read_amount
from app.connectors.kinds import Contract, DeclineCode, DisputeNews, DisputeTurn, News, Outcome

log = structlog.get_logger()

_LAPSED = frozenset({"automatic", "expired"})  # Stripe's own reasons for cancelling an intent


def read_news(
    contract: Contract, headers: Mapping[str, str], body: bytes, received_at: datetime | None = None
) -> list[News]:
    """Raises NewsRefused. Events we have no use for give []."""
    event = open_event(contract, headers, body, received_at)
    if event.live is not contract.live:
        return event.unread("news_of_other_mode")
    reader = _READERS.get(event.type)
    if reader is None:
        log.info("news_not_needed", provider="stripe", contract=contract.id, news=masked(event.type))
        return []
    return reader(event) if event.id else event.unread("news_garbled")


# PaymentIntents


def _authorised(event: Event) -> list[News]:
    id_ = event.id
    known = {"operation_key": event.operation_key, "provider_reference": id_}
    return [event.news(f"{id_}:authorised", "authorise", Outcome.APPROVED, event.amount("amount"), **known)]


def _intent_succeeded(event: Event) -> list[News]:
    """The capture, and the rest that it released: Stripe may show the rest as a refund, but no money ever came.
    An intent that captures by itself tells of its authorisation in no other event."""
    charge = text(event.thing.get("latest_charge")) or text(part(event.thing, "latest_charge").get("id"))
    amount, taken = event.amount("amount"), event.amount("amount_received")
    captured = event.news(
        f"{event.id}:captured",
        "capture",
        Outcome.APPROVED,
        taken,
        operation_key=text(part(event.thing, "metadata").get("capture_key")),
        provider_reference=charge,
        authorisation_reference=event.id,
    )
    facts = [*_authorised(event), captured]
    if amount is not None and taken is not None and taken < amount:
        rest = {"authorisation_reference": event.id, "released": True}
        facts.append(event.news(f"{event.id}:released", "refund", Outcome.APPROVED, amount - taken, **rest))
    return facts


def _charge_captured(event: Event) -> list[News]:
    """Without our key, which is on the intent: the intent's own event tells of the same capture, with the key."""
    log.info("news_not_needed", provider="stripe", contract=event.contract.id, news=event.type)
    return []


def _intent_failed(event: Event) -> list[News]:
    error, id_ = part(event.thing, "last_payment_error"), event.id
    word = text(error.get("decline_code")) or text(error.get("code")) or ""
    if word not in DECLINES:
        log.warning("provider_word_unknown", provider="stripe", contract=event.contract.id, word=masked(word))
    return [
        event.news(
            f"{id_}:failed:{text(error.get('charge')) or ''}",
            "authorise",
            Outcome.DECLINED,
            event.amount("amount"),
            operation_key=event.operation_key,
            provider_reference=id_,
            code=DECLINES.get(word, DeclineCode.PROVIDER_DECLINED),
            provider_code=masked(word),
        )
    ]


def _intent_cancelled(event: Event) -> list[News]:
    """Without a charge there was nothing to release: then it is the end of an authorisation that never was."""
    id_, reason = event.id, text(event.thing.get("cancellation_reason"))
    if event.thing.get("latest_charge") and not event.thing.get("last_payment_error"):
        return [_lapsed(event, id_, event.amount("amount"), reason in _LAPSED)]
    known = {"operation_key": event.operation_key, "provider_reference": id_, "provider_code": "canceled"}
    code = DeclineCode.EXPIRED if reason in _LAPSED else DeclineCode.PROVIDER_DECLINED
    return [event.news(f"{id_}:never", "authorise", Outcome.DECLINED, event.amount("amount"), code=code, **known)]


def _charge_expired(event: Event) -> list[News]:
    return [_lapsed(event, event.intent, event.amount("amount"), expired=True)]


def _lapsed(event: Event, intent: str | None, amount: int | None, expired: bool) -> News:
    return event.news(
        f"{intent or event.thing['id']}:cancelled",
        "cancel",
        Outcome.APPROVED,
        amount,
        authorisation_reference=intent,
        code=DeclineCode.EXPIRED if expired else None,
    )


# Refunds


def _refund(event: Event) -> list[News]:
    return _one_refund(event, event.thing)


def _charge_refunded(event: Event) -> list[News]:
    """Older API versions list the refunds here; newer ones only tell of each in `refund.*`."""
    listed = several(part(event.thing, "refunds").get("data"))
    return [news for found in listed for news in _one_refund(event, {"payment_intent": event.intent, **part(found)})]


def _one_refund(event: Event, refund: Mapping[str, Any]) -> list[News]:
    id_, status = text(refund.get("id")), text(refund.get("status")) or ""
    intent, key = text(refund.get("payment_intent")), text(part(refund, "metadata").get("operation_key"))
    outcome, amount = REFUND_STATES.get(status), read_amount(refund.get("amount"), event.thing.get("currency"))
    if id_ is None or outcome is None:
        return event.unread("provider_word_unknown", word=masked(status))
    if key is None and outcome is Outcome.APPROVED and refund.get("balance_transaction") is None:
        # Touches no balance and is not ours: the rest of a capture, or a cancelled authorisation, shown as a
        # refund. The capture and the cancellation tell of it themselves.
        log.info("news_of_released_rest", provider="stripe", contract=event.contract.id, refund=id_)
        return []
    reason = text(refund.get("failure_reason")) or status
    declined = outcome is Outcome.DECLINED
    return [
        event.news(
            f"{id_}:{status}",
            "refund",
            outcome,
            amount,
            operation_key=key,
            provider_reference=id_,
            authorisation_reference=intent,
            code=REFUND_FAILURES.get(reason, DeclineCode.PROVIDER_DECLINED) if declined else None,
            provider_code=masked(reason) if declined else None,
        )
    ]


# Disputes


def _dispute(event: Event) -> list[News]:
    status = text(event.thing.get("status")) or ""
    if status not in DISPUTE_STATES:
        return event.unread("provider_word_unknown", word=masked(status))
    if event.type == "charge.dispute.updated" and event.at:
        # Only says where it stands. Stripe's times are whole seconds: what moved money in the same one came after it.
        event = replace(event, at=event.at - timedelta(milliseconds=1))
    return _turned(event, DISPUTE_STATES[status], event.amount("amount"))


def _funds_withdrawn(event: Event) -> list[News]:
    return _turned(event, "charged_back", event.amount("amount"))


def _funds_reinstated(event: Event) -> list[News]:
    return _turned(event, "reversed", event.amount("amount"))


def _turned(event: Event, turn: DisputeTurn | None, amount: int | None) -> list[News]:
    if turn is None:
        return event.unread("news_not_needed", status=masked(event.thing.get("status")))
    id_ = event.id
    fee, fee_currency = _dispute_fee(event)
    dispute = DisputeNews(
        turn,
        id_,
        masked(event.thing.get("reason")) or "general",
        fee=fee,
        fee_currency=fee_currency,
        respond_by=unix_time(part(event.thing, "evidence_details").get("due_by")),
    )
    if event.thing.get("status") == "warning_closed":
        amount = 0  # an inquiry that ended without a chargeback: nothing was taken, nothing comes back
    return [
        event.news(
            event.event_id or f"{id_}:{turn}",
            "dispute",
            Outcome.APPROVED,
            amount,
            provider_reference=text(event.thing.get("charge")),
            authorisation_reference=event.intent,
            dispute=dispute,
        )
    ]


def _dispute_fee(event: Event) -> tuple[int | None, str | None]:
    """What Stripe has taken for it so far, in the currency in which it settles: the dispute's own or another one."""
    movements = [part(one) for one in several(event.thing.get("balance_transactions"))]
    named = [one for one in movements if whole(one.get("fee")) is not None]
    currency = text(named[0].get("currency")) if named else None
    taken = sum(whole(one.get("fee")) or 0 for one in named if one.get("currency") == currency)
    fee = read_amount(max(0, taken), currency) if named else None
    return fee, (currency or "").upper() if fee is not None else None


_READERS: Mapping[str, Callable[[Event], list[News]]] = {
    "payment_intent.amount_capturable_updated": _authorised,
    "payment_intent.succeeded": _intent_succeeded,
    "payment_intent.payment_failed": _intent_failed,
    "payment_intent.canceled": _intent_cancelled,
    "charge.captured": _charge_captured,
    "charge.expired": _charge_expired,
    "charge.refunded": _charge_refunded,
    "charge.refund.updated": _refund,
    "refund.created": _refund,
    "refund.updated": _refund,
    "refund.failed": _refund,
    "charge.dispute.created": _dispute,
    "charge.dispute.updated": _dispute,
    "charge.dispute.closed": _dispute,
    "charge.dispute.funds_withdrawn": _funds_withdrawn,
    "charge.dispute.funds_reinstated": _funds_reinstated,
}
