"""Reading requests: strict pydantic models, and the fields that many of them share.

Strict: no text for a number, no number for a text, no unknown field. Texts are bounded and hold no control
characters (so neither NUL nor line breaks that could forge a header or a log line).
"""

import re
from typing import Annotated, Any

from apiflask.schema_adapters import registry
from apiflask.schema_adapters.pydantic import PydanticAdapter
from flask import Request, request
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError
from werkzeug.exceptions import UnsupportedMediaType

from app.api._faults import fault_of
from app.api._upload import parts_of
from app.core.card_numbers import holds_card_number
from app.core.money import EXPONENTS, LARGEST_MINOR

NO_CONTROL = r"^[^\x00-\x1f\x7f]*$"


class Body(BaseModel):
    """A request's body."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, hide_input_in_errors=True, use_attribute_docstrings=True
    )


class NoFields(Body):
    """Nothing is sent; the body may be left out."""


class Query(BaseModel):
    """What follows the `?`: everything arrives as text there, so texts are read as numbers and dates."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, use_attribute_docstrings=True)


def _known_currency(code: str) -> str:
    if code not in EXPONENTS:
        raise PydanticCustomError("currency", "unknown currency")
    return code


def _no_card_number(typed: str) -> str:
    if holds_card_number(typed):
        raise PydanticCustomError("card_in_text", "a card number in a text")
    return typed


# Whatever is a text of somebody's own: it is stored in clear, so no card number may be in it.
NO_CARD = AfterValidator(_no_card_number)
Text20 = Annotated[str, StringConstraints(min_length=1, max_length=20, pattern=NO_CONTROL), NO_CARD]
Text100 = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=NO_CONTROL), NO_CARD]
Text255 = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=NO_CONTROL), NO_CARD]
# Long enough for any id; what is no id at all is answered like an unknown one.
Id = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=NO_CONTROL)]
Amount = Annotated[int, Field(ge=1, le=LARGEST_MINOR, description="Minor units: 12.50 EUR is 1250.")]
Currency = Annotated[
    str,
    AfterValidator(_known_currency),
    WithJsonSchema({"type": "string", "enum": sorted(EXPONENTS), "description": "ISO 4217, upper-case."}),
]
Email = Annotated[
    str, StringConstraints(max_length=254, pattern=r"^[^@\s\x00-\x1f\x7f]{1,64}@[^@\s\x00-\x1f\x7f]{1,200}$")
]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
WebAddress = Annotated[str, StringConstraints(max_length=2000, pattern=r"^https?://[^\s\x00-\x1f\x7f]+$")]


def _written_out(given: object) -> object:
    """pydantic would take a number for seconds since 1970."""
    if isinstance(given, str) and not re.match(r"\d{4}-\d{2}-\d{2}T", given):
        raise PydanticCustomError("datetime_form", "not a moment")
    return given


Moment = Annotated[AwareDatetime, BeforeValidator(_written_out)]


class Line(Body):
    """A line of the order, shown to the payer. A discount has a negative amount."""

    name: Text255
    quantity: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    amount: Annotated[int, Field(ge=-LARGEST_MINOR, le=LARGEST_MINOR)]
    """Minor units, of the whole quantity."""


Lines = Annotated[list[Line], Field(max_length=200)]


def plain_lines(lines: list[Line] | None) -> list[dict[str, Any]] | None:
    return [line.model_dump() for line in lines] if lines else None


class Page(Query):
    """One page of a list."""

    limit: Annotated[int, Field(ge=1, le=100)] = 25
    after: Id | None = None
    """`next` of the answer before, or the id of the last thing you have."""


class StrictAdapter(PydanticAdapter):
    """How APIFlask reads our models: bodies from the raw JSON (so that strict means strict), refusals of our own."""

    def validate_input(self, request: Request, location: str, **_: Any) -> BaseModel:
        try:
            if location == "query":
                return self.model_class.model_validate_strings(request.args.to_dict())
            if location == "form_and_files":
                return self.model_class.model_validate(parts_of(request))
            assert location == "json", location
            return self.model_class.model_validate_json(_json_body())
        except ValidationError as error:
            raise fault_of(error) from None


def _json_body() -> bytes:
    """The raw body; nothing at all counts as an empty object. Raises UnsupportedMediaType."""
    body = request.get_data()
    if request.mimetype != "application/json" and (body or request.mimetype):
        raise UnsupportedMediaType()
    return body or b"{}"


registry.register("pydantic", StrictAdapter)
