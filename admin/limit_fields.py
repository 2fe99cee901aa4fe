"""Limits in a form: for each action that moves money one currency, the most at a time and the most a day."""

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from wtforms import Form as PlainForm
from wtforms import FormField, SelectField, StringField

from admin import choices, formats
from admin.fields import options
from admin.texts import lazy as _l
from app.core.errors import Refusal
from app.core.limits import LIMITED, Limit, Limits
from app.core.money import parse_typed
from app.core.texts import N_

LABELS = {"payment.capture": N_("Captures"), "payment.refund": N_("Refunds"), "payment.cancel": N_("Cancellations")}


class LimitLine(PlainForm):
    """One action. What is left empty has no limit; the first limit of an action closes all other currencies."""

    currency = SelectField(_l("Currency"), choices=options(choices.CURRENCIES), default="EUR")
    each = StringField(_l("At a time"))
    daily = StringField(_l("A day"))

    def limit(self) -> Limit | None:
        """Puts errors at the fields. None: nothing typed, or something wrong."""
        each, daily = self._minor(self.each), self._minor(self.daily)
        if self.each.errors or self.daily.errors or (each is None and daily is None):
            return None
        if each is not None and daily is not None and each > daily:
            self.daily.errors = [_("The limit for a day is smaller than the one for a time.")]
            return None
        return Limit(each, daily)

    def _minor(self, field: Any) -> int | None:
        typed = (field.data or "").strip()
        if not typed:
            return None
        try:
            minor = parse_typed(typed[:40], self.currency.data)
        except Refusal as refusal:
            field.errors = [formats.said(refusal.message, **refusal.values)]
            return None
        if minor <= 0:
            field.errors = [_("The amount must be more than zero.")]
        return minor


class WithLimits:
    """Mixin of a form. `limit_lines()` in the order of LIMITED."""

    capture = FormField(LimitLine)
    refund = FormField(LimitLine)
    cancel = FormField(LimitLine)

    def limit_lines(self) -> list[tuple[str, Any]]:
        return [(LABELS[action], getattr(self, action.partition(".")[2]).form) for action in LIMITED]

    def limits(self) -> Limits | None:
        """None: something is wrong, and said at its field."""
        found, wrong = {}, False
        for action in LIMITED:
            line = getattr(self, action.partition(".")[2]).form
            limit = line.limit()
            wrong = wrong or bool(line.each.errors or line.daily.errors)
            if limit is not None:
                found[action] = {line.currency.data: limit}
        return None if wrong else found


def typed(limits: Limits) -> dict[str, Any]:
    """What a form shows of stored limits."""
    shown = {}
    for action, currencies in limits.items():
        for currency, limit in currencies.items():
            shown[action.partition(".")[2]] = {
                "currency": currency,
                "each": "" if limit.each is None else formats.typed(limit.each, currency),
                "daily": "" if limit.daily is None else formats.typed(limit.daily, currency),
            }
    return shown


def sentences(limits: Limits | Mapping[str, Any]) -> list[str]:
    """`Refunds: up to 100.00 EUR at a time, 500.00 EUR a day`."""
    found = []
    for action, currencies in limits.items():
        for currency, limit in currencies.items():
            parts = []
            if limit.each is not None:
                parts.append(_("up to %(amount)s at a time", amount=formats.money(limit.each, currency)))
            if limit.daily is not None:
                parts.append(_("up to %(amount)s a day", amount=formats.money(limit.daily, currency)))
            found.append(f"{_(LABELS[action])}: {', '.join(parts)}")
    return found
