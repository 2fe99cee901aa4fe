"""The forms of answers, for the documentation and the tests. What is really sent is drawn by the rooms' `public.py`."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from app.core.errors import RefusalKind
from app.payments.states import CHECKOUT, DISPUTE, KINDS, OPERATION, STATUSES

Moment = Annotated[str, Field(json_schema_extra={"format": "date-time"}, description="RFC 3339, UTC.")]
Day = Annotated[str, Field(json_schema_extra={"format": "date"})]
Minor = Annotated[int, Field(description="Minor units of the currency.")]


def one_of(words: Sequence[str]) -> Any:
    """For a text that is one of `words`: they stand in the description of the API."""
    return Field(json_schema_extra={"enum": list(words)})


class Picture(BaseModel):
    """Every field is always there; what is not known is null."""

    model_config = ConfigDict(extra="forbid")


class PendingApproval(Picture):
    """A request that a second person decides about in the back office."""

    id: str
    object: str
    status: Literal["pending_approval"]


class CardPicture(Picture):
    brand: str | None
    last4: str


class PayerPicture(Picture):
    name: str | None
    email: str | None
    country: str | None
    language: str


class LinePicture(Picture):
    name: str
    quantity: int
    amount: Minor


class NextAction(Picture):
    """What the payer must do: open `url` (with `fields`, if `method` is POST)."""

    type: str
    url: str
    method: Literal["GET", "POST"]
    fields: dict[str, str]


class Failure(Picture):
    """Why it was declined: our word, and the provider's."""

    code: str | None
    provider_code: str | None


class Payment(Picture):
    id: str
    object: Literal["payment"]
    live: bool
    status: Annotated[str, one_of(STATUSES)]
    amount: Minor
    currency: str
    amount_authorised: Minor
    amount_captured: Minor
    amount_cancelled: Minor
    amount_refunded: Minor
    amount_charged_back: Minor
    amount_capturable: Minor
    amount_refundable: Minor
    amount_pending: Minor
    merchant_reference: str
    description: str
    order_number: str | None
    customer_number: str | None
    customer: str | None
    shop: str | None
    lines: list[LinePicture] | None
    payer: PayerPicture
    capture: Literal["manual", "automatic", "scheduled"]
    capture_on: Day | None
    method: str | None
    card: CardPicture | None
    instrument: str | None
    next_action: NextAction | None
    failure: Failure | None
    created_at: Moment
    updated_at: Moment


class Warning(Picture):
    code: str
    message: str


class Operation(Picture):
    """A capture, refund, cancellation or authorisation of a payment, or a fact a provider told."""

    id: str
    object: Annotated[str, one_of(KINDS)]
    payment: str
    status: Annotated[str, one_of(OPERATION.states)]
    amount: Minor
    currency: str
    final: bool | None
    reason: str | None
    lines: list[LinePicture] | None
    failure: Failure | None
    created_at: Moment
    updated_at: Moment


class CaptureMade(Operation):
    """A capture. `warnings`: what else happened with it."""

    warnings: list[Warning]


class Refund(Operation):
    """A refund; `parts` is how many calls to the provider it needed. `amount_refunded` is what has gone back: less than
    `amount` while a part has no answer, or if one was refused."""

    amount_refunded: Minor
    parts: int


class Checkout(Picture):
    """`url` is for a redirect, `embed_url` for an iframe."""

    id: str
    object: Literal["checkout"]
    live: bool
    status: Annotated[str, one_of(CHECKOUT.states)]
    url: str
    embed_url: str
    payment: str
    receivable: str | None
    """What is owed. Another checkout may be made for it."""
    amount: Minor
    currency: str
    merchant_reference: str
    shop: str
    language: str
    return_url: str | None
    expires_at: Moment
    created_at: Moment


class Dispute(Picture):
    id: str
    object: Literal["dispute"]
    payment: str
    status: Annotated[str, one_of(DISPUTE.states)]
    amount: Minor
    fee: Minor
    fee_currency: str
    currency: str
    reason: str
    respond_by: Moment | None
    opened_at: Moment
    updated_at: Moment


class Page(Picture):
    """`next`: send it as `after` for the rest; null when there is none."""

    next: str | None


class Payments(Page):
    data: list[Payment]


class Operations(Page):
    data: list[Operation]


class Checkouts(Page):
    data: list[Checkout]


class Disputes(Page):
    data: list[Dispute]


class Error(Picture):
    type: Annotated[str, one_of((*get_args(RefusalKind), "internal"))]
    code: str
    message: str
    param: str | None
    request_id: str
    doc_url: str
    advice: str | None


class ErrorAnswer(Picture):
    error: Error
