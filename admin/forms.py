"""Forms: amounts as people type them, and a signed number per form so that it works once."""

import hmac
import secrets
from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import request
from flask_babel import gettext as _
from flask_wtf import FlaskForm
from flask_wtf.form import _Auto
from wtforms import Field, HiddenField, PasswordField, StringField
from wtforms.validators import StopValidation

from admin import formats, kept
from admin.guard import FormTooOld
from admin.here import here, is_here, staff
from admin.texts import lazy as _l
from app.core import vault
from app.core.card_numbers import CardNumberInText, holds_card_number
from app.core.db import atomic, of
from app.core.errors import Refusal
from app.core.idempotency import Once, claim
from app.core.money import parse_typed


class Form(FlaskForm):
    """A form with its token against other sites (`csrf_token`).

    After “Is it you?” it begins with what was typed before (kept.py).
    """

    def __init__(self, formdata: Any = _Auto, **more: Any) -> None:
        if formdata is _Auto and request.method == "GET" and "kept" in request.args and is_here() and here().staff:
            formdata = kept.typed(request.args["kept"], staff().id) or _Auto
        super().__init__(formdata, **more)

    def validate(self, *given: Any, **more: Any) -> bool:
        """Besides the fields' own rules: no card number in a text, for texts are stored in clear."""
        is_valid = super().validate(*given, **more)
        for field in self:
            is_text = isinstance(field, StringField) and not isinstance(field, PasswordField | HiddenField)
            if is_text and holds_card_number(str(field.data or "")):
                self.refuse(CardNumberInText(param=field.name))
                is_valid = False
        return is_valid

    def refuse(self, refusal: Refusal) -> bool:
        """Shows a refusal at the field it names. False: this form has no such field, show it above."""
        field = self._fields.get((refusal.param or "").rpartition(".")[2])
        if field is None:
            return False
        text = formats.said(refusal.message, **refusal.values)
        advice = formats.said(refusal.advice, **refusal.values)
        field.errors = [*field.errors, f"{text} {advice}".strip()]
        return True

    @property
    def wrong(self) -> list[Field]:
        """The fields with errors, in the order of the form."""
        return [field for field in self if field.errors]


class OnceForm(Form):
    """A form that does its work once, however often it is sent."""

    nonce = HiddenField()

    def once(self, purpose: str, body: str = "") -> Once:
        """The wish for idempotency. Raises FormTooOld for a number that this user was not given for this."""
        number, _dot, signature = (self.nonce.data or "").partition(".")
        if not number or not hmac.compare_digest(signature, _signature(number, purpose)):
            raise FormTooOld()
        return Once(key=f"form:{number}", route=purpose, body=body.encode())


def nonce(purpose: str) -> str:
    """For a fresh form. `purpose` names what it does and to what."""
    number = secrets.token_urlsafe(16)
    return f"{number}.{_signature(number, purpose)}"


def _signature(number: str, purpose: str) -> str:
    return vault.page_signature("form", number, str(staff().id), purpose)


def spend(once: Once, merchant_id: UUID, live: bool, subject: tuple[str, UUID]) -> None:
    """Uses a form up by itself, before an operation that opens its own transaction. Raises Repeated, KeyReused."""
    with atomic(of(merchant_id, live)) as work:
        claim(work, once, merchant_id, live, subject)


class AmountField(StringField):
    """Money as typed: `12,50`, `12.50`, `1.234,56`. `minor` holds minor units of `currency` once it is valid."""

    minor: int | None = None

    def __init__(self, label: Any = None, currency: str = "EUR", **more: Any) -> None:
        super().__init__(label, **more)
        self.currency = currency

    def kept(self) -> int | None:
        """What was typed before “Is it you?” and is shown again (kept.py), in minor units."""
        try:
            return parse_typed((self.data or "")[:40], self.currency) if self.data else None
        except Refusal:
            return None

    def pre_validate(self, form: Any) -> None:
        self.data = (self.data or "").strip()
        if not self.data:
            raise StopValidation(_("Type an amount."))
        try:
            self.minor = parse_typed(self.data[:40], self.currency)
        except Refusal as refusal:
            text = formats.said(refusal.message, **refusal.values)
            raise StopValidation(f"{text} {formats.said(refusal.advice)}") from None
        if self.minor <= 0:
            raise StopValidation(_("The amount must be more than zero."))


def tidy(value: str | None) -> str:
    """Filter for text fields: no spaces around, no control characters."""
    return "".join(sign for sign in value or "" if sign.isprintable() or sign in "\n\t").strip()


TIDY: list[Callable[[Any], Any]] = [tidy]
REQUIRED = _l("This is needed.")


def purpose(verb: str, subject: UUID | str) -> str:
    return f"{verb} {subject}"
