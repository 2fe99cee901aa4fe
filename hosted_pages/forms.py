"""Signed forms without cookies: WTForms whose token says page, form, attempt and until when.

A token is `<attempt>.<unix time it ends>.<signature>`. The attempt number makes a form good for one
attempt: pressing it twice, in two tabs or after a step back, pays once (checkout.pay refuses the second).
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from werkzeug.datastructures import MultiDict
from wtforms import Form, StringField, ValidationError
from wtforms.csrf.core import CSRF

from app.core import vault
from app.core.clock import now
from app.core.fields import Asks

GOOD_FOR_SECONDS = 2 * 3600


@dataclass(frozen=True, slots=True)
class Purpose:
    """What a form is for: the page's token, the form's name, the number of the attempt it makes."""

    page: str
    form: str
    attempt: int = 0

    def seal(self, ends: int) -> str:
        return vault.page_signature("form", self.page, self.form, str(self.attempt), str(ends))


class Sealed(CSRF):
    """Raises ValidationError("expired") or ("wrong"); a page says it in the payer's words."""

    def setup_form(self, form: Any) -> Any:
        self.purpose: Purpose = form.meta.csrf_context
        return super().setup_form(form)

    def generate_csrf_token(self, csrf_token_field: Any) -> str:
        ends = int(now().timestamp()) + GOOD_FOR_SECONDS
        return f"{self.purpose.attempt}.{ends}.{self.purpose.seal(ends)}"

    def validate_csrf_token(self, form: Any, field: Any) -> None:
        attempt, _, rest = str(field.data or "").partition(".")
        ends, _, signature = rest.partition(".")
        if not (_is_number(attempt) and _is_number(ends)):
            raise ValidationError("wrong")
        claimed = Purpose(self.purpose.page, self.purpose.form, int(attempt))
        if not hmac.compare_digest(claimed.seal(int(ends)).encode(), signature.encode()):
            raise ValidationError("wrong")
        if int(ends) < now().timestamp():
            raise ValidationError("expired")
        form.pressed_attempt = claimed.attempt


class PageForm(Form):
    """`pressed_attempt`: the number in the token that came back, once it is validated."""

    pressed_attempt = -1

    class Meta:
        csrf = True
        csrf_class = Sealed
        csrf_field_name = "seal"

    @property
    def seal_problem(self) -> str | None:
        """None, "expired" or "wrong"."""
        return cast(Any, self).seal.errors[0] if cast(Any, self).seal.errors else None


def sealed_form(purpose: Purpose, typed: MultiDict[str, str] | None = None) -> PageForm:
    """A form with nothing but its seal (a button)."""
    return PageForm(typed, meta={"csrf_context": purpose})


def asking_form(asks: Asks, purpose: Purpose, typed: MultiDict[str, str] | None = None) -> PageForm:
    """The form of a payment method or a risk step. What came back for secret fields is not shown again (fill)."""
    fields = {field.name: StringField(field.label) for field in asks.FIELDS}
    return type("AskingForm", (PageForm,), fields)(typed, meta={"csrf_context": purpose})


def fill(form: PageForm, asks: Asks, keep: Mapping[str, str], wrong: Mapping[str, str]) -> None:
    """Puts into the form what may be shown again, and the errors at their fields."""
    for field in asks.FIELDS:
        bound: Any = form[field.name]
        bound.data = "" if field.secret else keep.get(field.name, "")
        bound.errors = [wrong[field.name]] if field.name in wrong else []


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 12
