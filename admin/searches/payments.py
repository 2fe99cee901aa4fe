"""Payments by reference, order and customer number, payer, last four digits, or the beginning of their id."""

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from flask_babel import gettext as _

from admin import formats, personal
from admin.office import url
from admin.searches.kinds import LIMIT, Asked, Group, Hit, Row, group
from app.core.fast import Statement
from app.core.ids import public_id
from app.core.texts import N_
from app.payments.find import PERSONAL, remembered

ORDER = 10
PERMISSION = "payment.read"

HEADINGS = {
    ("reference", "yes"): N_("Reference is “%(text)s”"),
    ("order", "yes"): N_("Order number is “%(text)s”"),
    ("customer", "yes"): N_("Customer number is “%(text)s”"),
    ("email", "yes"): N_("E-mail address is “%(text)s”"),
    ("name", "yes"): N_("Name is “%(text)s”"),
    ("last4", "yes"): N_("Card ends in “%(text)s”"),
    ("reference", "no"): N_("Reference begins with “%(text)s”"),
    ("order", "no"): N_("Order number begins with “%(text)s”"),
    ("customer", "no"): N_("Customer number begins with “%(text)s”"),
    ("email", "no"): N_("E-mail address begins with “%(text)s”"),
    ("name", "no"): N_("Name begins with “%(text)s”"),
    ("id", "no"): N_("Payment’s id begins with “%(text)s”"),
}
_PLACE = {way: place for place, way in enumerate(HEADINGS)}


def question(asked: Asked) -> Statement | None:
    return remembered(asked.typed, personal=asked.personal, limit=LIMIT + 1)


def groups(asked: Asked, rows: Sequence[Row]) -> list[Group]:
    """Each payment once, where it fits best."""
    seen: set[object] = set()
    found = []
    for way, found_so in groupby(sorted(rows, key=_place), key=_way):
        fresh = [row for row in found_so if row["id"] not in seen and _may_be_found(row)]
        seen.update(row["id"] for row in fresh)
        if fresh:
            heading = _(HEADINGS[way], text=asked.typed)
            found.append(group(heading, way[1] == "yes", fresh, hit))
    return found


def hit(row: Row) -> Hit:
    """Needs the columns of the list of payments."""
    payer = personal.shown(row, "payer_name") or personal.shown(row, "payer_email")
    return Hit(
        url=url("payments.detail", id=public_id("pay", row["id"])),
        name=row["merchant_reference"],
        state=formats.status(row["status"]),
        amount=formats.money(row["amount"], row["currency"]),
        more=" · ".join(part for part in (formats.instrument(row), payer) if part and part != "–"),
        merchant=row["merchant_name"],
        when=formats.moment(row["created_at"]),
    )


def _may_be_found(row: Row) -> bool:
    return row["by"] not in PERSONAL or personal.may_see_payer(row)


def _way(row: Row) -> tuple[str, str]:
    return row["by"], row["exact"]


def _place(row: Row) -> int:
    return _PLACE[_way(row)]


if TYPE_CHECKING:
    from admin.searches import payments as _me
    from admin.searches.kinds import Kind

    _check: Kind = _me
