"""What can be wrong with the form of a request. What was sent is never quoted: it might be a card number."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from app.core.card_numbers import CardNumberInText
from app.core.errors import Refusal
from app.core.texts import N_


class BadInput(Refusal):
    code = "not_valid"
    message = N_("This value is not valid.")
    advice = N_("See the documentation of this request.")


class MalformedJson(BadInput):
    status = 400
    code = "malformed_json"
    message = N_("The body is not JSON.")
    advice = N_("Send one JSON object, encoded in UTF-8.")


class NotAnObject(BadInput):
    code = "not_an_object"
    message = N_("This must be a JSON object.")


class FieldNeeded(BadInput):
    code = "field_needed"
    message = N_("This field is needed.")


class UnknownField(BadInput):
    code = "unknown_field"
    message = N_("There is no such field.")


class NotWhole(BadInput):
    code = "not_a_whole_number"
    message = N_("This must be a whole number, without quotes.")
    advice = N_("Amounts are in the smallest unit of the currency: 12.50 EUR is 1250.")


class NotText(BadInput):
    code = "not_a_text"
    message = N_("This must be a text.")


class NotTrueOrFalse(BadInput):
    code = "not_true_or_false"
    message = N_("This must be true or false.")


class NotList(BadInput):
    code = "not_a_list"
    message = N_("This must be a list.")


class NotDate(BadInput):
    code = "not_a_date"
    message = N_("This must be a date like 2026-11-30, or a time like 2026-11-30T12:00:00Z.")


class NotFile(BadInput):
    code = "not_a_file"
    message = N_("This must be one file.")
    advice = N_("Send it as a part of multipart/form-data, with a file name.")


class TooShort(BadInput):
    code = "too_short"
    message = N_("This is too short.")


class TooLong(BadInput):
    code = "too_long"
    message = N_("This is too long.")


class OutOfRange(BadInput):
    code = "out_of_range"
    message = N_("This number is too small or too large.")


class WrongForm(BadInput):
    code = "wrong_form"
    message = N_("This text has not the form that is needed here.")


class NotOneOf(BadInput):
    code = "not_one_of"
    message = N_("This must be one of %(expected)s.")


class BadCardNumber(BadInput):
    code = "bad_card_number"
    message = N_("This is not a card number.")
    advice = N_("Send 12 to 19 digits; spaces and dashes are ignored.")


class CardNumberGiven(BadInput):
    code = CardNumberInText.code
    message = CardNumberInText.message
    advice = CardNumberInText.advice


class UnknownCurrencyCode(BadInput):
    code = "unknown_currency"
    message = N_("This is not a currency we know.")
    advice = N_("Use a three-letter ISO 4217 code such as EUR.")


# pydantic's own types of error (docs.pydantic.dev/latest/errors/validation_errors) and those our validators raise.
_BY_TYPE: dict[str, type[BadInput]] = {
    "json_invalid": MalformedJson,
    "json_type": MalformedJson,
    "string_unicode": MalformedJson,
    "missing": FieldNeeded,
    "extra_forbidden": UnknownField,
    "string_type": NotText,
    "bool_type": NotTrueOrFalse,
    "bool_parsing": NotTrueOrFalse,
    "list_type": NotList,
    "is_instance_of": NotFile,
    "string_too_short": TooShort,
    "too_short": TooShort,
    "string_too_long": TooLong,
    "too_long": TooLong,
    "greater_than_equal": OutOfRange,
    "less_than_equal": OutOfRange,
    "int_parsing_size": OutOfRange,
    "string_pattern_mismatch": WrongForm,
    "literal_error": NotOneOf,
    "union_tag_invalid": NotOneOf,
    "union_tag_not_found": FieldNeeded,
    "card_number": BadCardNumber,
    "card_in_text": CardNumberGiven,
    "currency": UnknownCurrencyCode,
    "timezone_aware": NotDate,
}
_BY_PREFIX: dict[str, type[BadInput]] = {
    "int_": NotWhole,
    "date_": NotDate,
    "datetime_": NotDate,
    "model_": NotAnObject,
    "dict_": NotAnObject,
    "ip_": WrongForm,
}


def fault_of(error: ValidationError) -> BadInput:
    """The first thing that is wrong, with the dotted name of its field."""
    first = error.errors(include_url=False, include_input=False)[0]
    context: Mapping[str, Any] = first.get("ctx", {})
    expected = (context.get("expected") or context.get("expected_tags") or "").replace("is:", "")
    param = _dotted(first["loc"])
    if first["type"] in ("union_tag_invalid", "union_tag_not_found"):
        param = f"{param}.type"
    return _class_of(first["type"])(param=param or None, **({"expected": expected} if expected else {}))


def _class_of(type_: str) -> type[BadInput]:
    found = _BY_TYPE.get(type_)
    if found is None:
        found = next((fault for prefix, fault in _BY_PREFIX.items() if type_.startswith(prefix)), BadInput)
    return found


def _dotted(location: tuple[int | str, ...]) -> str:
    """`("payment_method", "is:card", "card", "number")` -> `payment_method.card.number`: without the unions' tags."""
    return ".".join(str(part) for part in location if not str(part).startswith("is:"))
