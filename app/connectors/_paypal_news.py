"""PayPal's webhooks: the signature, and one fact per notification in our words.

Event names: developer.paypal.com/api/rest/webhooks/event-names.
"""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import structlog

from app.connectors._paypal_calls import Conversation
from app.connectors._paypal_orders import link, moment, operation_key, text
from app.connectors._paypal_signature import check_signature
from app.connectors._paypal_words import DISPUTE_OUTCOMES, DISPUTE_REASONS, DISPUTE_STAGES, read_money
from app.connectors.kinds import Contract, DeclineCode, DisputeNews, DisputeTurn, News, NewsKind, NewsRefused, Outcome

log = structlog.get_logger()


def read_news(
    contract: Contract, headers: Mapping[str, str], body: bytes, received_at: datetime | None = None
) -> list[News]:
    """The facts of one notification. Raises NewsRefused for a wrong signature or form, and NotSent or NoAnswer
    when PayPal could not be asked for its certificate: then nothing is known, and PayPal repeats for three days.

    Where PayPal does not name the authorisation (refunds made in its portal, disputes) it is asked for it.
    """
    check_signature(contract, headers, body, received_at)
    try:
        event = json.loads(body)
    except (ValueError, RecursionError):
        raise NewsRefused("not JSON") from None
    event_id, name = text(event, "id"), text(event, "event_type")
    resource = event.get("resource") if event_id else None
    if event_id is None or name is None or not isinstance(resource, dict):
        raise NewsRefused("not a PayPal event")
    read = _EVENTS.get(name)
    if read is None:
        log.info("paypal.event_not_read", event_type=name[:60], event_id=event_id)
        return []
    return read(Conversation(contract), _Event(event_id, moment(event.get("create_time")), resource))


class _Event:
    """A notification's id, time and resource."""

    def __init__(self, event_id: str, at: datetime | None, resource: Mapping[str, Any]) -> None:
        self.id = event_id
        self.at = at
        self.resource = resource

    def fact(self, kind: NewsKind, outcome: Outcome, **more: Any) -> News:
        amount = read_money(self.resource.get("amount"))
        known: dict[str, Any] = {
            "amount": amount[0] if amount else None,
            "currency": amount[1] if amount else None,
            "occurred_at": self.at,
            "provider_reference": text(self.resource, "id"),
            "provider_code": text(self.resource, "status_details", "reason"),
            "code": DeclineCode.PROVIDER_DECLINED if outcome is Outcome.DECLINED else None,
        }
        return News(id=self.id, kind=kind, outcome=outcome, **known | more)


_Reader = Callable[[Conversation, _Event], list[News]]


def _order_approved(_: Conversation, event: _Event) -> list[News]:
    """The payer agreed, perhaps without coming back to us; nothing is taken before we ask for it."""
    units = event.resource.get("purchase_units")
    unit = units[0] if isinstance(units, list) and units and isinstance(units[0], dict) else {}
    amount = read_money(unit.get("amount"))
    return [
        event.fact(
            "authorise",
            Outcome.PENDING,
            operation_key=operation_key("authorise", unit),
            provider_code="APPROVED",
            amount=amount[0] if amount else None,
            currency=amount[1] if amount else None,
        )
    ]


def _authorised(_: Conversation, event: _Event) -> list[News]:
    outcome = Outcome.PENDING if event.resource.get("status") == "PENDING" else Outcome.APPROVED
    return [event.fact("authorise", outcome, operation_key=operation_key("authorise", event.resource))]


def _voided(_: Conversation, event: _Event) -> list[News]:
    """By us, by the merchant in PayPal's portal, or after 29 days. The amount in it is what was authorised,
    not what was left, so it is not passed on."""
    reference = text(event.resource, "id")
    return [
        event.fact("cancel", Outcome.APPROVED, amount=None, provider_reference=None, authorisation_reference=reference)
    ]


def _captured(outcome: Outcome) -> _Reader:
    def read(_: Conversation, event: _Event) -> list[News]:
        key, authorisation = operation_key("capture", event.resource), _authorisation_of(event.resource)
        return [event.fact("capture", outcome, operation_key=key, authorisation_reference=authorisation)]

    return read


def _money_back(turn: DisputeTurn | None) -> _Reader:
    """A refund (`turn` None), or a reversal by PayPal (`turn` charged_back).

    When it settles a claim, the money was booked as charged back then, so it is that dispute's loss.
    """

    def read(paypal: Conversation, event: _Event) -> list[News]:
        key = operation_key("refund", event.resource)
        capture = (link(event.resource, "up") or "").rpartition("/")[2] or text(event.resource, "id")
        if key:
            return [event.fact("refund", Outcome.APPROVED, operation_key=key)]
        whose = {"authorisation_reference": _ask_authorisation(paypal, capture), "capture_reference": capture}
        claim = _claim_about(paypal, capture)
        if claim:
            dispute = DisputeNews("lost", claim, reason="other")
        elif turn:
            dispute = DisputeNews(turn, text(event.resource, "id") or event.id, reason="reversed")
        else:
            return [event.fact("refund", Outcome.APPROVED, **whose)]
        return [event.fact("dispute", Outcome.APPROVED, dispute=dispute, **whose)]

    return read


