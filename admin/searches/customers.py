"""Customers by their number, e-mail address, name or surname."""

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
from app.customers.find import known_as

ORDER = 20
PERMISSION = "customer.read_personal"

_HEADINGS = {
    ("number_key", "yes"): N_("Customers whose number is “%(text)s”"),
    ("email_key", "yes"): N_("Customers whose e-mail address is “%(text)s”"),
    ("name_key", "yes"): N_("Customers called “%(text)s”"),
    ("number_key", "no"): N_("Customers whose number begins with “%(text)s”"),
    ("email_key", "no"): N_("Customers whose e-mail address begins with “%(text)s”"),
    ("name_key", "no"): N_("Customers whose name begins with “%(text)s”"),
}
_PLACE = {way: place for place, way in enumerate(_HEADINGS)}


def question(asked: Asked) -> Statement | None:
    return known_as(LIMIT + 1) if asked.personal else None


def groups(asked: Asked, rows: Sequence[Row]) -> list[Group]:
    """Each customer once."""
    seen: set[object] = set()
    found = []
    for way, found_so in groupby(sorted(rows, key=_place), key=_way):
        fresh = [row for row in found_so if row["id"] not in seen and personal.may_see_customer(row)]
        seen.update(row["id"] for row in fresh)
        if fresh:
            found.append(group(_(_HEADINGS[way], text=asked.typed), way[1] == "yes", fresh, _hit))
    return found


def _hit(row: Row) -> Hit:
    key = public_id("cus", row["id"])
    name, email = (str(personal.of_customer(row, row[column])) for column in ("name", "email"))
    return Hit(
        url=url("customers.detail", id=key),
        name=name or email or row["number"] or formats.shortened(key),
        more=" · ".join(part for part in (row["number"], email) if part),
        merchant=row["merchant_name"],
        when=formats.moment(row["created_at"]),
    )


def _way(row: Row) -> tuple[str, str]:
    return row["by"].replace("surname", "name"), row["exact"]


def _place(row: Row) -> int:
    return _PLACE[_way(row)]


if TYPE_CHECKING:
    from admin.searches import customers as _me
    from admin.searches.kinds import Kind

    _check: Kind = _me
