"""`start()`: a payment begins to exist. Nothing is asked of a provider yet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Connection

from app.connectors.kinds import Payer
from app.core.clock import now
from app.core.errors import Refusal
from app.core.events import tell
from app.core.fast import add
from app.core.ids import public_id, uuid7
from app.core.money import LARGEST_MINOR, exponent
from app.core.texts import N_
from app.customers.restrict import refuse_restricted_payer
from app.payments.permit import Permit, always
from app.payments.queries import PAYMENTS
from app.payments.schedule import refuse_too_late
from app.payments.states import AMOUNTS

CaptureMode = Literal["manual", "automatic", "scheduled"]


class AmountOutOfRange(Refusal):
    code = "amount_out_of_range"
    message = N_("The amount must be between 1 and %(largest)s minor units.")


class LinesDiffer(Refusal):
    code = "lines_differ"
    message = N_("The lines add up to %(sum)s minor units, and the amount is %(amount)s.")
    advice = N_("Send lines that add up to the amount: discounts as negative lines, postage as one of its own.")


class CaptureDateNeeded(Refusal):
    code = "capture_date_needed"
    message = N_("A scheduled capture needs its date.")


@dataclass(frozen=True, slots=True)
class Order:
    """What the merchant asks for. `lines`: [{"name", "quantity", "amount"}], shown to the payer above the button
    that orders; each amount is that of its whole quantity."""

    amount: int
    currency: str
    merchant_reference: str
    capture_mode: CaptureMode = "manual"
    capture_on: date | None = None
    description: str = ""
    order_number: str | None = None
    customer_number: str | None = None
    lines: Sequence[Mapping[str, Any]] | None = None
    payer: Payer = Payer()
    shop_id: UUID | None = None
    customer_id: UUID | None = None
    receivable_id: UUID | None = None
    return_url: str | None = None
    source: str = "api"


def start(
    connection: Connection,
    order: Order,
    *,
    merchant_id: UUID,
    live: bool,
    actor: str,
    payment_id: UUID | None = None,
    permit: Permit = always,
) -> Mapping[str, Any]:
    """Inserts the payment and tells `payment.created`. Returns its row.

    `permit`: whoever has it captured without asking again must be permitted to; it passes or refuses, and holds
    nothing. Raises AmountOutOfRange, LinesDiffer, UnknownCurrency, CaptureDateNeeded, CaptureDateTooLate,
    CustomerRestricted, and what `permit` raises.
    """
    exponent(order.currency)
    if not 0 < order.amount <= LARGEST_MINOR:
        raise AmountOutOfRange(param="amount", largest=LARGEST_MINOR)
    if (order.capture_mode == "scheduled") != (order.capture_on is not None):
        raise CaptureDateNeeded(param="capture_on")
    if order.capture_on is not None:
        whose = {"merchant_id": merchant_id, "live": live, "currency": order.currency}
        refuse_too_late(connection, order.capture_on, **whose)
    refuse_other_sum(order.lines, order.amount)
    at = now()
    row = {
        "id": payment_id or uuid7(),
        "merchant_id": merchant_id,
        "live": live,
        "shop_id": order.shop_id,
        "customer_id": order.customer_id,
        "receivable_id": order.receivable_id,
        "amount": order.amount,
        "currency": order.currency,
        "merchant_reference": order.merchant_reference,
        "description": order.description,
        "order_number": order.order_number,
        "customer_number": order.customer_number,
        "order_lines": list(order.lines) if order.lines else None,
        "payer_name": order.payer.name,
        "payer_email": order.payer.email,
        "payer_country": order.payer.country,
        "language": order.payer.language,
        "capture_mode": order.capture_mode,
        "capture_on": order.capture_on,
        "return_url": order.return_url,
        "source": order.source,
        "step": 1,
        "created_at": at,
        "updated_at": at,
    }
    refuse_restricted_payer(connection, row)
    add(PAYMENTS, row)
    tell(
        "payment.created",
        subject=("payment", row["id"]),
        step=1,
        merchant_id=merchant_id,
        live=live,
        payment_id=row["id"],
        payment_step=1,
        data={
            "payment": {
                "id": public_id("pay", row["id"]),
                "merchant_reference": order.merchant_reference,
                "status": "created",
                "amount": order.amount,
                "currency": order.currency,
                **dict.fromkeys(("authorised", "captured", "cancelled", "refunded", "charged_back"), 0),
            }
        },
        details={"payer_name": order.payer.name, "payer_email": order.payer.email} if order.payer.email else None,
        actor=actor,
    )
    payment = {
        **row,
        **dict.fromkeys(AMOUNTS, 0),
        "stage": "created",
        "status": "created",
        "method": None,
        "brand": None,
        "last4": None,
        "instrument_id": None,
    }
    if order.capture_mode != "manual":
        held = permit(connection, payment, "capture", order.amount, row["id"])
        assert held is None, "what no payer has paid cannot wait for approval"
    return payment


def refuse_other_sum(lines: Sequence[Mapping[str, Any]] | None, amount: int) -> None:
    """What a payer orders is what they pay. Raises LinesDiffer; no lines say nothing."""
    found = sum(line["amount"] for line in lines or ())
    if lines and found != amount:
        raise LinesDiffer(param="lines", sum=found, amount=amount)
