"""Payers' names and addresses: shown to whoever may see them for this merchant, hidden from everybody else.

Nothing here shows one without noting that it was seen (reads.py); templates ask for nothing personal but here.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from markupsafe import Markup, escape

from admin import reads
from admin.here import staff

PERMISSION = "customer.read_personal"
_DOTS = "••••••"
_SECOND = Markup('<span class="second">{}</span>')


def payer_name(row: Mapping[str, Any]) -> str | Markup:
    """Of a payment, or of something with its `payment_id`, read with `payer_blocked`. Empty when there is none."""
    return _of_payment(row, row["payer_name"])


def payer_email(row: Mapping[str, Any]) -> str | Markup:
    return _of_payment(row, row["payer_email"])


def payer(row: Mapping[str, Any]) -> Markup:
    """For a cell of a list: the name with the e-mail address below it; a dash when there is neither."""
    given = [value for value in (row["payer_name"], row["payer_email"]) if value]
    if not given:
        return Markup("–")
    if not may_see_payer(row):
        return hidden()
    reads.saw("payment", _payment_id(row), row["merchant_id"], row["live"])
    first, *rest = map(escape, given)
    return first + Markup("").join(_SECOND.format(value) for value in rest)


def visible(merchant_id: UUID) -> bool:
    """Whether payers of this merchant may be seen, and looked for by name or address."""
    return staff().may(PERMISSION, merchant_id)


def shown(row: Mapping[str, Any], column: str) -> str:
    """As plain text, for lists that join it with other things: `column` is payer_name or payer_email."""
    value = row[column]
    return str(_of_payment(row, value)) if value and may_see_payer(row) else _DOTS if value else ""


def may_see_payer(row: Mapping[str, Any]) -> bool:
    """Nobody, while the payer is restricted, and once they were erased: what is kept of them is kept apart."""
    return visible(row["merchant_id"]) and not row["payer_blocked"]


def may_see_customer(row: Mapping[str, Any]) -> bool:
    """Whoever erases and restricts also sees those whose processing is restricted: they have to tell them apart."""
    needed = "customer.erase" if row["restricted_at"] is not None else PERMISSION
    return staff().may(needed, row["merchant_id"])


def of_customer(row: Mapping[str, Any], value: str | None) -> str | Markup:
    """Something personal of a customer's row. Empty when there is none."""
    if not value:
        return ""
    if not may_see_customer(row):
        return hidden()
    reads.saw("customer", row["id"], row["merchant_id"], row["live"])
    return value


def hidden() -> Markup:
    return Markup(
        '<span class="soft" title="{}"><span aria-hidden="true">{}</span><span class="hide">{}</span></span>'
    ).format(_("You may not see this."), _DOTS, _("hidden"))


def _of_payment(row: Mapping[str, Any], value: str | None) -> str | Markup:
    if not value:
        return ""
    if not may_see_payer(row):
        return hidden()
    reads.saw("payment", _payment_id(row), row["merchant_id"], row["live"])
    return value


def _payment_id(row: Mapping[str, Any]) -> UUID:
    return row["payment_id"] if "payment_id" in row else row["id"]