def _disputed(paypal: Conversation, event: _Event) -> list[News]:
    found = event.resource
    status, stage = found.get("status"), text(found, "dispute_life_cycle_stage")
    turn: DisputeTurn | None = DISPUTE_STAGES.get(stage or "")
    outcome = Outcome.APPROVED if turn else Outcome.UNKNOWN
    if status == "RESOLVED":
        ended = DISPUTE_OUTCOMES.get(text(found, "dispute_outcome", "outcome_code") or "")
        turn, outcome = (ended, Outcome.APPROVED) if ended else (turn, Outcome.UNKNOWN)
    if outcome is Outcome.UNKNOWN:
        log.warning("paypal.not_understood", word=f"dispute {status} {stage}"[:60], event_id=event.id)
    reason, fee = text(found, "reason") or "OTHER", _dispute_fee(found)
    amount = read_money(found.get("dispute_amount"))
    transactions = found.get("disputed_transactions")
    first = transactions[0] if isinstance(transactions, list) and transactions else None
    capture = text(first, "seller_transaction_id")
    return [
        event.fact(
            "dispute",
            outcome,
            amount=amount[0] if amount else None,
            currency=amount[1] if amount else None,
            provider_reference=None,
            authorisation_reference=_ask_authorisation(paypal, capture),
            capture_reference=capture,
            provider_code=text(found, "dispute_outcome", "outcome_code") or stage,
            dispute=DisputeNews(
                turn=turn or "inquiry",
                provider_reference=text(found, "dispute_id") or event.id,
                reason=DISPUTE_REASONS.get(reason, reason),
                fee=fee[0],
                fee_currency=fee[1],
                respond_by=moment(found.get("seller_response_due_date")),
            ),
        )
    ]


def _dispute_fee(dispute: Mapping[str, Any]) -> tuple[int | None, str | None]:
    movements = dispute.get("money_movements")
    for one in movements if isinstance(movements, list) else []:
        ours = text(one, "affected_party") == "SELLER" and text(one, "type") == "DEBIT"
        amount = read_money(one.get("amount")) if ours else None
        if amount and text(one, "reason") in ("DISPUTE_FEE", "CHARGEBACK_FEE"):
            return amount
    return None, None


def _authorisation_of(capture: Mapping[str, Any]) -> str | None:
    named = text(capture, "supplementary_data", "related_ids", "authorization_id")
    head, _, tail = (link(capture, "up") or "").rpartition("/")
    return named or (tail if head.endswith("/payments/authorizations") else None)


def _ask_authorisation(paypal: Conversation, capture: str | None) -> str | None:
    """The authorisation a capture belongs to; the capture itself if it was captured at once."""
    known = paypal.look(f"/v2/payments/captures/{capture}").data if capture else None
    return (_authorisation_of(known) if known else None) or capture


def _claim_about(paypal: Conversation, capture: str | None) -> str | None:
    """The dispute about this capture that has gone beyond an inquiry."""
    known = paypal.look(f"/v1/customer/disputes?disputed_transaction_id={capture}").data or {}
    items = known.get("items")
    for one in items if isinstance(items, list) else []:
        if DISPUTE_STAGES.get(text(one, "dispute_life_cycle_stage") or "") == "charged_back":
            return text(one, "dispute_id")
    return None


def _nothing(_: Conversation, event: _Event) -> list[News]:
    """Tokens come with the answer that made them; a deleted one is refused at its next charge."""
    return []


_EVENTS: Mapping[str, _Reader] = {
    "CHECKOUT.ORDER.APPROVED": _order_approved,
    "PAYMENT.AUTHORIZATION.CREATED": _authorised,
    "PAYMENT.AUTHORIZATION.VOIDED": _voided,
    "PAYMENT.CAPTURE.COMPLETED": _captured(Outcome.APPROVED),
    "PAYMENT.CAPTURE.PENDING": _captured(Outcome.PENDING),
    "PAYMENT.CAPTURE.DENIED": _captured(Outcome.DECLINED),
    "PAYMENT.CAPTURE.DECLINED": _captured(Outcome.DECLINED),
    "PAYMENT.CAPTURE.REFUNDED": _money_back(None),
    "PAYMENT.CAPTURE.REVERSED": _money_back("charged_back"),
    "CUSTOMER.DISPUTE.CREATED": _disputed,
    "CUSTOMER.DISPUTE.UPDATED": _disputed,
    "CUSTOMER.DISPUTE.RESOLVED": _disputed,
    "VAULT.PAYMENT-TOKEN.CREATED": _nothing,
    "VAULT.PAYMENT-TOKEN.DELETED": _nothing,
    "VAULT.PAYMENT-TOKEN.DELETION-INITIATED": _nothing,
}
