"""What a merchant sends to be paid: the order, and the means to pay it with."""

import re
from datetime import date
from ipaddress import ip_address
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Discriminator, Field, StringConstraints, Tag, WithJsonSchema
from pydantic_core import PydanticCustomError

from app.api._answers import id_in
from app.api._callers import caller
from app.api._input import (
    Amount,
    Body,
    Country,
    Currency,
    Email,
    Id,
    Lines,
    Text100,
    Text255,
    WebAddress,
    plain_lines,
)
from app.connectors.kinds import Card, Payer
from app.core.card_numbers import luhn
from app.core.clock import business_today
from app.core.errors import Refusal
from app.core.texts import N_
from app.payments.attempt import Means
from app.payments.start import Order

Language = Literal["de", "en"]
_ADDRESS = {"type": "string", "anyOf": [{"format": "ipv4"}, {"format": "ipv6"}]}


class CaptureDatePast(Refusal):
    code = "capture_date_past"
    message = N_("The date of the capture is in the past.")
    advice = N_("Send today's date or a later one.")


def _card_number(typed: str) -> str:
    """Digits only. The error quotes nothing."""
    digits = re.sub(r"[ -]", "", typed)
    if not (12 <= len(digits) <= 19 and digits.isascii() and digits.isdigit() and luhn(digits)):
        raise PydanticCustomError("card_number", "not a card number")
    return digits


def _address(typed: str) -> str:
    try:
        return str(ip_address(typed))
    except ValueError:
        raise PydanticCustomError("ip_address", "not an address") from None


class CardIn(Body):
    """A raw card. It lives in this one request and is never stored or logged."""

    model_config = ConfigDict(json_schema_extra={"example": {"number": "4242 4242 4242 4242"}})

    number: Annotated[
        str,
        StringConstraints(max_length=40),
        AfterValidator(_card_number),
        WithJsonSchema(
            {
                "type": "string",
                "pattern": "^[0-9](?:[ -]?[0-9]){11,18}$",
                "description": "12 to 19 digits with a right check digit.",
            }
        ),
    ]
    expiry_month: Annotated[int, Field(ge=1, le=12)]
    expiry_year: Annotated[int, Field(ge=2000, le=2100)]
    security_code: Annotated[str, StringConstraints(pattern=r"^[0-9]{3,4}$")] | None = None
    holder: Text100 | None = None

    def card(self) -> Card:
        return Card(
            number=self.number,
            expiry_month=self.expiry_month,
            expiry_year=self.expiry_year,
            security_code=self.security_code,
            holder=self.holder,
        )


class ByCard(Body):
    """A raw card."""

    type: Literal["card"]
    card: CardIn


class ByInstrument(Body):
    """A stored card or account."""

    type: Literal["instrument"]
    instrument: Id


class ByPayPal(Body):
    """PayPal: the answer has a `next_action` with the address to send the payer to."""

    type: Literal["paypal"]


def _kind(given: Any) -> str | None:
    """The tag of the variant; what is no object at all is told so by any of them."""
    if not isinstance(given, dict):
        return "is:card"
    return f"is:{given['type']}" if isinstance(given.get("type"), str) else None


def _discriminated(schema: dict[str, Any]) -> None:
    """Tells readers of the description what pydantic cannot see in `_kind`."""
    variants = {"card": ByCard, "instrument": ByInstrument, "paypal": ByPayPal}
    mapping = {name: f"#/components/schemas/{model.__name__}" for name, model in variants.items()}
    schema["discriminator"] = {"propertyName": "type", "mapping": mapping}


Method = Annotated[
    Annotated[ByCard, Tag("is:card")]
    | Annotated[ByInstrument, Tag("is:instrument")]
    | Annotated[ByPayPal, Tag("is:paypal")],
    Discriminator(_kind),
    Field(json_schema_extra=_discriminated),
]


class PayerDevice(Body):
    """What the payer pays from, for risk checks and 3-D Secure."""

    ip_address: (
        Annotated[str, StringConstraints(max_length=45), AfterValidator(_address), WithJsonSchema(_ADDRESS)] | None
    ) = None
    user_agent: Text255 | None = None


class PayerIn(PayerDevice):
    """Who pays."""

    name: Text255 | None = None
    email: Email | None = None
    country: Country | None = None
    language: Language | None = None


class OrderIn(Body):
    """What payments and checkouts have in common."""

    amount: Amount
    currency: Currency
    merchant_reference: Text100
    """Your own reference: it stands on every report."""
    capture: Literal["manual", "automatic", "scheduled"] = "manual"
    """By hand, at once, or on `capture_on`."""
    capture_on: date | None = None
    """The merchant's date on which to capture; only with “scheduled”."""
    description: Text255 | None = None
    order_number: Text100 | None = None
    customer_number: Text100 | None = None
    shop: Id | None = None
    """One of your shops."""
    lines: Lines | None = None
    """What is bought; shown to the payer. Adds up to `amount`."""
    return_url: WebAddress | None = None
    """Where the payer goes after a step at the bank or on our page."""

    def order(self, **more: Any) -> Order:
        """Raises CaptureDatePast; `more` are the fields of Order that need a look-up."""
        who = caller()
        if self.capture_on and self.capture_on < business_today(who.clock_offset_seconds, who.timezone):
            raise CaptureDatePast(param="capture_on")
        return Order(
            amount=self.amount,
            currency=self.currency,
            merchant_reference=self.merchant_reference,
            capture_mode=self.capture,
            capture_on=self.capture_on,
            description=self.description or "",
            order_number=self.order_number,
            customer_number=self.customer_number,
            lines=plain_lines(self.lines),
            return_url=self.return_url,
            **more,
        )


class Charge(Body):
    """How to pay."""

    store: bool = False
    """Keep the card for later charges; `instrument` of the payment is its id."""
    initiator: Literal["payer", "merchant"] = "payer"
    """“merchant”: the payer is not there, and has agreed before."""
    series: Literal["first", "following", "unscheduled"] | None = None
    """The place of this charge in a series of charges."""

    def means(self, method: "ByCard | ByInstrument | ByPayPal", device: PayerDevice | None) -> Means:
        """Raises NotFound for an id that is none."""
        device = device or PayerDevice()
        instrument = method.instrument if isinstance(method, ByInstrument) else None
        return Means(
            method="card" if instrument else method.type,
            card=method.card.card() if isinstance(method, ByCard) else None,
            instrument_id=id_in("ins", instrument, "payment_method.instrument"),
            store=self.store,
            initiator=self.initiator,
            series=self.series,
            ip_address=device.ip_address,
            user_agent=device.user_agent,
        )


class NewPayment(Charge, OrderIn):
    """Without `payment_method` the payment waits to be confirmed with one."""

    payment_method: Method | None = None
    customer: Id | None = None
    """One of your customers; completes `payer`."""
    payer: PayerIn | None = None


class Confirmation(Charge):
    """The means of payment for a payment that waits for one."""

    payment_method: Method
    payer: PayerDevice | None = None


def payer_of(given: PayerIn | None, customer: Any) -> Payer:
    """The payer as sent, completed from the customer (a row of `customers`, or None)."""
    given = given or PayerIn()
    known = customer or {"name": None, "email": None, "language": "de", "address": None}
    return Payer(
        name=given.name or known["name"],
        email=given.email or known["email"],
        country=given.country or (known["address"] or {}).get("country"),
        language=given.language or known["language"],
        ip_address=given.ip_address,
        user_agent=given.user_agent,
    )
